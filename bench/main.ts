/** The benchmark from its options to its report. */
import { PrivateBus } from '../test/helpers/private-bus.js';
import { type Options, readOptions } from './options.js';
import { type PreparedPeer, peers, reference } from './peers.js';
import { Unavailable } from './prepare/unavailable.js';
import { printWorkload } from './report/console.js';
import { type DaemonResults, runWorkloads } from './rounds.js';

/** Runs the benchmark; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === 'string') {
    console.log(options);
    return 0;
  }
  const field = await prepare(options);
  const results: DaemonResults[] = [];
  for (const daemon of options.daemons) {
    const missing = PrivateBus.missing({ daemon });
    if (missing !== undefined) console.log(`\n${daemon} is left out: ${missing}`);
    else
      results.push(
        await runWorkloads(daemon, field.prepared, options, (one) => printWorkload(daemon, one, field.prepared)),
      );
  }
  return 0;
}

/** The peers that take part, and the reasons of those that do not. */
export interface Field {
  readonly prepared: readonly PreparedPeer[];
  /** Reasons by the peers' titles. */
  readonly absent: ReadonlyMap<string, string>;
}

async function prepare(options: Options): Promise<Field> {
  const prepared: PreparedPeer[] = [];
  const absent = new Map<string, string>();
  // Without the reference there is nothing to compare with.
  for (const peer of peers.filter(({ id }) => id === reference || options.peers.includes(id))) {
    try {
      prepared.push(await peer.prepare());
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      absent.set(peer.title, error.message);
      console.log(`${peer.title} is left out: ${error.message}`);
    }
  }
  return { prepared, absent };
}
