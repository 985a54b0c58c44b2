// What the bus reports of names reaches the bookkeeping of busbar, whatever the handlers and listeners of the program do.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement, type Message, MessageType } from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('own books');
const NAME = 'org.example.Kept';
const Kept = defineInterface(NAME, { methods: { Ask: { out: 's' } }, signals: { Said: { args: 's' } } });

/** A connection that owns the name and answers calls to it. */
async function serve(address: string, answer: string) {
  const bus = await connect({ address });
  const kept = implement(Kept, { Ask: () => answer });
  bus.export('/', kept);
  await bus.requestName(NAME);
  return { bus, kept };
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  testUnless(PrivateBus.missing({ daemon }), test, `a message handler that takes every signal: ${daemon}`, async () => {
    await using server = await PrivateBus.start({ daemon });
    await using client = await connect({ address: server.address });
    const seen: (string | undefined)[] = [];
    using _greedy = client.addMessageHandler(({ type, member }: Message) => {
      if (type === MessageType.Signal) seen.push(member);
      return type === MessageType.Signal;
    });
    const told: string[] = [];
    using _watch = client.watchName(NAME, {
      appeared: (owner) => told.push(owner),
      vanished: () => told.push('none'),
    });
    const proxy = client.proxy(Kept, NAME, '/');
    const first = await serve(server.address, 'first');
    assert.is(await proxy.call.Ask(), 'first');
    await first.bus.close();
    const second = await serve(server.address, 'second');
    // The reply comes from a connection that busbar must know to be the owner.
    assert.is(await proxy.with({ timeout: 20_000 }).call.Ask(), 'second');
    await client.listNames();
    assert.equal(told, ['none', first.bus.uniqueName, 'none', second.bus.uniqueName].filter(Boolean));

    // Different names for each case.
    const owned = await client.requestName('org.example.Mine', { allowReplacement: true, queue: true });
    await owned.acquired;
    assert.is(owned.state, 'owned');
    const taken = await second.bus.requestName('org.example.Mine', { replace: true });
    await owned.lost;
    assert.is(owned.state, 'queued');
    await taken.release();
    await owned.acquired;
    assert.is(owned.state, 'owned');
    assert.ok(seen.includes('NameOwnerChanged') && seen.includes('NameLost') && seen.includes('NameAcquired'));
    await second.bus.close();
  });
}

test('the guide is right about leaks: all counts return to their initial values', async () => {
  await using server = await PrivateBus.start();
  await using client = await connect({ address: server.address });
  const { bus: service } = await serve(server.address, 'answer');
  const held = () => {
    const { subscriptions, matchRules, ownedNames, pendingCalls, exportedObjects } = client.stats();
    return { subscriptions, matchRules, ownedNames, pendingCalls, exportedObjects };
  };
  const before = held();
  const proxy = client.proxy(Kept, NAME, '/');
  assert.is(await proxy.call.Ask(), 'answer');
  const ends = [
    proxy.on.Said(() => {}),
    proxy.onChange(() => {}),
    proxy.watch.Said(),
    client.subscribe({ sender: NAME }, () => {}),
    client.watchName(NAME, {}),
    client.addMessageHandler(() => {}),
    client.export('/', implement(Kept, { Ask: () => '' })),
  ];
  const name = await client.requestName('org.example.Guide');
  assert.is(client.stats().calledNames, 1);
  assert.equal(held(), { subscriptions: 5, matchRules: 4, ownedNames: 1, pendingCalls: 0, exportedObjects: 1 });
  for (const end of ends) end[Symbol.dispose]();
  await name.release();
  await client.listNames();
  assert.equal(held(), before);
  await service.close();
});

test('a message handler that adds itself again does not run for ever, and each registration ends separately', async () => {
  await using server = await PrivateBus.start();
  await using client = await connect({ address: server.address });
  await using other = await connect({ address: server.address });
  const send = async () => {
    other.emit({ path: '/', interface: NAME, member: 'Said', destination: client.uniqueName });
    await other.listNames();
    await client.listNames();
  };
  let runs = 0;
  let own: Disposable;
  const again = () => {
    if (++runs > 100) throw new Error('it runs for ever');
    own[Symbol.dispose]();
    own = client.addMessageHandler(again);
  };
  own = client.addMessageHandler(again);
  await send();
  assert.is(runs, 1);
  await send();
  assert.is(runs, 2);
  own[Symbol.dispose]();

  let calls = 0;
  const count = () => void calls++;
  const one = client.addMessageHandler(count);
  const two = client.addMessageHandler(count);
  await send();
  assert.is(calls, 2);
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  await send();
  assert.is(calls, 3);
  two[Symbol.dispose]();
  await send();
  assert.is(calls, 3);

  // A handler that another one removed meanwhile is not called.
  const order: string[] = [];
  using _ends = client.addMessageHandler(() => {
    order.push('first');
    ended[Symbol.dispose]();
  });
  const ended = client.addMessageHandler(() => void order.push('ended'));
  await send();
  assert.equal(order, ['first']);
});

test('a message to this connection is delivered whichever of its names the sender used', async () => {
  await using server = await PrivateBus.start();
  await using client = await connect({ address: server.address });
  await using other = await connect({ address: server.address });
  await client.requestName('org.example.First');
  const heard: (string | undefined)[] = [];
  using _all = client.subscribe({ destination: client.uniqueName }, ({ destination }) => heard.push(destination));
  const named: (string | undefined)[] = [];
  using _one = client.subscribe({ destination: 'org.example.First' }, ({ destination }) => named.push(destination));
  await client.requestName('org.example.Second');
  const signal = { path: '/', interface: NAME, member: 'Said' };
  for (const destination of [client.uniqueName, 'org.example.First', 'org.example.Second', undefined]) {
    other.emit({ ...signal, destination });
  }
  await other.listNames();
  await client.listNames();
  const ours = heard.filter((destination) => destination !== undefined);
  assert.equal(ours.slice(-3), [client.uniqueName, 'org.example.First', 'org.example.Second']);
  assert.is(heard.includes(undefined), false);
  assert.equal(named, ['org.example.First']);
});

test.run();
