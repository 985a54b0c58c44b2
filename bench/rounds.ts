/**
 * Rounds: within one, every peer has its turn, so that whatever else the machine does meets all of them. Each round
 * begins with another peer, because the first one finds the machine cooler than the last.
 */
import { type Daemon, PrivateBus } from '../test/helpers/private-bus.js';
import { FOREVER, Program } from '../test/helpers/program.js';
import { measure, type Surroundings } from './measure.js';
import type { PreparedPeer } from './peers.js';
import { type Cell, mediansOf, type Values, type WorkloadResults } from './values.js';
import type { Workload } from './workloads.js';

/** Many calls at once, many rules and long queues are what is measured: no limit of the bus may stop it. */
const limits = { max_replies_per_connection: 200_000, max_match_rules_per_connection: 200_000 };

/**
 * Runs a workload on a bus of its own.
 *
 * @param driver whose service all clients are measured against, and whose client drives services
 */
export async function runWorkload(
  daemon: Daemon,
  workload: Workload,
  peers: readonly PreparedPeer[],
  driver: PreparedPeer,
  rounds: number,
): Promise<WorkloadResults> {
  await using bus = await PrivateBus.start({ daemon, ...(daemon === 'dbus-daemon' ? { limits } : {}) });
  const surroundings = { address: bus.address, driver };
  const runners = peers.filter(workload.takesPart).map((peer) => new Runner(peer));
  await using _service = await startService(surroundings);
  for (let round = 0; round < Math.min(rounds, workload.roundsMaximum ?? rounds); round++) {
    for (const runner of rotated(runners, round)) {
      progress(`${workload.title}: round ${round + 1}, ${runner.peer.title}`);
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
    return this.#failure === undefined ? { values: mediansOf(this.#runs) } : { failure: this.#failure };
  }
}

/** The service that all clients are measured against. It lives as long as the workload, however long that takes. */
async function startService({ address, driver }: Surroundings): Promise<Program> {
  const [command, ...args] = driver.command('service');
  const service = Program.start(command, [...args, address, 'service'], { timeLimit: FOREVER });
  await service.line('ready');
  return service;
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const start = by % Math.max(list.length, 1);
  return [...list.slice(start), ...list.slice(0, start)];
}

/** One line that is overwritten; where no terminal shows it, nothing. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}
