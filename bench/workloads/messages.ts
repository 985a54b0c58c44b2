/**
 * What a message costs: calls, signals, large replies, services, and a process that makes a single call.
 */
import { everybody, ours, type Workload } from './workload.js';

const client = {
  operation: 'call',
  arrangement: 'client',
  parameters: {},
  quick: true,
  columns: ['cpu', 'wall'],
  takesPart: everybody,
} as const satisfies Partial<Workload>;

const calls = (
  window: number,
  more: Pick<Workload, 'title' | 'operations' | 'quick'> & Partial<Workload>,
): Workload => ({
  ...client,
  id: `calls-${window}`,
  program: 'calls',
  parameters: { window: `${window}` },
  ...more,
});

export const messages: readonly Workload[] = [
  calls(100, { title: 'Calls, 100 at a time', operations: 30_000, quick: true }),
  calls(1000, { title: 'Calls, 1000 at a time', operations: 30_000, quick: false }),
  calls(50_000, {
    title: 'Calls, 50 000 at a time',
    operations: 100_000,
    warmUp: 50_000,
    quick: false,
    roundsMaximum: 3,
  }),
  calls(1, { title: 'Calls, one after the other', operations: 10_000, quick: true }),
  {
    ...client,
    id: 'signals',
    title: 'Receiving PropertiesChanged',
    operation: 'signal',
    program: 'signals',
    operations: 30_000,
  },
  {
    ...client,
    id: 'backlog',
    title: 'Receiving PropertiesChanged that have queued up',
    operation: 'signal',
    program: 'signals',
    // As long as the service and the bus take for that many.
    parameters: { pause: '500' },
    operations: 30_000,
    quick: false,
  },
  {
    ...client,
    id: 'unmatched',
    title: 'Receiving signals that nothing listens to',
    operation: 'signal',
    program: 'unmatched',
    operations: 30_000,
  },
  {
    ...client,
    id: 'objects',
    title: 'GetManagedObjects of 500 devices',
    program: 'objects',
    operations: 40,
  },
  {
    ...client,
    id: 'emit',
    title: 'Emitting signals',
    operation: 'signal',
    program: 'emit',
    operations: 30_000,
  },
  {
    ...client,
    id: 'announce',
    title: 'Emitting PropertiesChanged by hand',
    operation: 'signal',
    program: 'announce',
    operations: 30_000,
    takesPart: ours,
    quick: false,
  },
  {
    ...client,
    id: 'assign',
    title: 'Assigning a property, which emits PropertiesChanged',
    operation: 'assignment',
    program: 'assign',
    operations: 30_000,
    takesPart: ours,
    quick: false,
  },
  {
    ...client,
    id: 'service',
    title: 'Answering calls',
    arrangement: 'service',
    program: 'service',
    driverParameters: { window: '100' },
    operations: 30_000,
  },
  {
    ...client,
    id: 'peer-to-peer',
    title: 'Calls without a bus, 100 at a time, the library at both ends',
    arrangement: 'peer-to-peer',
    daemon: 'dbus-daemon',
    program: 'calls',
    parameters: { window: '100', peer: '1' },
    operations: 30_000,
    columns: ['wall', 'cpu'],
    takesPart: (peer) => peer.language === 'C' || ours(peer),
    quick: false,
  },
  {
    ...client,
    id: 'cold',
    title: 'A cold process: import, connect, first reply',
    operation: 'process',
    arrangement: 'cold',
    program: 'cold',
    operations: 5,
    columns: ['wall', 'cpu'],
  },
];
