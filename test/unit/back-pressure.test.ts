// When reading pauses and resumes, compared with a count of the queued bytes, and with a clock.
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DBusError, LimitsExceededError } from '../../src/base/errors.js';
import { BackPressure, STALL_LIMIT } from '../../src/connection/sending/back-pressure.js';
import { until } from '../helpers/until.js';

const test = suite('back-pressure');

test('by default, a pause in which nothing is written lasts for ten seconds', () => {
  assert.is(STALL_LIMIT, 10_000);
});

const LIMIT = 1000;

/** The bytes that wait in the addon, first in, first out, and the last instruction to the connection. */
class Kernel {
  readonly queue: { bytes: number; readonly isAnswer: boolean }[] = [];
  paused = false;
  failure: DBusError | undefined;
  readonly pressure: BackPressure;

  constructor(patience?: number) {
    const native = {
      pause: () => {
        this.paused = true;
      },
      resume: () => {
        this.paused = false;
      },
    };
    this.pressure = new BackPressure(native, {
      limit: LIMIT,
      waiting: () => this.waiting,
      fail: (reason) => {
        this.failure = reason;
        this.pressure.end();
      },
      patience,
    });
  }

  get waiting(): number {
    return this.queue.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get answers(): number {
    return this.queue.reduce((sum, { bytes, isAnswer }) => sum + (isAnswer ? bytes : 0), 0);
  }

  push(bytes: number, isAnswer: boolean): void {
    this.queue.push({ bytes, isAnswer });
    this.pressure.handedOver(bytes, isAnswer ? bytes : 0, this.waiting);
  }

  write(bytes: number): void {
    for (let left = bytes; left > 0 && this.queue[0] !== undefined; ) {
      const first = this.queue[0];
      const part = Math.min(left, first.bytes);
      first.bytes -= part;
      left -= part;
      if (first.bytes === 0) this.queue.shift();
    }
    if (this.waiting <= LIMIT / 2) this.pressure.update(this.waiting);
  }
}

test('reading pauses when answers exceed the limit, and resumes when half of it waits, whatever else is sent', () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 700 }), isAnswer: fc.boolean() }),
    fc.record({ write: fc.integer({ min: 1, max: 900 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const kernel = new Kernel();
      let paused = false;
      for (const each of steps) {
        if ('push' in each) kernel.push(each.push, each.isAnswer);
        else kernel.write(each.write);
        const { answers, waiting } = kernel;
        if (waiting <= LIMIT / 2) paused = false;
        // Small answers are counted together until the last of them is written.
        assert.ok(kernel.pressure.answers >= answers, `${kernel.pressure.answers} < ${answers}`);
        if (answers > LIMIT) paused = true;
        if (paused) assert.ok(kernel.paused, `${answers} bytes of answers wait and reading goes on`);
        if (waiting <= LIMIT) assert.ok(!kernel.paused || paused || waiting > LIMIT / 2);
        assert.is(kernel.pressure.isPaused, kernel.paused);
      }
      kernel.write(Number.MAX_SAFE_INTEGER);
      assert.equal([kernel.paused, kernel.pressure.answers], [false, 0]);
      kernel.pressure.end();
    }),
    { numRuns: 2000, endOnFailure: true },
  );
});

test('messages that the program sends never pause reading', () => {
  const kernel = new Kernel();
  for (let i = 0; i < 100; i++) kernel.push(LIMIT, false);
  assert.is(kernel.paused, false);
});

test('a pause in which nothing is written ends, and allows up to four times the limit; then the connection ends', async () => {
  const kernel = new Kernel(20);
  kernel.push(LIMIT + 1, true);
  assert.is(kernel.paused, true);
  await until(() => !kernel.paused);
  kernel.push(LIMIT * 2, true);
  assert.is(kernel.paused, false);
  kernel.push(LIMIT, true);
  assert.is(kernel.paused, true);
  assert.is(kernel.failure, undefined);
  await until(() => kernel.failure !== undefined);
  assert.instance(kernel.failure, LimitsExceededError);
});

test('a pause may last for any time as long as bytes are written', async () => {
  const kernel = new Kernel(500);
  kernel.push(100 * LIMIT, true);
  for (let i = 0; i < 300; i++) {
    kernel.write(1);
    await delay(4);
  }
  assert.equal([kernel.paused, kernel.failure], [true, undefined]);
  kernel.write(100 * LIMIT);
  assert.is(kernel.paused, false);
});

test.run();
