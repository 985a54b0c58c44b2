/** The codecs' benchmark: every task in a process of its own, the libraries taking turns. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../../scripts/setup/bundling.mjs';
import { projectRoot } from '../../test/helpers/paths.js';
import { run } from '../../test/helpers/program.js';
import { newerNode, type Runtime, thisNode } from '../prepare/newer-node.js';
import { installPackage } from '../prepare/node-package.js';
import { Unavailable } from '../prepare/unavailable.js';
import { median } from '../quantities.js';
import { formatted } from '../report/numbers.js';
import type { CodecResults, CodecTaskResult } from './results.js';
import { tasks } from './tasks.mjs';

interface Library {
  readonly id: string;
  readonly title: string;
  /** Its codec, relative to the folder bench/. */
  readonly file: string;
  readonly runtime: () => Promise<Runtime> | Runtime;
  readonly install?: () => void | Promise<void>;
}

const npm = (id: string, title: string, runtime: Library['runtime'] = () => thisNode): Library => ({
  id,
  title,
  file: `peers/${id}/codec.mjs`,
  runtime,
  install: () => void installPackage(id),
});

/** The codec is no entry of the package: it is bundled as the package is. */
const codec = 'build/bench/busbar-codec.mjs';
const busbar = (id: string, title: string, runtime: Library['runtime']): Library => ({
  id,
  title,
  file: `../${codec}`,
  runtime,
  install: () => bundle('bench/peers/busbar/codec.mjs', codec),
});

/** @jellybrick/dbus-next is bundled: its codec cannot be reached from outside. */
const libraries: readonly Library[] = [
  busbar('busbar', 'busbar', () => thisNode),
  busbar('busbar-newer-node', 'busbar, newer Node.js', newerNode),
  npm('dbus-native', 'dbus-native', newerNode),
  npm('homebridge', '@homebridge/dbus-native'),
  npm('dbus-next', 'dbus-next'),
  { id: 'copy', title: 'copying', file: 'codec/copy.mjs', runtime: () => thisNode },
];

/** Runs the benchmark by itself, and prints a table. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { rounds: { type: 'string', default: '5' } } });
  print(await measureCodecs(Number(values.rounds)));
  return 0;
}

export async function measureCodecs(rounds: number): Promise<CodecResults> {
  const present = await installed();
  const results: CodecTaskResult[] = [];
  for (const { id, title } of tasks) {
    const times = new Map<string, number[]>();
    for (let round = 0; round < rounds; round++) {
      for (const { id: library, command } of present) {
        const time = await measureTask(command, id);
        if (time !== undefined) times.set(library, [...(times.get(library) ?? []), time]);
      }
    }
    const medians = [...times].map(([library, list]) => [library, median(list)] as const);
    results.push({ id, title, microseconds: Object.fromEntries(medians) });
  }
  return { libraries: present.map(({ id, title }) => ({ id, title })), tasks: results };
}

interface Installed {
  readonly id: string;
  readonly title: string;
  readonly command: readonly [string, ...string[]];
}

async function installed(): Promise<readonly Installed[]> {
  const present: Installed[] = [];
  for (const { id, title, file, runtime, install } of libraries) {
    try {
      await install?.();
      const { executable } = await runtime();
      const folder = join(projectRoot, 'bench');
      present.push({ id, title, command: [executable, join(folder, 'codec', 'measure.mjs'), join(folder, file)] });
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      console.log(`${title} is left out: ${error.message}`);
    }
  }
  return present;
}

/** Microseconds; `undefined` where the library cannot do it. */
async function measureTask([command, ...args]: Installed['command'], task: string): Promise<number | undefined> {
  const reference = join(projectRoot, codec);
  const { code, stdout, stderr } = await run(command, [...args, task, reference], { timeLimit: 60_000 });
  if (code !== 0) throw new Error(`${args.at(-1)} failed in ${task}: ${stderr}`);
  return stdout.trim() === '' ? undefined : Number(stdout);
}

function print({ libraries, tasks }: CodecResults): void {
  const width = Math.max(...tasks.map(({ title }) => title.length));
  const row = (first: string, cells: readonly string[]) =>
    console.log(`${first.padEnd(width)}${cells.map((cell) => cell.padStart(25)).join('')}`);
  row(
    '',
    libraries.map(({ title }) => title),
  );
  for (const { title, microseconds } of tasks) {
    row(
      title,
      libraries.map(({ id }) => formatted('cpu', microseconds[id])),
    );
  }
}
