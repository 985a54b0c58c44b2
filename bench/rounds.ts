/**
 * Rounds: within one, every peer has its turn, so that whatever else the machine does meets all of them. Each round
 * begins with another peer, because the first one finds the machine cooler than the last.
 */
import { type Daemon, PrivateBus } from '../test/helpers/private-bus.js';
import { Program } from '../test/helpers/program.js';
import type { Field } from './main.js';
import { measure } from './measure.js';
import type { Options } from './options.js';
import { type PreparedPeer, reference } from './peers.js';
import { type Cell, outcomeOf, type Sample } from './samples.js';
import { type Workload, workloads } from './workloads.js';

/** Cells by the ids of peers. */
export interface WorkloadResults {
  readonly workload: Workload;
  readonly cells: ReadonlyMap<string, Cell>;
}

export interface DaemonResults {
  readonly daemon: Daemon;
  readonly workloads: readonly WorkloadResults[];
}

/** Many calls at once, many rules and long queues are what is measured: no limit of the bus may stop it. */
const limits = { max_replies_per_connection: 200_000, max_match_rules_per_connection: 200_000 };

/** Runs the chosen workloads on a bus of their own, and shows each when it is done. */
export async function runWorkloads(
  daemon: Daemon,
  { prepared }: Field,
  options: Options,
  show: (daemon: Daemon, results: WorkloadResults, peers: readonly PreparedPeer[]) => void,
): Promise<DaemonResults> {
  const driver = prepared.find(({ id }) => id === reference);
  if (driver === undefined) throw new Error('without the sd-bus client and service nothing can be measured');
  const done: WorkloadResults[] = [];
  for (const workload of workloads.filter(({ id }) => options.workloads.includes(id))) {
    await using bus = await PrivateBus.start({ daemon, ...(daemon === 'dbus-daemon' ? { limits } : {}) });
    const results = await runWorkload(workload, bus.address, driver, prepared, options.rounds);
    show(daemon, results, prepared);
    done.push(results);
  }
  return { daemon, workloads: done };
}

async function runWorkload(
  workload: Workload,
  address: string,
  driver: PreparedPeer,
  peers: readonly PreparedPeer[],
  rounds: number,
): Promise<WorkloadResults> {
  const [command, ...args] = driver.command('service');
  await using service = Program.start(command, [...args, address, 'service'], { timeLimit: 3_600_000 });
  await service.line('ready');
  const samples = new Map(peers.map(({ id }) => [id, [] as Sample[]]));
  const failures = new Map<string, string>();
  for (let round = 0; round < rounds; round++) {
    for (const peer of rotated(peers, round)) {
      if (failures.has(peer.id)) continue;
      progress(`${workload.title}: round ${round + 1} of ${rounds}, ${peer.title}`);
      try {
        samples.get(peer.id)?.push(await measure(peer, workload, { address, driver }));
      } catch (error) {
        failures.set(peer.id, (error as Error).message);
      }
    }
  }
  progress('');
  return { workload, cells: new Map(peers.map(({ id }) => [id, cell(samples.get(id) ?? [], failures.get(id))])) };
}

function cell(samples: readonly Sample[], failure: string | undefined): Cell {
  return failure === undefined ? outcomeOf(samples) : { failure };
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

/** One line that is overwritten; where nobody watches, nothing. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}
