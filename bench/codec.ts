/**
 * The command `npm run bench:codec`: the cost of turning values into bytes and back, without a bus, compared with the
 * codecs of the other libraries as far as their packages give access to them. Every task runs in a separate process, and
 * the libraries take turns.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readOptions, refuse } from '../scripts/options.mjs';
import { pages, table, writeResults } from '../scripts/report.mjs';
import { bundle } from '../scripts/setup/bundling.mjs';
import { SetupError } from '../scripts/setup/report.mjs';
import { projectRoot } from '../test/helpers/paths.js';
import { run } from '../test/helpers/program.js';
import { tasks } from './codec-tasks.mjs';
import { installPeer, type NodePackage, newerNode, type Runtime, thisNode } from './peers.js';
import { formatted, median, verdict } from './values.js';

interface Library {
  readonly title: string;
  readonly command: readonly [string, ...string[]];
}

/** The codec of busbar is not an entry of the package: it is bundled as the package is. */
const REFERENCE = join(projectRoot, 'build/bench/busbar-codec.mjs');
const PROGRAM = join(projectRoot, 'bench/codec-program.mjs');

/** The targets of busbar, in microseconds; for a megabyte of bytes, in addition to copying it once. */
const targets: Readonly<Record<string, number>> = {
  ...{ 'decode-variants': 40, 'encode-notify': 0.7, 'encode-notify-message': 1, 'encode-path': 50 },
  ...{ 'encode-strings': 50, 'decode-strings': 40, 'encode-integers': 40, 'encode-bytes': 50, 'decode-bytes': 50 },
};

const USAGE = `Usage: npm run bench:codec -- [options]

  measures turning values into bytes and back, without a bus, by busbar and other libraries.

  --rounds N    rounds, of which the median counts; 5 if left out
  --report      writes the table into docs/benchmarks/report.md
  --help        prints this text`;

const { values } = readOptions(USAGE, {
  rounds: { type: 'string', default: '5' },
  report: { type: 'boolean', default: false },
});
if (!(Number(values.rounds) >= 1)) refuse(`--rounds takes a number from 1 up, not ${values.rounds}.`);
await main(Number(values.rounds));

async function main(rounds: number): Promise<void> {
  mkdirSync(dirname(REFERENCE), { recursive: true });
  writeFileSync(REFERENCE, (await bundle('bench/peers/busbar-codec.mjs')).text);
  const libraries = [
    library('busbar', thisNode, () => []),
    library('busbar, newer Node.js', newerNode, () => []),
    npm('dbus-native', 'dbus-native', newerNode),
    npm('@homebridge/dbus-native', 'homebridge'),
    // @jellybrick/dbus-next is bundled: its codec is not accessible from outside.
    npm('dbus-next', 'dbus-next'),
    library('copying', thisNode, () => ['copy']),
  ].filter((found) => found !== undefined);
  const rows: (readonly string[])[] = [];
  const verdicts: string[] = [];
  for (const { id, title } of tasks) {
    const times = await timesOf(id, libraries, rounds);
    rows.push([title, ...times.map((time) => formatted('cpu', time))]);
    const most = targets[id];
    if (most === undefined) continue;
    const copying = id.endsWith('-bytes') ? (times.at(-1) ?? 0) : 0;
    const own = times[0] === undefined ? undefined : times[0] - copying;
    const beyond = copying > 0 ? ' beyond copying' : '';
    verdicts.push(
      `- Target: ${title}${beyond}, at most ${most} µs: ${verdict(own, most, (value) => value.toFixed(2))}`,
    );
  }
  const head = ['', ...libraries.map(({ title }) => title)];
  const text = `${table(head, rows)}\n\n${verdicts.join('\n')}`;
  writeResults({
    page: pages.benchmarks,
    section: 'codecs',
    command: 'npm run bench:codec',
    text,
    figures: rows,
    write: values.report,
  });
}

/** `undefined`, with a message, if it is not available. */
function library(title: string, runtime: () => Runtime, peer: () => readonly string[]): Library | undefined {
  try {
    return { title, command: [runtime().executable, PROGRAM, ...peer()] };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.log(`${title} is left out: ${error.message}`);
    return undefined;
  }
}

function npm(title: string, id: NodePackage, runtime: () => Runtime = thisNode): Library | undefined {
  return library(title, runtime, () => [join(projectRoot, `bench/peers/${id}.mjs`), installPeer(id).folder]);
}

/** The medians of the rounds in microseconds; `undefined` for a library that cannot do the task. */
async function timesOf(
  task: string,
  libraries: readonly Library[],
  rounds: number,
): Promise<readonly (number | undefined)[]> {
  const times: number[][] = libraries.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { title, command }] of libraries.entries()) {
      const [executable, program, ...peer] = command;
      const { code, stdout, stderr } = await run(executable, [program as string, task, REFERENCE, ...peer], {
        timeLimit: 60_000,
      });
      if (code !== 0) throw new Error(`${title} failed in ${task}: ${stderr}`);
      if (stdout.trim() !== '') times[index]?.push(Number(stdout));
    }
  }
  return times.map((list) => (list.length === 0 ? undefined : median(list)));
}
