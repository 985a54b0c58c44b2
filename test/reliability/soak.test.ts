// time limit: 400 s
// Half a minute of mixed load leaves nothing behind, and loses nothing. `npm run soak` is the long form.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judge, type SoakResult } from '../soak/judge.js';
import { Ledger } from '../soak/ledger.js';
import type { Sample } from '../soak/quantities.js';
import { soak } from '../soak/soak.js';
import { judged, trendOf } from '../soak/trend.js';

const test = suite('soak');

/** Samples of this many seconds that are flat except for noise and the change that a test makes. */
function samples(seconds: number, change: (second: number) => Partial<Sample> = () => ({})): readonly Sample[] {
  return Array.from({ length: seconds }, (_, second) => ({
    seconds: second,
    heap: 10e6 + noise(second) * 10_000,
    code: 2e6,
    external: 2e6,
    rss: 100e6,
    fds: 20,
    matchRules: 6,
    pendingCalls: 0,
    exportedObjects: 2,
    cpu: 30,
    delay: 10,
    longDelay: 100,
    messages: 5000,
    ...change(second),
  }));
}

/** From 0 to 1, and pseudorandom. */
function noise(second: number): number {
  return ((second * 7919) % 100) / 100;
}

function failuresOf(...of: Parameters<typeof samples>): string {
  return judge(samples(...of), new Ledger()).failures.join('\n');
}

test('a straight line has exactly its slope; noise has no certain one; a few points prove nothing', () => {
  const seconds = Array.from({ length: 20 }, (_, second) => second);
  const line = trendOf(
    seconds,
    seconds.map((second) => 2 * second),
  );
  assert.equal(line, { slope: 2, least: 2, most: 2 });
  const { least, most } = trendOf(seconds, seconds.map(noise));
  assert.ok(least < 0 && most > 0);
  assert.equal(trendOf([0, 1, 2], [1, 1, 1]), { slope: 0, least: -Infinity, most: Infinity });
});

test('outliers do not count', () => {
  const seconds = Array.from({ length: 20 }, (_, second) => second);
  const { slope } = trendOf(
    seconds,
    seconds.map((second) => (second === 10 ? 1000 : 0)),
  );
  assert.is(slope, 0);
});

test('noise does not hide growth: a quantity that may exceed the limit fails', () => {
  assert.is(judged({ slope: 8, least: 7, most: 9 }, 10), 'within');
  assert.is(judged({ slope: 8, least: 5, most: 11 }, 10), 'unclear');
  assert.is(judged({ slope: 12, least: 9, most: 15 }, 10), 'unclear');
  assert.is(judged({ slope: 14, least: 11, most: 17 }, 10), 'beyond');
});

test('flat samples pass', () => {
  assert.is(failuresOf(60), '');
  assert.is(failuresOf(3600), '');
});

test('a heap that grows by twelve bytes a cycle is found in an hour, and by a hundred a call in half a minute', () => {
  const growing = (bytes: number) => (second: number) => ({ heap: 10e6 + second * bytes + noise(second) * 10_000 });
  const cyclesPerSecond = 14;
  assert.match(failuresOf(3600, growing(12 * cyclesPerSecond)), /JS heap without code: grows by/);
  const callsPerCycle = 140;
  assert.match(failuresOf(30, growing(100 * callsPerCycle * cyclesPerSecond)), /JS heap without code: grows by/);
});

test('samples that are too noisy or too few do not pass', () => {
  assert.match(
    failuresOf(60, (second) => ({ heap: 10e6 + noise(second) * 1e6 })),
    /JS heap without code.*: too short to tell: /,
  );
  assert.match(failuresOf(2), /JS heap without code: too short to tell: /);
});

test('a descriptor that stays is found', () => {
  const failures = failuresOf(60, (second) => ({ fds: second === 59 ? 21 : 20 }));
  assert.match(failures, /File descriptors: 20 at first, 21 at last/);
});

test('a blocked event loop is found, and short delays are not', () => {
  assert.match(
    failuresOf(60, () => ({ delay: 200 })),
    /Event-loop delay, mean: 200\.0 ms, more than/,
  );
  assert.is(
    failuresOf(60, (second) => ({ delay: second % 3 === 0 ? 200 : 10 })),
    '',
  );
});

test('a call that never settled and a signal that never arrived are found', () => {
  const ledger = new Ledger();
  ledger.calls = 1;
  ledger.emits = 1;
  assert.equal(judge(samples(60), ledger).failures, ['1 calls, but 0 settled', '1 signals, but 0 arrived']);
});

test('a call that never settles ends the soak, and is reported', async () => {
  const never = new Promise<void>(() => {});
  const load = { rounds: { never: (_: unknown, ledger: Ledger) => ledger.succeeds(never) } };
  const { failures } = await soak(30, { load, patience: 500 });
  assert.is(failures[0], 'did not end within 500 ms: never');
  assert.ok(failures.includes('1 calls, but 0 settled'), failures.join('\n'));
});

test('a load that blocks the loop is found by the delay', async () => {
  const block = async () => {
    const end = performance.now() + 150;
    while (performance.now() < end);
  };
  const { failures } = await soak(10, { load: { rounds: { block } } });
  assert.match(failures.join('\n'), /Event-loop delay, mean: \d+\.\d ms, more than/);
});

test('half a minute of mixed load, or more until the result is certain: nothing grows, nothing is lost', async () => {
  // Memory that was large in a few samples can leave open whether it grew; three times the duration decides. Certain
  // growth, and lost messages, fail at once.
  let result = await soak(30);
  const wrong = wrongIn(result);
  if (wrong.length > 0 && wrong.every((failure) => failure.includes(': too short to tell: '))) result = await soak(90);
  assert.equal(wrongIn(result), []);
  const { calls, emits } = result.ledger;
  assert.ok(calls > 1000 && emits > 1000, `${calls} calls and ${emits} signals`);
});

/** Resident memory varies by more than its limit: a minute decides neither. `npm run soak` lasts until it is decided. */
function wrongIn({ failures }: SoakResult): readonly string[] {
  return failures.filter((failure) => !failure.startsWith('Resident memory: too short to tell'));
}

test.run();
