// Who owns a name, where the bus says it late, or not at all. The bus is played here, because the order of what it says
// matters; names.test.ts and signals.test.ts have the real one.
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
  ['loses its owner', '', 'nobody'],
] as const) {
  test(`who begins to watch while a name ${what} is told of that, and of nothing older behind it`, async () => {
    await using server = await FakeBus.start();
    await using bus = await connect({ address: server.address });
    const peer = await server.accepted();
    const heard: string[] = [];
    const watcher = { appeared: (owner: string) => void heard.push(owner), vanished: () => void heard.push('nobody') };
    using _first = bus.watchName(NAME, {});
    using _listener = bus.subscribe({ interface: NAME }, () => void bus.watchName(NAME, watcher));
    await bus.listNames();
    peer.inject(said(), ownerChanged(NAME, PEER, after));
    await bus.listNames();
    await new Promise((resolve) => setImmediate(resolve));
    // Older news before it are no mistake: a pause between the two messages makes them.
    assert.is(heard.at(-1), told);
  });
}

test('a subscription by a name whose owner cannot be followed is refused, and in force for all with the next one', async () => {
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

test('a subscription by a name whose owner the bus does not say is refused', async () => {
  await using server = await FakeBus.start({
    answer: (call) => (call.member === 'GetNameOwner' ? refusalTo(call, 'AccessDenied') : undefined),
  });
  await using bus = await connect({ address: server.address });
  const subscription = bus.subscribe({ sender: NAME, interface: NAME }, () => {});
  assert.instance(await rejection(subscription.ready), AccessDeniedError);
  assert.is(bus.stats().matchRules, 0);
});

test('a loop over signals that the bus refuses fails, and does not merely end', async () => {
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

test('a refused rule is reported for a listener that did not ask, whoever else did', async () => {
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

test('where the bus takes no rule, who watches is told at least what it says now', async () => {
  for (const [answer, told] of [
    ['NameHasNoOwner', 'nobody'],
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
    bus.watchName(NAME, { appeared: (owner) => void heard.push(owner), vanished: () => void heard.push('nobody') });
    await bus.listNames();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(heard, [told]);
  }
});

test.run();
