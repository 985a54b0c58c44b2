/** Workloads with much of one thing: large values, long queues, and many listeners. */
import { reference } from './peers.js';
import type { Workload } from './workloads.js';

const MEBIBYTE = 2 ** 20;

const bulk = {
  ...{ arrangement: 'client', daemon: 'dbus-daemon', roundsMaximum: 5, columns: ['cpu', 'wall'] },
  takesPart: ({ id }) => id.startsWith('busbar'),
} as const satisfies Partial<Workload>;

const bytes = (id: string, title: string, size: number, operations: number): Workload => ({
  ...{ ...bulk, id, title, operation: 'call', program: 'bytes', parameters: { size: `${size}` }, operations },
  takesPart: (peer) => peer.id === reference || bulk.takesPart(peer),
  targets: [{ quantity: 'cpu', to: reference, most: 1.5 }],
});

const text = (kind: string, title: string): Workload => ({
  ...{ ...bulk, id: `text-${kind}`, title, operation: 'call', program: 'text', operations: 60 },
  parameters: { text: kind, size: `${MEBIBYTE}` },
});

export const bulkWorkloads: readonly Workload[] = [
  bytes('bytes-64k', 'Calls with `ay` of 64 KiB and its echo', 2 ** 16, 1000),
  bytes('bytes-1m', 'Calls with `ay` of 1 MiB and its echo', MEBIBYTE, 100),
  text('ascii', 'Calls with 1 MiB of ASCII and its echo'),
  {
    ...text('greek', 'Calls with 1 MiB of Greek and its echo'),
    targets: [{ quantity: 'cpu', workload: 'text-ascii', most: 1.5 }],
  },
  {
    ...{ ...bulk, id: 'queue', title: 'Taking signals from a queue of 400 000', operation: 'signal', program: 'queue' },
    ...{ parameters: {}, operations: 400_000, warmUp: 1000, roundsMaximum: 1 },
    targets: [{ quantity: 'cpu', most: 1 }],
  },
  {
    ...{ ...bulk, id: 'unsubscribe', title: 'Ending one of 10 000 subscriptions to a rule', program: 'unsubscribe' },
    ...{ operation: 'subscription', parameters: { listeners: '10000' }, operations: 1000 },
    targets: [{ quantity: 'cpu', most: 5 }],
  },
];
