// When a bus connects again: the delays between attempts, and the options for them.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkReconnect, completeReconnect, Delays } from '../../src/bus/link/reconnect-options.js';
import { InvalidArgumentError } from '../../src/index.js';
import { thrown } from '../helpers/rejection.js';
import { replayable } from '../helpers/replay.js';

const test = suite('options of reconnecting');

test('delays double up to the longest one, and half of each is random', () => {
  const delay = fc.integer({ min: 0, max: 5000 });
  fc.assert(
    fc.property(delay, delay, (a, b) => {
      const [minDelay, maxDelay] = [Math.min(a, b), Math.max(a, b)];
      const delays = new Delays({ minDelay, maxDelay, attempts: Number.POSITIVE_INFINITY });
      let whole = minDelay;
      for (let attempt = 0; attempt < 20; attempt++) {
        const taken = delays.take();
        assert.ok(taken >= whole / 2 && taken <= whole, `${taken} of ${whole}`);
        whole = Math.min(maxDelay, Math.max(1, 2 * whole));
      }
      // A connection that was lost soon does not shorten them.
      delays.reset(whole / 2);
      assert.ok(delays.take() >= whole / 2);
      delays.reset(2 * maxDelay + 1);
      assert.ok(delays.take() <= minDelay);
    }),
    replayable(200),
  );
});

test('the delays of clients differ', () => {
  const options = completeReconnect(true);
  assert.equal(options, { minDelay: 100, maxDelay: 30_000, attempts: Number.POSITIVE_INFINITY });
  const first = Array.from({ length: 20 }, () => new Delays(options as NonNullable<typeof options>).take());
  assert.is(new Set(first).size, 20);
});

test('the defaults fit to what is given', () => {
  assert.is(completeReconnect(undefined), undefined);
  assert.is(completeReconnect(false), undefined);
  const attempts = Number.POSITIVE_INFINITY;
  assert.equal(completeReconnect({ maxDelay: 20 }), { minDelay: 20, maxDelay: 20, attempts });
  assert.equal(completeReconnect({ minDelay: 40_000 }), { minDelay: 40_000, maxDelay: 40_000, attempts });
});

test('what cannot be is refused', () => {
  const refused: readonly [unknown, RegExp][] = [
    [5, /^reconnect: expected a boolean or an object, got number$/],
    [null, /^reconnect: expected a boolean or an object, got null$/],
    [{ minDelay: -1 }, /^minDelay: expected a number of milliseconds, got -1$/],
    [{ maxDelay: Number.POSITIVE_INFINITY }, /^maxDelay: expected a finite number/],
    [{ minDelay: 10, maxDelay: 5 }, /^minDelay: expected at most maxDelay \(5\), got 10$/],
    [{ attempts: 0 }, /^attempts: expected a positive integer, or Infinity, got 0$/],
    [{ attempts: 1.5 }, /^attempts: /],
  ];
  for (const [value, text] of refused) {
    const error = thrown(() => checkReconnect(value, 'reconnect'));
    assert.instance(error, InvalidArgumentError);
    assert.match(error.message, text);
  }
});

test.run();
