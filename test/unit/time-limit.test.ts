// Time limits expire after their time; if the event loop was blocked, after the messages that arrived meanwhile.
import { readFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTimer, TimeLimit, timeLimit } from '../../src/connection/time-limit.js';
import { blockLoopBeforeTimers } from '../helpers/block-loop.js';
import { patience } from '../helpers/patience.js';

const test = suite('time limits');

/** Work that takes no time but some rounds of the event loop, one after the other. */
async function rounds(count: number): Promise<'done'> {
  for (let round = 0; round < count; round++) await readFile('/proc/self/stat');
  return 'done';
}

const over: Record<string, (milliseconds: number) => Promise<unknown>> = {
  startTimer: (milliseconds) => new Promise<void>((resolve) => void startTimer(resolve, milliseconds)),
  timeLimit: (milliseconds) => timeLimit(milliseconds).promise,
  TimeLimit: (milliseconds) => new TimeLimit(milliseconds).over,
};

for (const [name, limit] of Object.entries(over)) {
  test(`work of a few rounds is done before a limit that expired while the loop was blocked (${name})`, async () => {
    const passed = limit(500 * patience).then(() => 'over');
    const work = rounds(5);
    await blockLoopBeforeTimers(1500 * patience);
    assert.is(await Promise.race([work, passed]), 'done');
    await passed;
  });

  test(`a limit expires after its time, and not before (${name})`, async () => {
    const begun = performance.now();
    await limit(30);
    assert.ok(performance.now() - begun >= 29);
  });

  test(`a limit waits for at most its time again, however long the loop was blocked (${name})`, async () => {
    const passed = limit(20);
    await blockLoopBeforeTimers(200);
    // Timers expire in order, however slow the machine is.
    const endless = new Promise((resolve) => setTimeout(resolve, 1000, 'late').unref());
    assert.is.not(await Promise.race([passed, endless]), 'late');
  });
}

test('a limit can be made shorter while it runs, and be ended at once, also after it has expired', async () => {
  const limit = new TimeLimit(60_000);
  limit.shorten(70_000);
  limit.shorten(10);
  await limit.over;
  assert.ok(limit.isOver);
  assert.not.ok(limit.isAtOnce);

  const held = new TimeLimit(60_000);
  held.shorten(200);
  await blockLoopBeforeTimers(600);
  await new Promise((resolve) => setTimeout(resolve, 1));
  held.shorten(0);
  assert.ok(held.isOver);
  await held.over;
});

test('a limit of `Infinity` never expires, and an abandoned one keeps nothing alive', async () => {
  const forever = timeLimit(Number.POSITIVE_INFINITY);
  const given = timeLimit(20);
  given.stop();
  const ended = new TimeLimit(20);
  ended.end();
  const other = new Promise((resolve) => setTimeout(resolve, 60, 'other'));
  assert.is(await Promise.race([forever.promise, given.promise, ended.over, other]), 'other');
});

test.run();
