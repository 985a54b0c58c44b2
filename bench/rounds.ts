/**
 * Rounds: within one, every peer has its turn, so that whatever else the machine does meets all of them. Each round
 * begins with another peer, because the first one finds the machine cooler than the last.
 */
import { type Daemon, PrivateBus } from '../test/helpers/private-bus.js';
import { Program } from '../test/helpers/program.js';
import { measure, type Surroundings } from './measure/measure.js';
import type { Options } from './options.js';
import type { PreparedPeer } from './peers.js';
import { type Cell, mediansOf, type Values } from './quantities.js';
import type { WorkloadResults } from './results.js';
import { type Workload, workloads } from './workloads/index.js';

/** Many calls at once, many rules and long queues are what is measured: no limit of the bus may stop it. */
const limits = { max_replies_per_connection: 200_000, max_match_rules_per_connection: 200_000 };

/**
 * Runs the chosen workloads, each on a bus of its own, and shows each when it is done.
 *
 * @param driver whose service all clients are measured against, and whose client drives services
 */
export async function runWorkloads(
  daemon: Daemon,
  driver: PreparedPeer,
  peers: readonly PreparedPeer[],
  options: Options,
  show: (results: WorkloadResults) => void,
): Promise<readonly WorkloadResults[]> {
  const done: WorkloadResults[] = [];
  for (const workload of workloadsFor(daemon, options)) {
    await using bus = await PrivateBus.start({ daemon, ...(daemon === 'dbus-daemon' ? { limits } : {}) });
    const rounds = Math.min(options.rounds, workload.roundsMaximum ?? Infinity);
    const results = await runWorkload(workload, peers, { address: bus.address, driver }, rounds);
    show(results);
    done.push(results);
  }
  return done;
}

/** The chosen workloads that run on this daemon: each of those that are bound to one runs on one. */
function workloadsFor(daemon: Daemon, { workloads: chosen, daemons }: Options): readonly Workload[] {
  return workloads.filter(({ id, daemon: bound }) => {
    if (!chosen.includes(id)) return false;
    return bound === undefined || daemon === (daemons.includes(bound) ? bound : daemons[0]);
  });
}

async function runWorkload(
  workload: Workload,
  peers: readonly PreparedPeer[],
  surroundings: Surroundings,
  rounds: number,
): Promise<WorkloadResults> {
  const runners = peers.filter(workload.takesPart).map((peer) => new Runner(peer));
  await using _service = await startService(surroundings);
  for (let round = 0; round < rounds; round++) {
    for (const runner of rotated(runners, round)) {
      progress(`${workload.title}: round ${round + 1} of ${rounds}, ${runner.peer.title}`);
      await runner.run(workload, surroundings);
    }
  }
  progress('');
  return { workload, cells: Object.fromEntries(runners.map((runner) => [runner.peer.id, runner.cell])) };
}

/** A peer through the rounds of a workload; one failure ends its part in it. */
class Runner {
  readonly peer: PreparedPeer;
  readonly #runs: Values[] = [];
  #failure: string | undefined;

  constructor(peer: PreparedPeer) {
    this.peer = peer;
  }

  async run(workload: Workload, surroundings: Surroundings): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      this.#runs.push(await measure(this.peer, workload, surroundings));
    } catch (error) {
      this.#failure = (error as Error).message.split('\n', 1)[0];
    }
  }

  get cell(): Cell {
    if (this.#failure !== undefined) return { failure: this.#failure };
    return { values: mediansOf(this.#runs), rounds: this.#runs.length };
  }
}

/** The service that all clients are measured against. It lives as long as the workload, however long that takes. */
async function startService({ address, driver }: Surroundings): Promise<Program> {
  const [command, ...args] = driver.command('service');
  const service = Program.start(command, [...args, address, 'service'], { timeLimit: 2 ** 31 - 1 });
  await service.line('ready');
  return service;
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const start = by % Math.max(list.length, 1);
  return [...list.slice(start), ...list.slice(0, start)];
}

/** One line that is overwritten; where nobody watches, nothing. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}
