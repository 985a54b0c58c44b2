/**
 * The command `npm run bench:instructions`: how many instructions an operation takes at the client and the service
 * together, counted by valgrind. Both are in one process, so that the counts do not depend on how two processes take turns.
 * It is the slope over several numbers of operations, so that starting does not count. Runs differ by whole garbage
 * collections and compilations, tens of millions of instructions, which a slope lessens and does not remove. Instructions
 * of the kernel and of the bus are not counted.
 */
import { execFileSync, spawnSync } from 'node:child_process';
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
const workloads = {
  sequential: ['sequential calls', 10_000],
  pipelined: ['500 calls at a time', 20_000],
  signals: ['signals', 40_000],
  big: ['replies with an a{sv} of 200 entries', 800],
} as const;
/** The lengths of the runs, as multiples of the shortest. */
const lengths = [1, 1.5, 2, 2.5, 3];

const USAGE = `Usage: npm run bench:instructions -- [options]

  counts the instructions of a call, a signal and a large reply, by valgrind. It takes ten minutes.

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
  await using bus = await PrivateBus.start({ daemon: 'dbus-daemon' });
  const counts: Record<string, number> = {};
  for (const [workload, [what, operations]] of Object.entries(workloads)) {
    const points = lengths.map((length): Point => {
      const times = Math.round(operations * length);
      return [times, count(folder, bus.address, workload, times)];
    });
    counts[what] = Math.round(slope(points));
    console.log(`${what}: ${counts[what]}`);
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

/** The instructions of a process that does so many operations. */
function count(folder: string, address: string, workload: string, operations: number): number {
  const program = [join(import.meta.dirname, 'instructions-program.mjs'), join(folder, 'dist/index.js')];
  // Otherwise the threads of V8 make the counts differ from run to run.
  const node = [process.execPath, '--single-threaded-gc', '--predictable-gc-schedule', ...program];
  const counting = [
    '--tool=cachegrind',
    '--cache-sim=no',
    '--cachegrind-out-file=/dev/null',
    '--smc-check=all-non-file',
  ];
  const { stderr } = spawnSync('valgrind', [...counting, ...node, address, workload, `${operations}`], {
    encoding: 'utf8',
  });
  const counted = /I\s+refs:\s+([\d,]+)/.exec(stderr)?.[1];
  if (counted === undefined) throw new Error(`valgrind counted nothing:\n${stderr}`);
  return Number(counted.replaceAll(',', ''));
}
