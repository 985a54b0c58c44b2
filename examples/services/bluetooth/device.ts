/** A device of the adapter: a thermometer, which is paired with the consent of a user, and has a GATT server. */
import { randomInt } from 'node:crypto';
import { type Export, implement } from 'busbar';
import { Device } from '../interfaces/bluez.js';
import { bus, confirm, failure } from './agents.js';
import { assigned, exportCharacteristic, exportService } from './gatt.js';

const number = (value: number) => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16LE(value);
  return bytes;
};

/** Exports a thermometer below the path of its adapter. */
export function exportThermometer(Adapter: string, Address: string, Name: string) {
  const path = `${Adapter}/dev_${Address.replaceAll(':', '_')}`;
  let pairing: AbortController | undefined;
  let gatt: readonly Export[] = [];

  function connect(connected: boolean): void {
    if (connected === device.properties.Connected) return;
    for (const each of gatt) each.end();
    gatt = [];
    if (connected) {
      const service = `${path}/service0001`;
      gatt = [
        exportService(service, '181a'),
        // Hundredths of a degree.
        exportCharacteristic(`${service}/char0002`, '2a6e', number(2000), () => number(2000 + randomInt(100))),
        exportCharacteristic(`${service}/char0004`, '2a00', Buffer.from(Name)),
      ];
    }
    device.properties.Connected = connected;
    device.properties.ServicesResolved = connected;
    console.log(Name, connected ? 'is connected' : 'is disconnected');
  }

  const device = implement(Device, {
    Connect: () => connect(true),
    Disconnect: () => connect(false),
    async Pair(call) {
      if (device.properties.Paired) throw failure('AlreadyExists', `${Name} is paired`);
      if (pairing !== undefined) throw failure('InProgress', `${Name} is being paired`);
      pairing = new AbortController();
      try {
        await confirm(path, randomInt(1_000_000), call, AbortSignal.any([call.signal, pairing.signal]));
        Object.assign(device.properties, { Paired: true, Bonded: true });
      } finally {
        pairing = undefined;
        console.log(Name, device.properties.Paired ? 'is paired' : 'is not paired');
      }
    },
    CancelPairing() {
      if (pairing === undefined) throw failure('DoesNotExist', `${Name} is not being paired`);
      pairing.abort();
    },
    ...{ Adapter, Address, AddressType: 'public', Name, Alias: Name, UUIDs: [assigned('181a')], RSSI: -60 },
    ...{ Paired: false, Bonded: false, Connected: false, ServicesResolved: false, LegacyPairing: false },
    ...{ Trusted: false, Blocked: false },
  });
  return { path, device, exported: bus.export(path, device), connect };
}
