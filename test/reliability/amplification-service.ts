/**
 * The service of the quickstart with more members for clients: properties that are read-only or of any type, a method that
 * takes any value, a signal that it listens to, and its memory usage.
 */
import { connect, defineInterface, implement, listen, Variant } from 'busbar';
import { TestModule } from '../../examples/quickstart/module.js';

const Reach = defineInterface('org.example.Reach', {
  methods: { Take: { in: ['value:v'], out: ['length:u'] }, Heap: { out: ['used:t', 'heard:t'] } },
  properties: {
    Fixed: { type: 'aay', access: 'read' },
    Any: { type: 'v', access: 'readwrite' },
  },
});
export const SIGNAL = { path: '/org/example/amplified', interface: 'org.example.Amplified', member: 'Told' } as const;
export const REACH_PATH = '/org/example/reach';

let heard = 0;

function reach() {
  return implement(Reach, {
    Take: (value) => (Array.isArray(value) ? value.length : 0),
    Heap: () => [BigInt(process.memoryUsage().heapUsed), BigInt(heard)],
    Fixed: [],
    Any: new Variant('s', ''),
  });
}

async function serveBus(): Promise<void> {
  const bus = await connect({ bus: 'session' });
  bus.export('/org/example/dbustest', new TestModule());
  bus.export(REACH_PATH, reach());
  await bus.subscribe(SIGNAL, ({ body }) => {
    heard += body.length;
  }).ready;
  await bus.requestName('org.example.dbustest');
  console.log('ready');
}

async function servePeers(folder: string): Promise<void> {
  const object = reach();
  const server = await listen({
    address: `unix:tmpdir=${folder}`,
    onConnection: (peer) => void peer.export(REACH_PATH, object),
  });
  console.log(server.address);
}

// On the session bus, or, with a folder for a socket, for peers. Importing this file starts no service.
const [, program, folder] = process.argv;
if (/amplification-service\.[jt]s$/.test(program ?? '')) await (folder === undefined ? serveBus() : servePeers(folder));
