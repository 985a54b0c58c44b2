/**
 * A Bluetooth adapter without hardware, for bluetoothctl and for applications that use BlueZ. Two thermometers are in
 * range: they are seen while an application discovers, and can be paired, connected and read. Ctrl+C ends it.
 */
import { randomInt } from 'node:crypto';
import { implement, serve } from 'busbar';
import { agentManager, bus, failure } from './bluetooth/agents.js';
import { exportThermometer } from './bluetooth/device.js';
import { assigned, Wishes } from './bluetooth/gatt.js';
import { Adapter } from './interfaces/bluez.js';

const path = '/org/bluez/hci0';
const inRange = [
  { address: '00:11:22:33:44:55', name: 'Kitchen' },
  { address: '00:11:22:33:44:66', name: 'Cellar' },
];
/** The devices that have been seen, and not removed, by their paths. */
const known = new Map<string, ReturnType<typeof exportThermometer>>();

function discover(): void {
  for (const { address, name } of inRange) {
    const found = [...known.values()].find(({ device }) => device.properties.Address === address);
    if (found) found.device.properties.RSSI = -60 - randomInt(20);
    else {
      const thermometer = exportThermometer(path, address, name);
      known.set(thermometer.path, thermometer);
      console.log(name, 'is in range');
    }
  }
}

let timer: NodeJS.Timeout | undefined;
const discovery = new Wishes((wanted) => {
  adapter.properties.Discovering = wanted;
  console.log(wanted ? 'discovering' : 'discovery has ended');
  clearInterval(timer);
  if (!wanted) return;
  discover();
  timer = setInterval(discover, 1000);
});

const adapter = implement(Adapter, {
  SetDiscoveryFilter() {},
  GetDiscoveryFilters: () => [],
  StartDiscovery({ caller }) {
    if (!adapter.properties.Powered) throw failure('NotReady', 'the adapter is not powered');
    discovery.add(caller);
  },
  StopDiscovery: ({ caller }) => discovery.delete(caller),
  RemoveDevice(path) {
    const device = known.get(path);
    if (device === undefined) throw failure('DoesNotExist', `there is no device ${path}`);
    device.connect(false);
    device.exported.end();
    known.delete(path);
  },
  ...{ Address: '00:AA:BB:CC:DD:EE', AddressType: 'public', Name: 'busbar', Alias: 'busbar', Class: 0 },
  ...{ Powered: true, Discoverable: false, Pairable: true, Discovering: false, UUIDs: [assigned('1800')] },
});

await serve(bus, {
  name: 'org.bluez',
  objects: { '/org/bluez': agentManager, [path]: adapter },
  objectManager: '/',
});
console.log('ready');
