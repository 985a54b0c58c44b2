/** The service without a bus: it listens on a socket and exports a TestModule to each client. */
import { tmpdir } from 'node:os';
import { listen } from 'busbar';
import { TestModule } from './module.js';

const [address = `unix:tmpdir=${tmpdir()}`] = process.argv.slice(2);
const module = new TestModule();

const server = await listen({ address, onConnection: (peer) => peer.export('/org/example/dbustest', module) });
console.log(`ready at ${server.address}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, async () => {
    await server.close();
    console.log('goodbye');
  });
}
