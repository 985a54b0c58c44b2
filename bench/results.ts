/** Everything that a run of the benchmark found, as its report is made from it. */
import type { Daemon } from '../test/helpers/private-bus.js';
import type { CodecResults } from './codec/results.js';
import type { Machine } from './machine.js';
import type { Language } from './peers.js';
import { type Cell, type Quantity, quantityOf } from './quantities.js';
import type { Workload } from './workloads/index.js';

export interface Results {
  readonly machine: Machine;
  readonly rounds: number;
  readonly peers: readonly MeasuredPeer[];
  readonly absent: readonly AbsentPeer[];
  readonly daemons: readonly DaemonResults[];
  /** Where the codecs were measured as well. */
  readonly codecs?: CodecResults;
}

export interface MeasuredPeer {
  readonly id: string;
  readonly title: string;
  readonly language: Language;
  /** The version of the library, and of what runs it. */
  readonly version: string;
}

/** A peer, or a daemon, that did not take part. */
export interface AbsentPeer {
  readonly title: string;
  readonly reason: string;
}

export interface DaemonResults {
  readonly daemon: Daemon;
  readonly version: string;
  readonly workloads: readonly WorkloadResults[];
}

export interface WorkloadResults {
  readonly workload: Workload;
  /** By the ids of peers. */
  readonly cells: Readonly<Record<string, Cell>>;
}

/** The results with those of a later run in place of what it measured again. */
export function updatedBy(
  results: Results,
  later: readonly DaemonResults[],
  codecs: CodecResults | undefined = results.codecs,
): Results {
  const daemons = results.daemons.map((daemon) => {
    const again = later.find((found) => found.daemon === daemon.daemon)?.workloads ?? [];
    const workloads = daemon.workloads.map(({ workload, cells }) => {
      const found = again.find((results) => results.workload.id === workload.id);
      return { workload, cells: { ...cells, ...found?.cells } };
    });
    return { ...daemon, workloads };
  });
  return codecs === undefined ? { ...results, daemons } : { ...results, daemons, codecs };
}

/** The results of a workload on the first daemon that has any. */
function resultsOf(results: Results, workload: string): WorkloadResults | undefined {
  return results.daemons.flatMap((daemon) => daemon.workloads).find((found) => found.workload.id === workload);
}

/** One value of a peer in a workload, on the first daemon that has it. */
export function lookUp(results: Results, workload: string, peer: string, quantity: Quantity): number | undefined {
  return quantityOf(resultsOf(results, workload)?.cells[peer], quantity);
}
