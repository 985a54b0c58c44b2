/** The client: reads the property, listens to the signal, calls the method, and changes the property. */
import { connect, sessionBus, systemBus } from 'busbar';
import { TestModule } from './module.js';

const [kind, address] = process.argv.slice(2);
const bus = await (kind === '--peer'
  ? connect({ address, peer: true })
  : kind === '--system'
    ? systemBus()
    : sessionBus());
const module = bus.proxy(TestModule, 'org.example.dbustest', '/org/example/dbustest');

console.log('TestProperty is', await module.get.TestProperty());

module.on.TestSignal((vms) => console.log('TestSignal says', vms));
module.onChange((changed) => console.log('changed:', changed));

console.log('TestMethod says', await module.call.TestMethod('kvm', { usb: ['keyboard', 'mouse'], disk: ['sdb'] }));
console.log('TestMethod says', await module.call.TestMethod('hyperv', {}));

await module.set.TestProperty({ web: 'stopped', mail: 'running', build: 'paused' });
console.log('TestProperty is', await module.get.TestProperty());

await bus.close();
