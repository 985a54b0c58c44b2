/** The service: exports a TestModule on the bus and answers calls until it is stopped. */
import { serve, sessionBus, systemBus } from 'busbar';
import { TestModule } from './module.js';

const bus = await (process.argv.includes('--system') ? systemBus() : sessionBus());

const service = await serve(bus, {
  name: 'org.example.dbustest',
  objects: { '/org/example/dbustest': new TestModule() },
});
console.log(`org.example.dbustest is ready; on the bus it is ${bus.uniqueName}`);

const { error } = await service.ended;
console.log(error === undefined ? 'goodbye' : `the bus is gone: ${error.message}`);
