// time limit: 120 s
// Half a minute of mixed load leaves everything where it was, and loses nothing. `npm run soak` is the long form.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Ledger } from '../soak/ledger.js';
import type { Sample } from '../soak/quantities.js';
import { judge, soak } from '../soak/soak.js';
import { trendOf } from '../soak/trend.js';

const test = suite('soak');

/** A minute of samples that are flat but for noise and what a test changes. */
function samples(change: (second: number) => Partial<Sample>): readonly Sample[] {
  return Array.from({ length: 60 }, (_, second) => ({
    seconds: second,
    heap: 10e6 + ((second * 7919) % 100) * 1000,
    external: 2e6,
    rss: 100e6,
    fds: 20,
    matchRules: 6,
    pendingCalls: 0,
    exportedObjects: 2,
    cpu: 30,
    delay: 10,
    messages: 5000,
    ...change(second),
  }));
}

test('a straight line has its slope and no error; noise has an error', () => {
  assert.equal(trendOf([0, 1, 2, 3], [1, 3, 5, 7]), { slope: 2, error: 0 });
  const { slope, error } = trendOf([0, 1, 2, 3], [1, 0, 1, 0]);
  assert.ok(Math.abs(slope) < 2 * error);
});

test('flat samples pass', () => {
  assert.equal(
    judge(
      samples(() => ({})),
      new Ledger(),
    ).failures,
    [],
  );
});

test('a heap that grows is found, and so is a descriptor that stays', () => {
  const growing = judge(
    samples((second) => ({ heap: 10e6 + second * 100_000 + ((second * 7919) % 100) * 1000 })),
    new Ledger(),
  );
  assert.match(growing.failures.join(), /JS heap after collection: grows/);
  const staying = judge(
    samples((second) => ({ fds: second === 59 ? 21 : 20 })),
    new Ledger(),
  );
  assert.match(staying.failures.join(), /File descriptors: 20 at first, 21 at last/);
});

test('a call that never settled and a signal that never arrived are found', () => {
  const ledger = new Ledger();
  ledger.calls = 1;
  ledger.emits = 1;
  assert.equal(
    judge(
      samples(() => ({})),
      ledger,
    ).failures,
    ['1 calls, but 0 settled', '1 signals, but 0 arrived'],
  );
});

test('30 seconds of mixed load: nothing grows, nothing is lost', async () => {
  const { failures, ledger } = await soak(30);
  assert.equal(failures, []);
  assert.ok(ledger.calls > 1000 && ledger.emits > 1000, `${ledger.calls} calls and ${ledger.emits} signals`);
});

test.run();
