/**
 * The file descriptors of this process, by what they are: a number alone cannot tell a leaked one from one of the test's
 * own that was closed meanwhile.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { patience } from './patience.js';

/** Milliseconds that handles have for closing: they do so on the turns of the loop that follow. */
const TIME_TO_CLOSE = 3000;

/** What is open now, for instance `19 socket:[4711]`. */
export function openFds(): ReadonlySet<string> {
  const open = new Set<string>();
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      open.add(`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`);
    } catch {
      // The one that this list was read by.
    }
  }
  return open;
}

/** What was opened since, and is open. */
export function fdsSince(before: ReadonlySet<string>): readonly string[] {
  return [...openFds()].filter((fd) => !before.has(fd));
}

/** Everything that was opened since is closed, or will be in a moment. */
export async function assertNoFdsLeft(before: ReadonlySet<string>): Promise<void> {
  assert.equal(await fdsLeft(before, 0), [], 'no descriptor is left');
}

/** All but so many of what was opened since is closed, or will be in a moment. */
export async function assertFdsLeft(before: ReadonlySet<string>, count: number): Promise<void> {
  const left = await fdsLeft(before, count);
  assert.is(left.length, count, `${count} descriptors are left, not ${left.join(', ')}`);
}

/** What was opened since and is open, once it is no more than so many, or has had its time to close. */
async function fdsLeft(before: ReadonlySet<string>, count: number): Promise<readonly string[]> {
  const deadline = Date.now() + TIME_TO_CLOSE * patience;
  while (fdsSince(before).length > count && Date.now() < deadline) await new Promise((go) => setTimeout(go, 5));
  return fdsSince(before);
}
