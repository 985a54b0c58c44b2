/**
 * The file descriptors of this process, by their targets: a number alone cannot distinguish a leaked one from one of the
 * test that was closed meanwhile.
 */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { patience } from './patience.js';

/** Milliseconds in which handles have to close: they do so on the next rounds of the loop. */
const TIME_TO_CLOSE = 3000;

/** The open descriptors, for instance `19 socket:[4711]`. */
export function openFds(): ReadonlySet<string> {
  const open = new Set<string>();
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      open.add(`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`);
    } catch {
      // The descriptor with which this list was read.
    }
  }
  return open;
}

/** The inode of an open descriptor, by its path: `node:fs` of Deno has only descriptors that it opened. */
export function inodeOf(fd: number): number {
  return statSync(`/proc/self/fd/${fd}`).ino;
}

/** The descriptors that were opened since, and are open. */
export function fdsSince(before: ReadonlySet<string>): readonly string[] {
  return [...openFds()].filter((fd) => !before.has(fd));
}

/** Asserts that every descriptor that was opened since is closed, or soon will be. */
export async function assertNoFdsLeft(before: ReadonlySet<string>): Promise<void> {
  assert.equal(await fdsLeft(before, 0), [], 'no descriptor is left');
}

/** Asserts that all but a given number of the descriptors that were opened since are closed, or soon will be. */
export async function assertFdsLeft(before: ReadonlySet<string>, count: number): Promise<void> {
  const left = await fdsLeft(before, count);
  assert.is(left.length, count, `${count} descriptors are left, not ${left.join(', ')}`);
}

/**
 * The descriptors that were opened since and are open, once they are no more than this number, or the time to close is
 * over.
 */
async function fdsLeft(before: ReadonlySet<string>, count: number): Promise<readonly string[]> {
  const deadline = Date.now() + TIME_TO_CLOSE * patience;
  while (fdsSince(before).length > count && Date.now() < deadline) await new Promise((go) => setTimeout(go, 5));
  return fdsSince(before);
}
