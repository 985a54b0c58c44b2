/** The command `npm run bench`: the cost of a message, compared with C, other libraries for Node.js, and Python. */
import { readOptions, refuse } from '../scripts/options.mjs';
import { pages, readSection, table, writeResults } from '../scripts/report.mjs';
import { SetupError } from '../scripts/setup/report.mjs';
import { installOptionalPackages } from '../scripts/setup/system-packages.mjs';
import { programPath } from '../test/helpers/paths.js';
import { type Daemon, PrivateBus } from '../test/helpers/private-bus.js';
import { drawCalls } from './chart.js';
import { daemonVersion, describeMachine } from './machine.js';
import { type PreparedPeer, peers, reference } from './peers.js';
import { runWorkload } from './rounds.js';
import {
  formatted,
  growthTable,
  growthVerdict,
  valueIn,
  verdicts,
  type WorkloadResults,
  workloadTable,
} from './values.js';
import { messages, type Workload, workloads } from './workloads.js';

const list = (entries: readonly { readonly id: string; readonly title: string }[]) =>
  entries.map(({ id, title }) => `  ${id.padEnd(28)}${title}`).join('\n');

const USAGE = `Usage: npm run bench -- [options]

  --quick           the peers and workloads that matter most, on dbus-daemon, in under three minutes
  --only IDS        workloads, or how their ids begin
  --peers IDS       peers, or how their ids begin
  --daemon NAMES    dbus-daemon, dbus-broker (both, unless --quick)
  --rounds N        rounds of each workload, of which the median counts (5; 1 with --quick)
  --report          write what is measured into its sections of docs/benchmarks/report.md; all peers must take part
  --help            prints this text

Workloads:
${list(workloads)}

Peers:
${list(peers)}`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;
const { values } = readOptions(USAGE, {
  ...{ quick: flag, report: flag, only: text, peers: text, daemon: text, rounds: text },
});

try {
  await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.log(error.message);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!(rounds >= 1)) refuse(`--rounds takes a number from 1 up, not ${values.rounds}.`);
  if (values.report && (values.peers !== undefined || values.quick))
    refuse('--report needs all peers: leave out --peers and --quick.');
  const chosenWorkloads = chosen('workload', values.only, workloads);
  const chosenPeers = chosen('peer', values.peers, peers);
  const daemons = chosen('daemon', values.daemon, [
    { id: 'dbus-daemon', quick: true },
    { id: 'dbus-broker', quick: false },
  ] as const).map(({ id }) => id);
  const onDaemon = (daemon: Daemon) => chosenWorkloads.filter((workload) => runsOn(workload, daemon, daemons));
  // Before an hour of measuring: whether every section exists.
  if (values.report)
    for (const daemon of daemons)
      for (const { id } of onDaemon(daemon)) readSection(pages.benchmarks, sectionOf(daemon, id));

  const strace = {
    name: 'strace',
    present: () => programPath('strace') !== undefined,
    packages: { 'apt-get': 'strace' },
  };
  installOptionalPackages([strace], 'system calls are not counted');
  const prepared = await prepare(chosenPeers.map(({ id }) => id));
  const driver = prepared.find(({ id }) => id === reference) as PreparedPeer;
  for (const daemon of daemons) {
    const missing = PrivateBus.missing({ daemon });
    if (missing === undefined) await runOn(daemon, onDaemon(daemon), driver, prepared, rounds);
    else console.log(`${daemon} is left out: ${missing}`);
  }
  if (values.only === undefined && daemons.length === 2) await reportMachine(prepared, daemons, rounds);
}

/** The entries that were named, or that begin with the given words; without any, all of them, or the quick ones. */
function chosen<T extends { readonly id: string; readonly quick?: boolean }>(
  what: string,
  names: string | undefined,
  known: readonly T[],
): readonly T[] {
  if (names === undefined) return known.filter(({ quick }) => quick || !values.quick);
  const found = names.split(',').map((name) => {
    const exact = known.filter(({ id }) => id === name);
    const all = exact.length > 0 ? exact : known.filter(({ id }) => id.startsWith(name));
    if (all.length === 0) refuse(`There is no ${what} ${name}; --help lists them.`);
    return all;
  });
  return known.filter((entry) => found.some((all) => all.includes(entry)));
}

/** Each workload for one daemon runs on that daemon. */
function runsOn({ daemon: bound }: Workload, daemon: Daemon, daemons: readonly Daemon[]): boolean {
  return bound === undefined || daemon === (daemons.includes(bound) ? bound : daemons[0]);
}

/** A series of sizes is one section. */
function sectionOf(daemon: Daemon, id: string): string {
  return `${daemon}/${workloads.find((workload) => workload.id === id)?.growth?.series ?? id}`;
}

/** The peers that can take part. Without the reference there is nothing to compare with. */
async function prepare(ids: readonly string[]): Promise<readonly PreparedPeer[]> {
  const prepared: PreparedPeer[] = [];
  for (const peer of peers.filter(({ id }) => id === reference || ids.includes(id))) {
    try {
      prepared.push(await peer.prepare());
    } catch (error) {
      if (!(error instanceof SetupError) || peer.id === reference) throw error;
      console.log(`${peer.title} is left out: ${error.message}`);
    }
  }
  return prepared;
}

async function runOn(
  daemon: Daemon,
  chosenWorkloads: readonly Workload[],
  driver: PreparedPeer,
  prepared: readonly PreparedPeer[],
  rounds: number,
): Promise<void> {
  const done = new Map<string, WorkloadResults>();
  for (const workload of chosenWorkloads) {
    const results = await runWorkload(daemon, workload, prepared, driver, rounds);
    done.set(workload.id, results);
    if (workload.growth === undefined) reportWorkload(daemon, results, done, prepared);
    else reportSeries(daemon, workload.growth.series, chosenWorkloads, done, prepared);
  }
  if (messages.every(({ id }) => done.has(id))) reportOverview(daemon, done, prepared);
}

function reportWorkload(
  daemon: Daemon,
  results: WorkloadResults,
  done: ReadonlyMap<string, WorkloadResults>,
  prepared: readonly PreparedPeer[],
): void {
  const { id, title, operation } = results.workload;
  console.log(`\n${title}, for each ${operation} (${daemon})`);
  write(sectionOf(daemon, id), id, `${workloadTable(results, prepared)}\n\n${verdicts(results, done)}`, results.cells);
  if (values.report && id === 'calls-100' && daemon === 'dbus-daemon') drawCalls();
}

/** When its last size is done. */
function reportSeries(
  daemon: Daemon,
  series: string,
  chosenWorkloads: readonly Workload[],
  done: ReadonlyMap<string, WorkloadResults>,
  prepared: readonly PreparedPeer[],
): void {
  const sizes = chosenWorkloads.filter(({ growth }) => growth?.series === series);
  const results = sizes.flatMap(({ id }) => done.get(id) ?? []);
  if (results.length < sizes.length) return;
  console.log(`\n${sizes[0].growth?.title} (${daemon})`);
  const figures = results.map(({ workload, cells }) => ({ id: workload.id, cells }));
  write(
    sectionOf(daemon, sizes[0].id),
    series,
    `${growthTable(results, prepared)}\n\n${growthVerdict(results)}`,
    figures,
  );
}

function reportOverview(
  daemon: Daemon,
  done: ReadonlyMap<string, WorkloadResults>,
  prepared: readonly PreparedPeer[],
): void {
  const rows = messages.map(({ id, title }) => {
    const results = done.get(id);
    return [title, ...prepared.map((peer) => formatted('cpu', valueIn(results, peer.id, 'cpu')))];
  });
  const head = ['CPU time of an operation', ...prepared.map(({ title }) => title)];
  if (daemon === 'dbus-daemon') write('overview', '', table(head, rows), rows);
}

async function reportMachine(
  prepared: readonly PreparedPeer[],
  daemons: readonly Daemon[],
  rounds: number,
): Promise<void> {
  const { date, distribution, kernel, processor, cores, memory } = describeMachine();
  const buses = await Promise.all(daemons.map(async (daemon) => `${daemon} ${await daemonVersion(daemon)}`));
  const facts = [
    `${date}, ${distribution}, Linux ${kernel}, ${processor}, ${cores} cores, ${memory}`,
    `Buses: ${buses.join(', ')}; up to ${rounds} rounds`,
    ...prepared.map(({ title, version }) => `${title}: ${version}`),
  ];
  const figures = { facts };
  writeResults({
    ...{ page: pages.benchmarks, section: 'machine', command: 'npm run bench', figures },
    ...{ text: facts.map((fact) => `- ${fact}`).join('\n'), write: values.report },
  });
}

function write(section: string, only: string, content: string, figures: unknown): void {
  const command = only === '' ? 'npm run bench' : `npm run bench -- --only ${only}`;
  writeResults({ page: pages.benchmarks, section, command, text: content, figures, write: values.report });
}
