/** What messages do besides costing time: system calls, memory, and timers that fire late. */
import { everybody, inJavaScript, type Workload } from './workload.js';

const systemCalls = {
  arrangement: 'system-calls',
  daemon: 'dbus-daemon',
  operations: 40_000,
  roundsMaximum: 1,
  columns: ['systemCalls', 'receives', 'sends'],
  takesPart: everybody,
} as const satisfies Partial<Workload>;

const heap = {
  arrangement: 'client',
  daemon: 'dbus-daemon',
  nodeFlags: ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'],
  operations: 10_000,
  roundsMaximum: 3,
  quick: false,
  columns: ['allocated', 'retained'],
  takesPart: inJavaScript,
} as const satisfies Partial<Workload>;

export const behaviour: readonly Workload[] = [
  {
    ...systemCalls,
    id: 'system-calls-calls',
    title: 'System calls: calls, 1000 at a time',
    operation: 'call',
    program: 'calls',
    parameters: { window: '1000' },
    quick: false,
  },
  {
    ...systemCalls,
    id: 'system-calls-signals',
    title: 'System calls: receiving signals',
    operation: 'signal',
    program: 'signals',
    parameters: {},
    quick: false,
  },
  {
    ...systemCalls,
    id: 'system-calls-emit',
    title: 'System calls: emitting signals',
    operation: 'signal',
    program: 'emit',
    parameters: {},
    quick: false,
  },
  {
    ...heap,
    id: 'heap-calls',
    title: 'Heap: calls, 100 at a time',
    operation: 'call',
    program: 'calls',
    parameters: { window: '100' },
  },
  {
    ...heap,
    id: 'heap-signals',
    title: 'Heap: receiving PropertiesChanged',
    operation: 'signal',
    program: 'signals',
    parameters: {},
  },
  {
    ...heap,
    id: 'heap-unmatched',
    title: 'Heap: receiving signals that nothing listens to',
    operation: 'signal',
    program: 'unmatched',
    parameters: {},
  },
  {
    id: 'timer',
    daemon: 'dbus-daemon',
    title: 'A timer of 10 ms while a million signals arrive',
    operation: 'signal',
    arrangement: 'client',
    program: 'signals',
    parameters: { timer: '10' },
    operations: 1_000_000,
    warmUp: 50_000,
    roundsMaximum: 1,
    quick: false,
    columns: ['timerP99', 'timerMedian', 'timerWorst', 'grown', 'cpu'],
    takesPart: inJavaScript,
  },
];
