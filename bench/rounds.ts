/**
 * Rounds: within one, every peer has its turn, so that other work of the machine affects all of them. Each round begins
 * with another peer, because the processor is cooler for the first one than for the last.
 */
import { type Daemon, PrivateBus } from '../test/helpers/private-bus.js';
import { FOREVER, Program } from '../test/helpers/program.js';
import { measure, type Surroundings } from './measure.js';
import type { PreparedPeer } from './peers.js';
import { place, startBusy } from './placement.js';
import { type Cell, mediansOf, type Values, type WorkloadResults } from './values.js';
import type { Workload } from './workloads.js';

/** The workloads have many calls at once, many rules and long queues: no limit of the bus may stop them. */
const limits = { max_replies_per_connection: 200_000, max_match_rules_per_connection: 200_000 };

/**
 * Runs a workload on a separate bus.
 *
 * @param driver the peer whose service all clients call, and whose client drives services
 */
export async function runWorkload(
  daemon: Daemon,
  workload: Workload,
  peers: readonly PreparedPeer[],
  driver: PreparedPeer,
  rounds: number,
): Promise<WorkloadResults> {
  await using bus = await PrivateBus.start({ daemon, ...(daemon === 'dbus-daemon' ? { limits } : {}) });
  place(bus.pid, workload);
  const surroundings = { address: bus.address, driver };
  const taking = peers.filter(
    (peer) => workload.takesPart(peer) && (peer.programs?.includes(workload.program) ?? true),
  );
  const runners = taking.map((peer) => new Runner(peer));
  await using _service = await startService(surroundings, workload);
  await using _busy = startBusy(workload);
  for (let round = 0; round < Math.min(rounds, workload.roundsMaximum ?? rounds); round++) {
    for (const runner of rotated(runners, round)) {
      progress(`${workload.title}: round ${round + 1}, ${runner.peer.title}`);
      await runner.run(workload, surroundings);
    }
  }
  progress('');
  return { workload, cells: Object.fromEntries(runners.map((runner) => [runner.peer.id, runner.cell])) };
}

/** A peer in the rounds of a workload; after one failure it takes no further part. */
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

/** The service that all clients call. It lives as long as the workload, however long that takes. */
async function startService({ address, driver }: Surroundings, workload: Workload): Promise<Program> {
  const { parameters } = workload;
  const [command, ...args] = driver.command('service');
  const its = ['names', 'devices', 'emits'].filter((name) => parameters[name] !== undefined);
  const given = its.map((name) => `${name}=${parameters[name]}`);
  const service = Program.start(command, [...args, address, 'service', ...given], { timeLimit: FOREVER });
  await service.line('ready');
  place(service.pid, workload);
  return service;
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const start = by % Math.max(list.length, 1);
  return [...list.slice(start), ...list.slice(0, start)];
}

/** One line that is overwritten; nothing if there is no terminal. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}
