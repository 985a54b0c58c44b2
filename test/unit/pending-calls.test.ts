// The time limit of a call without `timeout`.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Deadlines, type Expiring } from '../../src/connection/sending/deadlines.js';
import { PendingCalls, takeValues } from '../../src/connection/sending/pending-calls.js';
import { MessageType, TimeoutError } from '../../src/index.js';
import { arrivals } from '../helpers/arrivals.js';
import { rejection } from '../helpers/rejection.js';

const test = suite('pending calls');

/** Records the deadlines, and leaves their expiry to the test. */
class Noted extends Deadlines {
  readonly entries: [number, Expiring][] = [];

  override add(duration: number, entry: Expiring): void {
    this.entries.push([duration, entry]);
  }
}

test('a call without a time limit has 25 seconds, and one with `Infinity` has none', async () => {
  const deadlines = new Noted(arrivals());
  const calls = new PendingCalls(deadlines, 1, false, () => {});
  const head = { type: MessageType.MethodCall, path: '/', member: 'Wait' };
  const waiting = calls.wait(1, head, {}, takeValues);
  void calls.wait(2, head, { timeout: 5 }, takeValues).catch(() => {});
  void calls.wait(3, head, { timeout: Number.POSITIVE_INFINITY }, takeValues).catch(() => {});
  assert.equal(
    deadlines.entries.map(([duration]) => duration),
    [25_000, 5],
  );
  deadlines.entries[0]?.[1].expire();
  const error = await rejection(waiting);
  assert.instance(error, TimeoutError);
  assert.match((error as Error).message, 'no reply within 25000 ms');
  assert.is(calls.size, 2);
});

test.run();
