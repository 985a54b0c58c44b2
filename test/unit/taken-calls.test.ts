// Calls that message handlers took: random steps against a model of the callers with unfinished calls.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FollowedCallers } from '../../src/bus/callers/followed-callers.js';
import { CallsAtWork } from '../../src/bus/calls-at-work.js';
import { TakenCalls } from '../../src/bus/taken-calls.js';
import { CONNECTION_LIMITS } from '../../src/connection/limits.js';
import { MessageFlag } from '../../src/connection/message.js';
import type { Inbox } from '../../src/connection/receiving/inbox.js';

const test = suite('taken calls');
const MAXIMUM = 5;

/** The callers that are watched, as keys. */
class Followed {
  readonly followed = new Map<string, () => void>();

  follow(name: string, left: () => void) {
    assert.not(this.followed.has(name), `${name} is followed twice`);
    this.followed.set(name, left);
    return () => void this.followed.delete(name);
  }

  leave(name: string): void {
    this.followed.get(name)?.();
  }
}

const step = fc.record({
  what: fc.constantFrom('take', 'take', 'answer', 'answerAtOnce', 'pass', 'noReply', 'leave', 'wait', 'stop'),
  serial: fc.integer({ min: 1, max: 6 }),
  caller: fc.nat(2),
  user: fc.nat(1),
});

for (const isPeer of [false, true]) {
  test(`a taken call counts until it is answered, its caller left, or too many followed, ${isPeer ? 'of a peer' : 'on a bus'}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const taken = new TakenCalls(isPeer, MAXIMUM);
        const followed = new Followed();
        const whole = new CallsAtWork();
        const users = [new CallsAtWork(whole), new CallsAtWork(whole)];
        const callers = [':1.1', ':1.2', ':1.3'];
        const present = new Set(callers);
        /** The model: the calls that were taken, in order. */
        let calls: { readonly key: string; readonly caller: string; readonly user: number }[] = [];
        const stops: (() => void)[] = [];
        const remove = (key: string) => {
          calls = calls.filter((call) => call.key !== key);
        };
        for (const { what, serial, caller: which, user } of steps) {
          const caller = callers[which] as string;
          const key = isPeer ? `${serial}` : `${serial} ${caller}`;
          const flags = what === 'noReply' ? MessageFlag.NoReplyExpected : 0;
          const received = { serial, sender: isPeer ? undefined : caller, flags } as unknown as Inbox;
          const isThere = isPeer || present.has(caller);
          if (what === 'answer') {
            taken.answer(serial, caller);
            remove(key);
          } else if (what === 'leave') {
            if (isPeer) continue;
            present.delete(caller);
            followed.leave(caller);
            if (stops.length > 0) calls = calls.filter((call) => call.caller !== caller);
          } else if (what === 'wait') {
            stops.push(taken.giveUpWithCallers(followed as unknown as FollowedCallers, async () => [...present]));
            await new Promise(setImmediate);
            if (!isPeer) calls = calls.filter((call) => present.has(call.caller));
          } else if (what === 'stop') {
            const stop = stops.pop();
            stop?.();
            stop?.();
          } else if (isThere) {
            taken.offer(received);
            if (what === 'pass') continue;
            if (what === 'answerAtOnce') {
              taken.answer(serial, caller);
              remove(key);
            }
            taken.take(users[user] as CallsAtWork, followed as unknown as FollowedCallers);
            if (what !== 'take') continue;
            remove(key);
            if (calls.length === MAXIMUM) calls.shift();
            calls.push({ key, caller, user });
          }
          for (const [index, each] of users.entries()) {
            assert.is(
              each.isEmpty,
              calls.every((call) => call.user !== index),
            );
          }
          assert.is(whole.isEmpty, calls.length === 0);
          if (stops.length === 0) assert.is(followed.followed.size, 0);
        }
        for (const { key } of calls) taken.answer(Number(key.split(' ')[0]), key.split(' ')[1]);
        await Promise.all([whole, ...users].map((each) => each.done()));
        assert.is(whole.isEmpty, true);
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });
}

test('by default 4096 calls are remembered: the next one displaces the first', () => {
  const taken = new TakenCalls(true, CONNECTION_LIMITS.callsInProgress);
  const [first, others] = [new CallsAtWork(), new CallsAtWork()];
  for (let serial = 1; serial <= 4096; serial++) {
    taken.offer({ serial, flags: 0 } as unknown as Inbox);
    taken.take(serial === 1 ? first : others, new Followed() as unknown as FollowedCallers);
  }
  assert.is(first.isEmpty, false);
  taken.offer({ serial: 4097, flags: 0 } as unknown as Inbox);
  taken.take(others, new Followed() as unknown as FollowedCallers);
  assert.is(first.isEmpty, true);
});

test('waiting for unfinished calls ends when there are none, also if more have come by then', async () => {
  const whole = new CallsAtWork();
  const one = new CallsAtWork(whole);
  const heard: string[] = [];
  one.begin();
  const waiting = [one.done().then(() => heard.push('one')), whole.done().then(() => heard.push('whole'))];
  one.end();
  // The same batch brings another one.
  one.begin();
  await new Promise(setImmediate);
  assert.equal(heard, []);
  one.end();
  await Promise.all(waiting);
  assert.equal(heard.sort(), ['one', 'whole']);
});

test.run();
