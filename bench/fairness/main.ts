/** Measures what is left of an event loop under senders that send as fast as they can, and prints a table. */
import { parseArgs } from 'node:util';
import { type Daemon, PrivateBus } from '../../test/helpers/private-bus.js';
import { Program } from '../../test/helpers/program.js';

const PROGRAM = 'bench/fairness/program.mjs';

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

/** How many ticks of 200 there are at least, and how many milliseconds they and answers may take at most. */
const TICKS = 150;
const LATEST = 50;
const SLOWEST = 100;

interface Figures {
  readonly ticks: number;
  readonly latest: number;
  readonly longest: number;
  readonly slowest: number;
}

/** Runs all of it; returns the exit code, which says whether every figure is as it should be. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { runtime: { type: 'string', default: process.execPath }, poller: { type: 'string', multiple: true } },
  });
  const { runtime, poller: pollers = ['uv', 'thread'] } = values;
  let good = true;
  console.log('                                        ticks of 200   latest tick  most work between   slowest answer');
  for (const poller of pollers) {
    for (const scenario of scenarios) {
      if (scenario.daemon !== undefined && PrivateBus.missing(scenario) !== undefined) continue;
      const { ticks, latest, longest, slowest } = await measured(scenario, runtime.split(' '), poller);
      good &&= ticks >= TICKS && latest <= LATEST && slowest <= SLOWEST;
      const cells = [
        `${ticks}`.padStart(12),
        `${latest.toFixed(1)} ms`.padStart(14),
        `${longest.toFixed(1)} ms`.padStart(19),
        `${slowest.toFixed(1)} ms`.padStart(17),
      ];
      console.log(`${poller.padEnd(8)}${scenario.title.padEnd(32)}${cells.join('')}`);
    }
  }
  return good ? 0 : 1;
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
