/**
 * The command `npm run bench:instructions`: how many instructions an operation takes at the client and at the service,
 * counted by valgrind. It is the slope over several numbers of operations, so that starting does not count. Runs differ by
 * whole garbage collections and compilations, tens of millions of instructions, which a slope lessens and does not remove.
 * Instructions of the kernel are not counted.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOptions } from '../scripts/options.mjs';
import { table, writeResults } from '../scripts/report.mjs';
import { requirePackages } from '../scripts/setup/system-packages.mjs';
import { programPath } from '../test/helpers/paths.js';
import { PrivateBus } from '../test/helpers/private-bus.js';

const root = join(import.meta.dirname, '..');
/** The operations of the shortest run: the compilers of V8 have settled before its end. */
const workloads = { sequential: 15_000, pipelined: 30_000, signals: 60_000, big: 1000 };
/** The lengths of the runs, as multiples of the shortest. */
const lengths = [1, 4 / 3, 5 / 3, 2];
type Workload = keyof typeof workloads;
const sides = ['client', 'service'] as const;
type Side = (typeof sides)[number];

const USAGE = `Usage: npm run bench:instructions -- [options]

  counts the instructions of a call, a signal and a large reply, by valgrind. It takes a quarter of an hour,
  or a multiple of that beside other work.

  --against COMMIT  also builds this commit in a temporary worktree, and compares
  --report          writes the section of docs/benchmarks/report.md
  --help            prints this text`;

const { values } = readOptions(USAGE, {
  against: { type: 'string', default: '' },
  report: { type: 'boolean', default: false },
});
await main();

async function main(): Promise<void> {
  requirePackages([
    { name: 'valgrind', present: () => programPath('valgrind') !== undefined, packages: { 'apt-get': 'valgrind' } },
  ]);
  build(root);
  const now = await countAll(root);
  const before = values.against === '' ? undefined : await countCommit(values.against);
  const rows = Object.entries(now).map(([what, count]) => {
    const earlier = before?.[what];
    const compared = earlier === undefined ? [] : [`${earlier}`, (count / earlier).toFixed(2)];
    return [what, `${count}`, ...compared];
  });
  const head = ['instructions for each operation', 'now', ...(before === undefined ? [] : [values.against, 'ratio'])];
  const command = `npm run bench:instructions${before === undefined ? '' : ` -- --against ${values.against}`}`;
  const place = { page: 'docs/benchmarks/report.md', section: 'instructions' };
  writeResults({ ...place, command, text: table(head, rows), figures: { now, before }, write: values.report });
}

function build(folder: string): void {
  // By its name, which commits before the present scripts have as well.
  execFileSync('npm', ['run', '-s', 'build:js'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Counts with the sources of a commit, and its committed binaries. */
async function countCommit(commit: string): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-against-'));
  execFileSync('git', ['worktree', 'add', '--quiet', '--detach', folder, commit], { cwd: root });
  try {
    // A copy: the build of a commit with other dependencies replaces them.
    cpSync(join(root, 'node_modules'), join(folder, 'node_modules'), { recursive: true, verbatimSymlinks: true });
    build(folder);
    return await countAll(folder);
  } finally {
    execFileSync('git', ['worktree', 'remove', '--force', folder], { cwd: root });
  }
}

async function countAll(folder: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [workload, operations] of Object.entries(workloads) as [Workload, number][]) {
    for (const side of sides) {
      const points: Point[] = [];
      for (const length of lengths) {
        const times = Math.round(operations * length);
        points.push([times, await count(folder, side, workload, times)]);
      }
      counts[`${workload}, ${side}`] = Math.round(slope(points));
      console.log(`${workload}, ${side}: ${counts[`${workload}, ${side}`]}`);
    }
  }
  return counts;
}

/** A number of operations, and the instructions that they took. */
type Point = readonly [operations: number, instructions: number];

/** The slope of the line that is nearest to the points by least squares. */
function slope(points: readonly Point[]): number {
  const middle = mean(points.map(([operations]) => operations));
  const level = mean(points.map(([, instructions]) => instructions));
  let products = 0;
  let squares = 0;
  for (const [operations, instructions] of points) {
    products += (operations - middle) * (instructions - level);
    squares += (operations - middle) ** 2;
  }
  return products / squares;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The instructions of one process that takes part in so many operations. */
async function count(folder: string, side: Side, workload: Workload, operations: number): Promise<number> {
  await using bus = await PrivateBus.start({ daemon: 'dbus-daemon' });
  const start = (one: Side, ...args: string[]) => {
    const program = [join(import.meta.dirname, 'instructions-program.mjs'), join(folder, 'dist/index.js'), bus.address];
    // Otherwise the threads of V8 make the counts differ from run to run.
    const node = [process.execPath, '--single-threaded-gc', '--predictable-gc-schedule', ...program, ...args];
    const counting = ['valgrind', '--tool=cachegrind', '--cache-sim=no', '--cachegrind-out-file=/dev/null'];
    const [command = '', ...rest] = one === side ? [...counting, '--smc-check=all-non-file', ...node] : node;
    const child = spawn(command, rest);
    const output = { text: '' };
    child.stderr.on('data', (chunk) => {
      output.text += chunk;
    });
    return { child, output, closed: once(child, 'close') };
  };
  const service = start('service', 'service');
  const [name] = (await once(service.child.stdout, 'data')) as [Buffer];
  const client = start('client', name.toString().trim(), workload, `${operations}`);
  await client.closed;
  service.child.stdin.end();
  await service.closed;
  const { text } = (side === 'client' ? client : service).output;
  const counted = /I\s+refs:\s+([\d,]+)/.exec(text)?.[1];
  if (counted === undefined) throw new Error(`valgrind counted nothing:\n${client.output.text}${service.output.text}`);
  return Number(counted.replaceAll(',', ''));
}
