/** The service: exports a TestModule on the bus and answers calls until it is stopped. */
import { sessionBus, systemBus } from 'busbar';
import { TestModule } from './module.js';

const bus = await (process.argv.includes('--system') ? systemBus() : sessionBus());

bus.export('/org/example/dbustest', new TestModule());
await bus.requestName('org.example.dbustest');
console.log(`org.example.dbustest is ready; on the bus it is ${bus.uniqueName}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => bus.close());

const reason = await bus.disconnected;
console.log(reason === undefined ? 'goodbye' : `the bus is gone: ${reason.message}`);
process.exitCode = reason === undefined ? 0 : 1;
