/**
 * What is measured. A workload says which program of a peer runs, against what, and how often; the loops themselves
 * are in bench/peers/harness/client.mjs and, for other languages, in the peers' own programs.
 */

/** How a workload is run: see `measure.ts`, which has a function for each. */
export type Arrangement =
  /** The peer is the client of the sd-bus service. */
  | 'client'
  /** The peer is the service of the sd-bus client, and what counts is the service's CPU time. */
  | 'service'
  /** The peer is started, makes one call and ends; again and again. */
  | 'cold';

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** What one operation is. */
  readonly operation: string;
  readonly arrangement: Arrangement;
  /** The workload's name in the peers' programs. */
  readonly program: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Operations in a round, after a quarter as many to warm up. */
  readonly operations: number;
  /** Part of a quick run. */
  readonly quick: boolean;
}

export const workloads: readonly Workload[] = [
  {
    id: 'calls-100',
    title: 'Calls, 100 at a time',
    operation: 'call',
    arrangement: 'client',
    program: 'calls',
    parameters: { window: '100' },
    operations: 20_000,
    quick: true,
  },
  {
    id: 'calls-1000',
    title: 'Calls, 1000 at a time',
    operation: 'call',
    arrangement: 'client',
    program: 'calls',
    parameters: { window: '1000' },
    operations: 20_000,
    quick: false,
  },
  {
    id: 'calls-1',
    title: 'Calls, one after the other',
    operation: 'call',
    arrangement: 'client',
    program: 'calls',
    parameters: { window: '1' },
    operations: 4_000,
    quick: true,
  },
  {
    id: 'signals',
    title: 'Receiving PropertiesChanged',
    operation: 'signal',
    arrangement: 'client',
    program: 'signals',
    parameters: {},
    operations: 20_000,
    quick: true,
  },
  {
    id: 'unmatched',
    title: 'Receiving signals that nothing listens to',
    operation: 'signal',
    arrangement: 'client',
    program: 'unmatched',
    parameters: {},
    operations: 20_000,
    quick: true,
  },
  {
    id: 'objects',
    title: 'GetManagedObjects of 500 devices',
    operation: 'call',
    arrangement: 'client',
    program: 'objects',
    parameters: {},
    operations: 40,
    quick: true,
  },
  {
    id: 'emit',
    title: 'Emitting signals',
    operation: 'signal',
    arrangement: 'client',
    program: 'emit',
    parameters: {},
    operations: 20_000,
    quick: true,
  },
  {
    id: 'service',
    title: 'Answering calls',
    operation: 'call',
    arrangement: 'service',
    program: 'service',
    parameters: { window: '100' },
    operations: 20_000,
    quick: true,
  },
  {
    id: 'cold',
    title: 'A cold process: import, connect, first reply',
    operation: 'process',
    arrangement: 'cold',
    program: 'cold',
    parameters: {},
    operations: 1,
    quick: true,
  },
];
