// How many messages a turn delivers, by a clock of the test: no turn exceeds its time by more than a few messages.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Turn } from '../../src/connection/receiving/turn.js';

const test = suite('turn');

/** Milliseconds of a turn. */
const WHOLE = 1;
/** Messages between two reads of the clock. */
const STRIDE = 16;
/** Messages before the time of their microtasks is known. */
const FIRST = 16;

/** A connection whose messages take `handler` milliseconds, and `later` in microtasks. */
class Played {
  now = 0;
  looks = 0;
  readonly turn = new Turn(() => {
    this.looks++;
    return this.now;
  });

  /** A turn with a batch of `rows`, and how many of them it handled. */
  async take(rows: number, handler: (row: number) => number, later = 0): Promise<number> {
    let asked = this.turn.begin(WHOLE);
    let row = 0;
    for (; row < rows; row++) {
      if (row === asked) {
        const more = this.turn.more(row);
        if (more === 0) break;
        asked += more;
      }
      this.now += handler(row);
    }
    this.turn.end(row);
    // The microtasks of the handlers run before the turn is measured.
    this.now += row * later;
    await undefined;
    return row;
  }
}

test('a message that takes longer than a turn is the only one of its turn', async () => {
  const played = new Played();
  for (let i = 0; i < 3; i++) assert.is(await played.take(256, () => 5), 1);
});

test('messages of 50 µs are twenty to a turn', async () => {
  const played = new Played();
  await played.take(256, () => 0.05);
  await played.take(256, () => 0.05);
  for (let i = 0; i < 10; i++) {
    const handled = await played.take(256, () => 0.05);
    assert.ok(handled >= 18 && handled <= 22, `${handled} messages`);
  }
});

test('small messages soon come as whole batches, with few reads of the clock', async () => {
  const played = new Played();
  for (let i = 0; i < 5; i++) await played.take(256, () => 0.001);
  played.looks = 0;
  assert.is(await played.take(256, () => 0.001), 256);
  assert.ok(played.looks < 20, `${played.looks} looks`);
});

test('the microtasks of messages count for the next turn', async () => {
  const played = new Played();
  for (let i = 0; i < 6; i++) await played.take(256, () => 0.001);
  assert.is(await played.take(256, () => 0.001, 0.05), 256);
  const next = await played.take(256, () => 0.001, 0.05);
  assert.ok(next <= 21, `${next} messages`);
});

test('one in four turns with quick messages is measured to its end, which notices slow microtasks', async () => {
  const played = new Played();
  for (let i = 0; i < 20; i++) await played.take(100, () => 0.001);
  const handled: number[] = [];
  for (let i = 0; i < 6; i++) handled.push(await played.take(100, () => 0.001, 0.05));
  const noticed = handled.findIndex((each) => each <= 20);
  assert.ok(noticed >= 1 && noticed <= 4, `${handled}`);
  assert.ok(
    handled.slice(noticed).every((each) => each <= 20),
    `${handled}`,
  );
});

test('a turn that mostly read does not affect the estimate for the next one', async () => {
  const played = new Played();
  for (let i = 0; i < 6; i++) await played.take(256, () => 0.001);
  played.turn.begin(0);
  played.now += 0.001;
  assert.is(played.turn.more(1), 0);
  played.turn.end(1);
  await undefined;
  assert.is(await played.take(256, () => 0.001), 256);
});

test('whatever messages take, a turn ends with the few that follow the last read of the clock', async () => {
  const cost = fc.oneof(
    { weight: 5, arbitrary: fc.double({ min: 0.0001, max: 0.02, noNaN: true }) },
    { weight: 2, arbitrary: fc.double({ min: 0.02, max: 0.5, noNaN: true }) },
    { weight: 1, arbitrary: fc.double({ min: 0.5, max: 20, noNaN: true }) },
  );
  const turns = fc.array(fc.array(cost, { minLength: 1, maxLength: 256 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(turns, async (batches) => {
      const played = new Played();
      for (const costs of batches) {
        let row = 0;
        while (row < costs.length) {
          const from = row;
          row += await played.take(costs.length - from, (at) => costs[from + at]!);
          assert.ok(row > from, 'a turn handles one message at least');
          const before = costs.slice(from, Math.max(from, row - STRIDE)).reduce((sum, each) => sum + each, 0);
          assert.ok(before < WHOLE, `${row - from} messages, of which those before the last ${STRIDE} took ${before}`);
        }
      }
    }),
    { endOnFailure: true },
  );
});

test('a first turn has few messages, and each turn within its time doubles the number', async () => {
  const played = new Played();
  for (let most = FIRST; most <= 256; most *= 2) assert.is(await played.take(1000, () => 0.000_01), most);
});

test.run();
