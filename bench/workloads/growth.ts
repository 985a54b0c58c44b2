/** Whether a message costs the same however much a program holds: objects, subscriptions, waiting calls, proxies. */
import { ours, type Workload } from './workload.js';

/** A series: the same workload at growing sizes. */
interface Series extends Pick<Workload, 'title' | 'operation' | 'arrangement' | 'program' | 'operations'> {
  readonly id: string;
  readonly sizes: readonly number[];
  readonly parameters: (size: number) => Readonly<Record<string, string>>;
  readonly driverParameters?: (size: number) => Readonly<Record<string, string>>;
}

const series: readonly Series[] = [
  {
    id: 'exports',
    title: 'Answering calls, by exported objects; 100 of them are called',
    operation: 'call',
    arrangement: 'service',
    program: 'service',
    operations: 30_000,
    sizes: [10, 1_000, 100_000],
    parameters: (size) => ({ objects: `${size}` }),
    driverParameters: (size) => ({ window: '100', paths: `${Math.min(size, 100)}` }),
  },
  {
    id: 'exports-all',
    title: 'Answering calls, by exported objects; all of them are called',
    operation: 'call',
    arrangement: 'service',
    program: 'service',
    operations: 100_000,
    sizes: [10, 1_000, 100_000],
    parameters: (size) => ({ objects: `${size}` }),
    driverParameters: (size) => ({ window: '100', paths: `${size}` }),
  },
  {
    id: 'subscriptions',
    title: 'Receiving PropertiesChanged, by subscriptions to other paths',
    operation: 'signal',
    arrangement: 'client',
    program: 'signals',
    operations: 20_000,
    sizes: [10, 1_000, 10_000],
    parameters: (size) => ({ subscriptions: `${size}` }),
  },
  {
    id: 'pending',
    title: 'Calls, 100 at a time, by calls that wait all the while',
    operation: 'call',
    arrangement: 'client',
    program: 'calls',
    operations: 30_000,
    sizes: [1, 1_000, 50_000],
    parameters: (size) => ({ window: '100', pending: `${size}` }),
  },
  {
    id: 'proxies',
    title: 'Calls, 100 at a time, by proxies that take turns',
    operation: 'call',
    arrangement: 'client',
    program: 'calls',
    operations: 30_000,
    sizes: [10, 1_000, 10_000],
    parameters: (size) => ({ window: '100', proxies: `${size}` }),
  },
];

export const growth: readonly Workload[] = series.flatMap(
  ({ id, title, sizes, parameters, driverParameters = () => ({}), ...rest }) =>
    sizes.map((size) => ({
      ...rest,
      id: `growth-${id}-${size}`,
      title: `${title}: ${size}`,
      parameters: parameters(size),
      driverParameters: driverParameters(size),
      roundsMaximum: 5,
      quick: false,
      // dbus-daemon itself slows down with rules and waiting calls, and then each message costs a wake-up.
      daemon: 'dbus-broker' as const,
      columns: ['cpu', 'wall'] as const,
      takesPart: ours,
      growth: { series: id, title, size },
    })),
);
