/**
 * All workloads, in the order of the report: which program of a peer runs, with which other program, how often, and which
 * quantities are reported.
 */
import type { Daemon } from '../test/helpers/private-bus.js';
import { bulkWorkloads } from './bulk.js';
import { liveWorkloads } from './live.js';
import { newer, type Peer, reference, rival } from './peers.js';
import type { Quantity, Target } from './values.js';

/** How a workload is run: `measure.ts` has a function for each. */
export type Arrangement =
  /** The peer is the client of the sd-bus service. */
  | 'client'
  /** The peer is the service of the sd-bus client, and the result is the service's CPU time. */
  | 'service'
  /** The peer is at both ends, without a bus. */
  | 'peer-to-peer'
  /** The peer is started, makes one call and ends; repeatedly. */
  | 'cold'
  /** The peer is the client of the sd-bus service, and strace counts its system calls. */
  | 'system-calls';

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** The meaning of one operation. */
  readonly operation: string;
  readonly arrangement: Arrangement;
  /** The workload's name in the peers' programs. */
  readonly program: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Parameters of the driver, where the peer is a service. */
  readonly driverParameters?: Readonly<Record<string, string>>;
  /** Options of Node.js itself. */
  readonly nodeFlags?: readonly string[];
  /** Operations in a round. */
  readonly operations: number;
  /** Operations before the round, of programs in JavaScript; three times as many as in it, if left out. */
  readonly warmUp?: number;
  /** The largest number of rounds, if one takes long or the values vary little. */
  readonly roundsMaximum?: number;
  /** Part of a quick run. */
  readonly quick?: boolean;
  /** Measured on this daemon only, if it takes part: the result does not depend on it. */
  readonly daemon?: Daemon;
  /**
   * The processors of the programs: the measured one alone on one and the bus and its service on another, or all on one.
   * By default the kernel decides.
   */
  readonly processors?: 'two' | 'one';
  /** How many other processes keep the processors busy. */
  readonly busy?: number;
  /** The reported quantities; peers are compared by the first. */
  readonly columns: readonly Quantity[];
  readonly takesPart: (peer: Pick<Peer, 'id' | 'language'>) => boolean;
  /** The targets of busbar. */
  readonly targets?: readonly Target[];
  /** For measurements at several sizes: the series, and the size. */
  readonly growth?: { readonly series: string; readonly title: string; readonly size: number };
}

const everyPeer = (): boolean => true;
const inJavaScript: Workload['takesPart'] = ({ language }) => language === 'JavaScript';
/** busbar on every transport and runtime. */
const ours: Workload['takesPart'] = ({ id }) => id.startsWith('busbar');

const toC = (most: number, quantity: Quantity = 'cpu'): Target => ({ quantity, to: reference, most });
const toRival = (most: number): Target => ({ quantity: 'cpu', to: rival, most });

const client = {
  ...{ operation: 'call', arrangement: 'client', parameters: {}, takesPart: everyPeer, operations: 30_000 },
  columns: ['cpu', 'wall'],
} as const satisfies Partial<Workload>;
const signals = { ...client, operation: 'signal' } as const;

/** A service with objects of 20 properties, whose values the library itself reads and sends. */
const wide = {
  ...{ ...client, arrangement: 'service', program: 'service', parameters: { managed: '500' } },
  takesPart: ({ id, language }: Pick<Peer, 'id' | 'language'>) => language === 'C' || ours({ id, language }),
  targets: [toC(0.8)],
} as const satisfies Partial<Workload>;

/** Sequential calls on processors that are chosen: where the kernel places them decides about a third of their time. */
const alone = {
  ...{ operations: 10_000, daemon: 'dbus-daemon' },
  takesPart: (peer) => peer.language === 'C' || ours(peer) || peer.id === rival,
} as const satisfies Partial<Workload>;

const calls = (window: number, more: Pick<Workload, 'title'> & Partial<Workload>): Workload => ({
  ...{ ...client, id: `calls-${window}`, program: 'calls', parameters: { window: `${window}` } },
  ...{ targets: [toC(0.6), toRival(0.25)], ...more },
});

/** The cost of a message: calls, signals, large replies, services, and a process that makes a single call. */
export const messages: readonly Workload[] = [
  calls(100, { title: 'Calls, 100 at a time', quick: true }),
  calls(1000, { title: 'Calls, 1000 at a time' }),
  calls(50_000, { title: 'Calls, 50 000 at a time', operations: 100_000, warmUp: 50_000, roundsMaximum: 3 }),
  calls(1, {
    ...{ title: 'Calls, one after the other', operations: 10_000, quick: true },
    targets: [toC(1.1, 'wall'), toC(1)],
  }),
  calls(1, {
    ...{ ...alone, id: 'calls-1-two', title: 'Calls, one after the other, the client alone on a processor' },
    ...{ processors: 'two', targets: [toC(1.35), toC(1.05, 'wall')] },
  }),
  calls(1, {
    ...{ ...alone, id: 'calls-1-one', title: 'Calls, one after the other, everything on one processor' },
    ...{ processors: 'one', targets: [toC(1.6)] },
  }),
  calls(100, {
    ...{ ...alone, id: 'calls-busy', title: 'Calls, 100 at a time, beside two processes that are busy' },
    ...{ operations: 30_000, busy: 2, targets: [toC(0.65)] },
  }),
  {
    ...{ ...signals, id: 'signals', title: 'Receiving PropertiesChanged', program: 'signals', quick: true },
    targets: [toC(0.6), toRival(0.35)],
  },
  {
    ...{ ...signals, id: 'backlog', title: 'Receiving PropertiesChanged that have queued up', program: 'signals' },
    // The time of the service and the bus for this many.
    parameters: { pause: '500' },
  },
  {
    ...{ ...signals, id: 'unmatched', title: 'Receiving signals that nothing listens to', program: 'unmatched' },
    quick: true,
  },
  {
    ...{ ...client, id: 'objects', title: 'GetManagedObjects of 500 devices', program: 'objects', operations: 40 },
    ...{ quick: true, targets: [toC(0.5), toRival(0.33)] },
  },
  { ...signals, id: 'emit', title: 'Emitting signals', program: 'emit', quick: true, targets: [toC(0.5)] },
  { ...signals, id: 'announce', title: 'Emitting PropertiesChanged by hand', program: 'announce', takesPart: ours },
  {
    ...{ ...client, id: 'assign', title: 'Assigning a property, which emits PropertiesChanged', program: 'assign' },
    ...{ operation: 'assignment', takesPart: ours, targets: [{ quantity: 'cpu', workload: 'announce', most: 1.5 }] },
  },
  {
    ...{ ...client, id: 'service', title: 'Answering calls', arrangement: 'service', program: 'service' },
    ...{ driverParameters: { window: '100' }, quick: true, targets: [toC(0.7)] },
  },
  {
    ...{ ...wide, id: 'get-all', title: 'Answering GetAll of 20 properties', operations: 20_000 },
    driverParameters: { call: 'GetAll', window: '100' },
  },
  {
    ...{ ...wide, id: 'managed-objects', title: 'Answering GetManagedObjects of 500 objects with 20 properties' },
    ...{ driverParameters: { call: 'GetManagedObjects', window: '1' }, operations: 100 },
  },
  {
    ...{ ...client, id: 'peer-to-peer', title: 'Calls without a bus, 100 at a time, the library at both ends' },
    ...{ arrangement: 'peer-to-peer', daemon: 'dbus-daemon', program: 'calls' },
    ...{ parameters: { window: '100', peer: '1' }, columns: ['wall', 'cpu'] },
    takesPart: (peer) => peer.language === 'C' || ours(peer),
    // 1.3 times the throughput of C.
    targets: [toC(0.77, 'wall')],
  },
  {
    ...{ ...client, id: 'cold', title: 'A cold process: import, connect, first reply', operation: 'process' },
    ...{ arrangement: 'cold', program: 'cold', operations: 5, columns: ['wall', 'cpu'], quick: true },
    targets: [{ quantity: 'wall', subject: newer, to: rival, most: 1.1 }],
  },
];

const systemCalls = {
  ...{ arrangement: 'system-calls', daemon: 'dbus-daemon', operations: 40_000, roundsMaximum: 1, parameters: {} },
  ...{ columns: ['systemCalls', 'receives', 'sends'], takesPart: everyPeer },
} as const satisfies Partial<Workload>;

const heap = {
  ...{ arrangement: 'client', daemon: 'dbus-daemon', operations: 10_000, roundsMaximum: 3, parameters: {} },
  ...{ columns: ['allocated', 'retained'], takesPart: inJavaScript },
  nodeFlags: ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'],
} as const satisfies Partial<Workload>;

/** Further costs of messages: system calls, memory, and timers that fire late. */
const behaviour: readonly Workload[] = [
  {
    ...{ ...systemCalls, id: 'system-calls-calls', title: 'System calls: calls, 1000 at a time', operation: 'call' },
    ...{ program: 'calls', parameters: { window: '1000' }, targets: [{ quantity: 'systemCalls', most: 0.2 }] },
  },
  {
    ...{ ...systemCalls, id: 'system-calls-signals', title: 'System calls: receiving signals', operation: 'signal' },
    ...{ program: 'signals', targets: [{ quantity: 'systemCalls', most: 0.1 }] },
  },
  {
    ...{ ...systemCalls, id: 'system-calls-emit', title: 'System calls: emitting signals', operation: 'signal' },
    ...{ program: 'emit', targets: [{ quantity: 'systemCalls', most: 0.1 }] },
  },
  {
    ...{ ...heap, id: 'heap-calls', title: 'Heap: calls, 100 at a time', operation: 'call', program: 'calls' },
    ...{ parameters: { window: '100' }, targets: [{ quantity: 'allocated', most: 400 }] },
  },
  {
    ...{ ...heap, id: 'heap-signals', title: 'Heap: receiving PropertiesChanged', operation: 'signal' },
    program: 'signals',
  },
  {
    ...{ ...heap, id: 'heap-unmatched', title: 'Heap: receiving signals that nothing listens to' },
    ...{ operation: 'signal', program: 'unmatched' },
    // The notes of the compilers about the code are also on the heap, and are not part of the messages’ cost.
    targets: [
      { quantity: 'allocated', most: 8 },
      { quantity: 'retained', most: 8 },
    ],
  },
  {
    ...{ id: 'timer', title: 'A timer of 10 ms while a million signals arrive', operation: 'signal' },
    ...{ daemon: 'dbus-daemon', arrangement: 'client', program: 'signals', parameters: { timer: '10' } },
    ...{ operations: 1_000_000, warmUp: 50_000, roundsMaximum: 1, takesPart: inJavaScript },
    columns: ['timerP99', 'timerMedian', 'timerWorst', 'grown', 'cpu'],
    targets: [
      { quantity: 'timerP99', most: 2 },
      { quantity: 'grown', most: 8 * 2 ** 20 },
    ],
  },
];

/** Whether the cost of a message depends on the number of objects, subscriptions and proxies in a program. */
interface Series extends Pick<Workload, 'id' | 'title' | 'operation' | 'arrangement' | 'program' | 'operations'> {
  readonly sizes: readonly number[];
  readonly parameters: (size: number) => Readonly<Record<string, string>>;
  readonly driverParameters?: (size: number) => Readonly<Record<string, string>>;
}

const answering = { operation: 'call', arrangement: 'service', program: 'service' } as const;
const calling = { operation: 'call', arrangement: 'client', program: 'calls', operations: 30_000 } as const;

const series: readonly Series[] = [
  {
    ...{ ...answering, id: 'exports', title: 'Answering calls, by exported objects; 100 of them are called' },
    ...{ operations: 30_000, sizes: [10, 1_000, 100_000], parameters: (size) => ({ objects: `${size}` }) },
    driverParameters: (size) => ({ window: '100', paths: `${Math.min(size, 100)}` }),
  },
  {
    ...{ ...answering, id: 'exports-all', title: 'Answering calls, by exported objects; all of them are called' },
    ...{ operations: 100_000, sizes: [10, 1_000, 100_000], parameters: (size) => ({ objects: `${size}` }) },
    driverParameters: (size) => ({ window: '100', paths: `${size}` }),
  },
  {
    ...{ id: 'subscriptions', title: 'Receiving PropertiesChanged, by subscriptions to other paths' },
    ...{ operation: 'signal', arrangement: 'client', program: 'signals', operations: 20_000 },
    ...{ sizes: [10, 1_000, 10_000], parameters: (size) => ({ subscriptions: `${size}` }) },
  },
  {
    ...{ ...calling, id: 'pending', title: 'Calls, 100 at a time, by calls that wait all the while' },
    ...{ sizes: [1, 1_000, 50_000], parameters: (size) => ({ window: '100', pending: `${size}` }) },
  },
  {
    ...{ ...calling, id: 'proxies', title: 'Calls, 100 at a time, by proxies that take turns' },
    ...{ sizes: [10, 1_000, 10_000], parameters: (size) => ({ window: '100', proxies: `${size}` }) },
  },
  {
    ...{ ...calling, id: 'names', title: 'Calls, 100 at a time, by well-known names that take turns' },
    ...{ sizes: [100, 400], parameters: (size) => ({ window: '100', names: `${size}` }) },
  },
];

const growth: readonly Workload[] = series.flatMap(
  ({ id, title, sizes, parameters, driverParameters = () => ({}), ...rest }) =>
    sizes.map((size) => ({
      ...{ ...rest, id: `growth-${id}-${size}`, title: `${title}: ${size}` },
      ...{ parameters: parameters(size), driverParameters: driverParameters(size), roundsMaximum: 5 },
      // dbus-daemon itself becomes slower with more rules and pending calls, and then each message costs a wake-up.
      ...{ daemon: 'dbus-broker' as const, columns: ['cpu', 'wall'] as const, takesPart: ours },
      growth: { series: `growth-${id}`, title, size },
    })),
);

export const workloads: readonly Workload[] = [
  ...messages,
  ...behaviour,
  ...bulkWorkloads,
  ...liveWorkloads,
  ...growth,
];
