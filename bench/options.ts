/** The command line of the benchmark. */
import { parseArgs } from 'node:util';
import type { Daemon } from '../test/helpers/private-bus.js';
import { peers } from './peers.js';
import { workloads } from './workloads/index.js';

export interface Options {
  /** Fewer peers, rounds and operations: for a first look, in under three minutes. */
  readonly quick: boolean;
  /** Ids of the workloads to run. */
  readonly workloads: readonly string[];
  /** Whether to measure the codecs as well. */
  readonly codecs: boolean;
  /** Ids of the peers to run. */
  readonly peers: readonly string[];
  readonly daemons: readonly Daemon[];
  readonly rounds: number;
  /** Whether to write the report; only a whole run does by itself. */
  readonly report: boolean;
  /** Whether to put what is measured into the report of the last run, in place of what it had measured of that. */
  readonly update: boolean;
  /** Only write the report anew. */
  readonly render: boolean;
}

/** Chosen like a workload, and a benchmark of its own. */
const CODECS = { id: 'codecs', title: 'Values into bytes and back, without a bus', quick: false };

export const usage = `npm run bench -- [options]

  --quick           the peers and workloads that matter most, in under three minutes
  --only IDS        workloads, or how their ids begin
  --peers IDS       peers, or how their ids begin
  --daemon NAMES    dbus-daemon, dbus-broker (both, unless --quick)
  --rounds N        rounds of each workload, of which the median counts (5; 1 with --quick)
  --report          write docs/benchmarks/ although this is not a whole run
  --update          put what is measured into the report of the last run
  --render          only write it anew, from what the last run found

Workloads:
${[...workloads, CODECS].map(({ id, title }) => `  ${id.padEnd(28)}${title}\n`).join('')}
Peers:
${peers.map(({ id, title }) => `  ${id.padEnd(28)}${title}\n`).join('')}`;

/** What to do, or the text to show instead. */
export function readOptions(args: readonly string[]): Options | string {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      peers: { type: 'string' },
      daemon: { type: 'string' },
      rounds: { type: 'string' },
      report: { type: 'boolean', default: false },
      update: { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return usage;
  const { quick } = values;
  const partial = quick || values.only !== undefined || values.peers !== undefined || values.daemon !== undefined;
  const rounds = Number(values.rounds ?? (quick ? 1 : 5));
  if (!(rounds >= 1)) throw new Error('--rounds takes a number');
  const report = values.report || !partial;
  const named = chosen('workload', values.only, [...workloads, CODECS], quick);
  return {
    quick,
    workloads: named.filter((id) => id !== CODECS.id),
    codecs: values.only === undefined ? report : named.includes(CODECS.id),
    peers: chosen('peer', values.peers, peers, quick),
    daemons: daemonsOf(values.daemon, quick),
    rounds,
    report,
    update: values.update,
    render: values.render,
  };
}

/** The ids that a person named; without any, all of them, or those that are quick. */
function chosen(
  what: string,
  list: string | undefined,
  known: readonly { readonly id: string; readonly quick: boolean }[],
  quick: boolean,
): readonly string[] {
  if (list === undefined) return known.filter((entry) => entry.quick || !quick).map(({ id }) => id);
  const ids = known.map(({ id }) => id);
  const matching = list.split(',').flatMap((wanted) => {
    // A prefix will do: `calls` for all workloads of calls, `busbar` for all its transports.
    const found = ids.includes(wanted) ? [wanted] : ids.filter((id) => id.startsWith(wanted));
    if (found.length === 0) throw new Error(`there is no ${what} ${wanted}: --help lists them`);
    return found;
  });
  return [...new Set(matching)];
}

function daemonsOf(list: string | undefined, quick: boolean): readonly Daemon[] {
  const known: readonly Daemon[] = ['dbus-daemon', 'dbus-broker'];
  if (list === undefined) return quick ? ['dbus-daemon'] : known;
  return list.split(',').map((name) => {
    const daemon = known.find((one) => one === name);
    if (daemon === undefined) throw new Error(`there is no daemon ${name}; there are ${known.join(', ')}`);
    return daemon;
  });
}
