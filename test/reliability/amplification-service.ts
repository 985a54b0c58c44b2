/**
 * The quickstart's service with more that others can reach: properties that are read-only or of any type, a method that
 * takes any value, a signal that it listens to, and what it takes of memory.
 */
import { connect, defineInterface, implement, Variant } from 'busbar';
import { TestModule } from '../../examples/quickstart/module.js';

export const Reach = defineInterface('org.example.Reach', {
  methods: { Take: { in: ['value:v'], out: ['length:u'] }, Heap: { out: ['used:t', 'heard:t'] } },
  properties: {
    Fixed: { type: 'aay', access: 'read' },
    Any: { type: 'v', access: 'readwrite' },
  },
});
export const SIGNAL = { path: '/org/example/amplified', interface: 'org.example.Amplified', member: 'Told' } as const;
export const REACH_PATH = '/org/example/reach';

/** Resolves when it is ready. */
export async function serve(): Promise<void> {
  const bus = await connect({ bus: 'session' });
  let heard = 0;
  bus.export('/org/example/dbustest', new TestModule());
  bus.export(
    REACH_PATH,
    implement(Reach, {
      Take: (value) => (Array.isArray(value) ? value.length : 0),
      Heap: () => [BigInt(process.memoryUsage().heapUsed), BigInt(heard)],
      Fixed: [],
      Any: new Variant('s', ''),
    }),
  );
  await bus.subscribe(SIGNAL, ({ body }) => {
    heard += body.length;
  }).ready;
  await bus.requestName('org.example.dbustest');
  console.log('ready');
}

if (process.argv[1]?.endsWith('amplification-service.ts')) await serve();
