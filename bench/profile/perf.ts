/** `perf`, asked for one thing: whose code a process spends its time in. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FOREVER, outputOf, Program } from '../../test/helpers/program.js';

export const owners = ['the kernel', 'Node.js and V8', 'compiled JavaScript', 'the addon', 'rest'] as const;

/** Parts of the whole. */
export type Shares = Readonly<Record<(typeof owners)[number], number>>;

/** Milliseconds until perf has attached itself: it says nothing when it has. */
const ATTACHING = 500;

/** Runs something, and tells whose code a process was in meanwhile. */
export async function recordShares(pid: number, run: () => Promise<void>): Promise<Shares> {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-perf-'));
  try {
    const file = join(folder, 'samples');
    const options = ['--event=cpu-clock', '--freq=2000', `--pid=${pid}`, `--output=${file}`];
    await using perf = Program.start('perf', ['record', '--quiet', ...options], { timeLimit: FOREVER });
    await delay(ATTACHING);
    await run();
    perf.kill('SIGINT');
    await perf.finished;
    const listing = ['report', '--stdio', '--quiet', '--sort=dso', '--field-separator=;', `--input=${file}`];
    return sharesOf(await outputOf('perf', listing));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From lines of `12.34% ;file`. */
function sharesOf(listing: string): Shares {
  const shares = Object.fromEntries(owners.map((owner) => [owner, 0])) as Record<(typeof owners)[number], number>;
  for (const [, percentage, file] of listing.matchAll(/^\s*([\d.]+)%\s*;\s*(\S.*?)\s*$/gm)) {
    shares[ownerOf(file as string)] += Number(percentage) / 100;
  }
  return shares;
}

function ownerOf(file: string): keyof Shares {
  const name = basename(file);
  if (name.startsWith('[kernel') || name.startsWith('[guest.kernel')) return 'the kernel';
  if (name === 'node') return 'Node.js and V8';
  if (name.startsWith('[JIT]')) return 'compiled JavaScript';
  return name.endsWith('.node') ? 'the addon' : 'rest';
}
