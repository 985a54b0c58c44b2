/** The benchmark from its options to its report. */
import { PrivateBus } from '../test/helpers/private-bus.js';
import { measureCodecs } from './codec/main.js';
import type { CodecResults } from './codec/results.js';
import { daemonVersion, describeMachine } from './machine.js';
import { type Options, readOptions, usage } from './options.js';
import { type PreparedPeer, peers, reference } from './peers.js';
import { wishForStrace } from './prepare/strace.js';
import { Unavailable } from './prepare/unavailable.js';
import { printWorkload } from './report/console.js';
import { writeReport } from './report/write.js';
import { type AbsentPeer, type DaemonResults, type Results, updatedBy } from './results.js';
import { runWorkloads } from './rounds.js';
import { savedResults, saveResults } from './saved-results.js';

/** Runs the benchmark; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const options = optionsOf(args);
  if (typeof options === 'string') {
    console.log(options);
    return options === usage ? 0 : 2;
  }
  if (options.render) return render();
  const { prepared, absent } = await prepare(options);
  const driver = prepared.find(({ id }) => id === reference);
  if (driver === undefined) {
    console.log('Without the programs over sd-bus in C nothing can be measured.');
    return 1;
  }
  const daemons: DaemonResults[] = [];
  for (const daemon of options.daemons) {
    const missing = PrivateBus.missing({ daemon });
    if (missing !== undefined) {
      absent.push(leftOut(daemon, missing));
      continue;
    }
    const workloads = await runWorkloads(daemon, driver, prepared, options, (results) =>
      printWorkload(daemon, results, prepared),
    );
    daemons.push({ daemon, version: await daemonVersion(daemon), workloads });
  }
  if (options.codecs) console.log('\nThe codecs');
  const codecs = options.codecs ? await measureCodecs(Math.min(options.rounds, 5)) : undefined;
  if (options.update) return update(daemons, codecs);
  if (options.report) {
    const measured = prepared.map(({ id, title, language, version }) => ({ id, title, language, version }));
    const results = { machine: describeMachine(), rounds: options.rounds, peers: measured, absent, daemons };
    tell(codecs === undefined ? results : { ...results, codecs });
  }
  return 0;
}

/** What to do, or what to tell the person instead. */
function optionsOf(args: readonly string[]): Options | string {
  try {
    return readOptions(args);
  } catch (error) {
    return (error as Error).message;
  }
}

function render(): number {
  return withLastRun((results) => console.log(`The report is ${writeReport(results)}.`));
}

function update(daemons: readonly DaemonResults[], codecs: CodecResults | undefined): number {
  return withLastRun((results) => tell(updatedBy(results, daemons, codecs)));
}

function withLastRun(use: (results: Results) => void): number {
  const results = savedResults();
  if (results === undefined) console.log('No run has been reported yet.');
  else use(results);
  return results === undefined ? 1 : 0;
}

function tell(results: Results): void {
  saveResults(results);
  console.log(`\nThe report is ${writeReport(results)}.`);
}

interface Field {
  readonly prepared: readonly PreparedPeer[];
  readonly absent: AbsentPeer[];
}

/** The peers that take part, and the reasons of those that cannot. */
async function prepare(options: Options): Promise<Field> {
  wishForStrace();
  const prepared: PreparedPeer[] = [];
  const absent: AbsentPeer[] = [];
  // Without the reference there is nothing to compare with.
  for (const peer of peers.filter(({ id }) => id === reference || options.peers.includes(id))) {
    try {
      prepared.push(await peer.prepare());
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      absent.push(leftOut(peer.title, error.message));
    }
  }
  return { prepared, absent };
}

function leftOut(title: string, reason: string): AbsentPeer {
  console.log(`${title} is left out: ${reason}`);
  return { title, reason };
}
