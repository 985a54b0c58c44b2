/**
 * The command `npm run bench:fairness`: how much of the receiver's event loop is left under senders that send as fast as
 * they can, with each poller. It fails if a figure misses its limit.
 */
import { readOptions, refuse } from '../scripts/options.mjs';
import { print, table } from '../scripts/report.mjs';
import { type Daemon, PrivateBus } from '../test/helpers/private-bus.js';
import { Program } from '../test/helpers/program.js';

const PROGRAM = 'bench/fairness-program.mjs';

interface Scenario {
  readonly title: string;
  readonly kind: 'flood' | 'pipeline' | 'signals';
  readonly connections: number;
  readonly daemon?: Daemon;
}

const scenarios: readonly Scenario[] = [
  { title: 'one peer floods', kind: 'flood', connections: 1 },
  { title: 'four peers pipeline', kind: 'pipeline', connections: 4 },
  { title: 'three senders, dbus-daemon', kind: 'signals', connections: 3, daemon: 'dbus-daemon' },
  { title: 'three senders, dbus-broker', kind: 'signals', connections: 3, daemon: 'dbus-broker' },
];

/** The least number of ticks out of 200, and the most milliseconds that they and answers may take. */
const TICKS = 150;
const LATEST = 50;
const SLOWEST = 100;

interface Figures {
  readonly ticks: number;
  readonly latest: number;
  readonly longest: number;
  readonly slowest: number;
}

const USAGE = `Usage: npm run bench:fairness -- [options]

  measures how much of the event loop is left under senders that send as fast as they can.

  --runtime 'PROGRAM ARGUMENTS'   another Node.js, Bun, or Deno ('deno run --allow-all')
  --poller NAME                   uv or thread; may be repeated; both if left out
  --help                          prints this text`;

const { values } = readOptions(USAGE, {
  runtime: { type: 'string', default: process.execPath },
  poller: { type: 'string', multiple: true, default: ['uv', 'thread'] },
});
const unknown = values.poller.find((name) => name !== 'uv' && name !== 'thread');
if (unknown !== undefined) refuse(`--poller takes uv or thread, not ${unknown}.`);
await main();

async function main(): Promise<void> {
  const rows: (readonly string[])[] = [];
  for (const poller of values.poller) {
    for (const scenario of scenarios) {
      if (scenario.daemon !== undefined && PrivateBus.missing(scenario) !== undefined) continue;
      const { ticks, latest, longest, slowest } = await measured(scenario, values.runtime.split(' '), poller);
      if (!(ticks >= TICKS && latest <= LATEST && slowest <= SLOWEST)) process.exitCode = 1;
      rows.push([
        poller,
        scenario.title,
        `${ticks}`,
        ...[latest, longest, slowest].map((time) => `${time.toFixed(1)} ms`),
      ]);
      console.log(rows.at(-1)?.join('  '));
    }
  }
  const head = ['poller', '', 'ticks of 200', 'latest tick', 'most work between', 'slowest answer'];
  print(table(head, rows));
}

async function measured(scenario: Scenario, runtime: readonly string[], poller: string): Promise<Figures> {
  await using bus = scenario.daemon === undefined ? undefined : await PrivateBus.start({ daemon: scenario.daemon });
  const start = (...args: string[]) => {
    const [command = '', ...before] = runtime;
    return Program.start(command, [...before, PROGRAM, ...args], { env: { BUSBAR_POLLER: poller }, timeLimit: 60_000 });
  };
  await using receiver = start('receive', bus?.address ?? '');
  const address = (await receiver.line(/^address /)).slice('address '.length);
  await using _sender = start(scenario.kind, bus?.address ?? address, `${scenario.connections}`);
  await using second = start('ask', address);
  receiver.write('go\n');
  const figures = JSON.parse(await receiver.line(/^\{/)) as Omit<Figures, 'slowest'>;
  const answers = [...second.stdout.matchAll(/^slowest (.+)$/gm)].map(([, taken]) => Number(taken));
  return { ...figures, slowest: answers.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...answers) };
}
