/** Scans for devices with Bluetooth Low Energy, and prints each with its signal strength. Ctrl+C ends it. */
import { defineInterface, systemBus } from 'busbar';

const Adapter = defineInterface('org.bluez.Adapter1', {
  methods: { SetDiscoveryFilter: { in: ['filter:a{sv}'] }, StartDiscovery: {} },
});
const Device = defineInterface('org.bluez.Device1', { properties: { Alias: { type: 's' }, RSSI: { type: 'n' } } });

const bus = await systemBus();
const view = bus.objects('org.bluez');
await view.ready;
for (const adapter of view.of(Adapter)) {
  await adapter.call.SetDiscoveryFilter({ Transport: 'le' });
  await adapter.call.StartDiscovery();
}
for await (const change of view.of(Device).changes()) {
  const { Alias, RSSI } = change.kind === 'removed' ? change.last : change.object.values;
  console.log(Alias, change.kind === 'removed' || RSSI === undefined ? 'is out of range' : `${RSSI} dBm`);
}
