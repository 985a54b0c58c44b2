/** Workloads of live views: the cost of making one, of a change in it, and of its memory. */
import { reference } from './peers.js';
import type { Workload } from './workloads.js';

const live = {
  ...{ arrangement: 'client', daemon: 'dbus-daemon', roundsMaximum: 5, columns: ['cpu', 'wall'] },
  takesPart: ({ id }) => id.startsWith('busbar'),
} as const satisfies Partial<Workload>;

const many = { parameters: { devices: '10000' }, operations: 10, warmUp: 30 } as const;
/** The path of a device of the service. */
const DEVICE = '/org/bluez/hci0/dev_A4_C1_38_00_00_00';

const memory = (size: number, more: Partial<Workload> = {}): Workload => ({
  ...{ ...live, id: `view-memory-${size}`, title: `Memory of a live view of ${size} objects, all of which were read` },
  ...{ operation: 'object', program: 'kept', parameters: { devices: `${size}` }, operations: size, warmUp: size },
  ...{ columns: ['retained'], ...more },
});

export const liveWorkloads: readonly Workload[] = [
  {
    ...{ ...live, ...many, id: 'objects-10000', title: 'GetManagedObjects of 10 000 devices', program: 'objects' },
    ...{ operation: 'call', takesPart: (peer) => peer.id === reference || live.takesPart(peer) },
  },
  {
    ...{ ...live, ...many, id: 'view', title: 'A live view of 10 000 devices, from nothing until it is ready' },
    ...{ operation: 'view', program: 'views' },
    targets: [{ quantity: 'cpu', workload: 'objects-10000', most: 1.3 }],
  },
  {
    ...{ ...live, ...many, id: 'view-read', title: 'The same, until the values of all objects have been read' },
    ...{ operation: 'view', program: 'readViews', operations: 5, warmUp: 10 },
  },
  {
    ...{ ...live, id: 'view-signals', title: 'Receiving PropertiesChanged of one of 10 000 devices, by a proxy' },
    ...{ operation: 'signal', program: 'signals', operations: 30_000 },
    parameters: { devices: '10000', emits: DEVICE, path: DEVICE },
  },
  {
    ...{ ...live, id: 'view-changes', title: 'Receiving them by a live view of all devices, whose values are read' },
    ...{ operation: 'signal', program: 'changes', operations: 30_000 },
    parameters: { devices: '10000', emits: DEVICE },
    targets: [{ quantity: 'cpu', workload: 'view-signals', most: 1.5 }],
  },
  memory(1000),
  memory(10_000, { targets: [{ quantity: 'retained', workload: 'view-memory-1000', most: 1.1 }] }),
];
