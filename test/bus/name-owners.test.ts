// The owner of a name when the bus reports it late, or not at all. The test plays the bus, because the order of its
// messages matters; names.test.ts and signals.test.ts use real daemons.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AccessDeniedError, connect, defineInterface, LimitsExceededError } from '../../src/index.js';
import { busMessage, ownerChanged, refusalTo } from '../helpers/bus-words.js';
import { FakeBus, PEER } from '../helpers/fake-bus.js';
import { rejection } from '../helpers/rejection.js';
import type { SentMessage } from '../helpers/wire-reader.js';

const NAME = 'org.example.Owned';
const LATER = ':1.9';

const test = suite('name owners');

const said = (sender = PEER) => busMessage({ type: 4, path: '/', interface: NAME, member: 'Said', sender });

function noteProblems(): { readonly problems: readonly unknown[]; stop(): void } {
  const problems: unknown[] = [];
  const note = (problem: unknown) => void problems.push(problem);
  subscribe('busbar:problem', note);
  return { problems, stop: () => unsubscribe('busbar:problem', note) };
}

const isFollowUp = ({ member, text: rule }: SentMessage) => member === 'AddMatch' && rule?.includes('NameOwnerChanged');

for (const [what, after, told] of [
  ['changes hands', LATER, LATER],
  ['loses its owner', '', 'none'],
] as const) {
  test(`a watcher that begins while a name ${what} gets that change, and no older one after it`, async () => {
    await using server = await FakeBus.start();
    await using bus = await connect({ address: server.address });
    const peer = await server.accepted();
    const heard: string[] = [];
    const watcher = { appeared: (owner: string) => void heard.push(owner), vanished: () => void heard.push('none') };
    using _first = bus.watchName(NAME, {});
    using _listener = bus.subscribe({ interface: NAME }, () => void bus.watchName(NAME, watcher));
    await bus.listNames();
    peer.inject(said(), ownerChanged(NAME, PEER, after));
    await bus.listNames();
    await new Promise((resolve) => setImmediate(resolve));
    // An older owner before it is correct: a pause between the two messages causes it.
    assert.is(heard.at(-1), told);
  });
}

test('a subscription by a name is refused if its owner cannot be followed, and works again with the next one', async () => {
  const calls: SentMessage[] = [];
  let isFull = true;
  await using server = await FakeBus.start({
    answer: (call) => {
      calls.push(call);
      return isFull && isFollowUp(call) ? refusalTo(call, 'LimitsExceeded') : undefined;
    },
  });
  await using bus = await connect({ address: server.address });
  const peer = await server.accepted();
  const heard: unknown[] = [];
  const listen = () => bus.subscribe({ sender: NAME, interface: NAME }, ({ sender }) => void heard.push(sender));
  assert.instance(await rejection(listen().ready), LimitsExceededError);
  await bus.listNames();
  assert.is(calls.filter(({ member }) => member === 'RemoveMatch').length, 1);
  assert.is(bus.stats().matchRules, 0);
  isFull = false;
  await listen().ready;
  peer.inject(said(), ownerChanged(NAME, PEER, LATER), said(), said(LATER));
  await bus.listNames();
  assert.equal(heard, [PEER, PEER, LATER, LATER]);
});

test('a subscription by a name is refused if the bus does not return the owner', async () => {
  await using server = await FakeBus.start({
    answer: (call) => (call.member === 'GetNameOwner' ? refusalTo(call, 'AccessDenied') : undefined),
  });
  await using bus = await connect({ address: server.address });
  const subscription = bus.subscribe({ sender: NAME, interface: NAME }, () => {});
  assert.instance(await rejection(subscription.ready), AccessDeniedError);
  assert.is(bus.stats().matchRules, 0);
});

test('an iterator whose signals the bus refuses throws instead of ending', async () => {
  await using server = await FakeBus.start({
    answer: (call) => (call.member === 'AddMatch' ? refusalTo(call, 'LimitsExceeded') : undefined),
  });
  await using bus = await connect({ address: server.address });
  const Speaker = defineInterface(NAME, { signals: { Said: {} } });
  const speaker = bus.proxy(Speaker, PEER, '/');
  const loop = async () => {
    for await (const _ of speaker.watch.Said()) assert.unreachable();
  };
  assert.instance(await rejection(loop()), LimitsExceededError);
  const late = speaker.watch.Said();
  await bus.listNames();
  assert.instance(await rejection(late.next()), LimitsExceededError);
  assert.equal(await late.next(), { value: undefined, done: true });
});

test('a refused rule is reported for a listener that did not wait, whatever other listeners do', async () => {
  await using server = await FakeBus.start({
    answer: (call) => (call.member === 'AddMatch' ? refusalTo(call, 'LimitsExceeded') : undefined),
  });
  await using bus = await connect({ address: server.address });
  for (const [others, expected] of [
    [1, 1],
    [0, 0],
  ] as const) {
    const { problems, stop } = noteProblems();
    const rule = { interface: NAME, member: `With${others}` };
    const asking = bus.subscribe(rule, () => {});
    for (let i = 0; i < others; i++) bus.subscribe(rule, () => {});
    assert.instance(await rejection(asking.ready), LimitsExceededError);
    stop();
    assert.is(problems.length, expected);
  }
});

test('if the bus refuses the rule, a watcher still gets the present state', async () => {
  for (const [answer, told] of [
    ['NameHasNoOwner', 'none'],
    [undefined, PEER],
  ] as const) {
    await using server = await FakeBus.start({
      answer: (call) => {
        if (isFollowUp(call)) return refusalTo(call, 'LimitsExceeded');
        return call.member === 'GetNameOwner' && answer !== undefined ? refusalTo(call, answer) : undefined;
      },
    });
    await using bus = await connect({ address: server.address });
    const heard: string[] = [];
    bus.watchName(NAME, { appeared: (owner) => void heard.push(owner), vanished: () => void heard.push('none') });
    await bus.listNames();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(heard, [told]);
  }
});

test.run();
