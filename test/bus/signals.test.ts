// Signals over a real bus: which listeners get them, in which order, and which senders are ignored.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  defineInterface,
  InvalidArgumentError,
  implement,
  type Message,
  MessageType,
} from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { thrown } from '../helpers/rejection.js';

const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const service = await connect({ address: daemon.address });
const third = await connect({ address: daemon.address });
const test = suite('signals');

const Beacon = defineInterface('org.example.Beacon', {
  methods: { Ping: { in: 's' } },
  signals: { Lit: { args: ['text:s'] }, Moved: { args: ['x:i', 'y:i'] }, Out: {} },
});
const beacon = implement(Beacon, {
  Ping: (text) => {
    beacon.emit.Lit(text);
  },
});
service.export('/beacon', beacon);
await service.requestName('org.example.Beacon');
const proxy = client.proxy(Beacon, 'org.example.Beacon', '/beacon');

/** Waits until everything that was sent before has arrived at `client`: a bus keeps the order. */
async function settled(from = service): Promise<void> {
  await from.call({
    destination: 'org.freedesktop.DBus',
    path: '/',
    interface: 'org.freedesktop.DBus.Peer',
    member: 'Ping',
  });
  await client.call({
    destination: 'org.freedesktop.DBus',
    path: '/',
    interface: 'org.freedesktop.DBus.Peer',
    member: 'Ping',
  });
}

test.after(async () => {
  await Promise.all([client.close(), service.close(), third.close()]);
  await daemon.stop();
});

test('a listener gets the values of the signal', async () => {
  const heard: unknown[] = [];
  using _lit = proxy.on.Lit((text) => heard.push(text));
  using _moved = proxy.on.Moved((x, y) => heard.push([x, y]));
  using _out = proxy.on.Out((...values: unknown[]) => heard.push(values));
  await settled(client);
  beacon.emit.Lit('hello');
  beacon.emit.Moved(1, -2);
  beacon.emit.Out();
  await settled();
  assert.equal(heard, ['hello', [1, -2], []]);
});

test('a subscription made before a call gets the signals that the call causes, without awaiting', async () => {
  const heard: string[] = [];
  using _lit = proxy.on.Lit((text) => heard.push(text));
  await proxy.call.Ping('caused');
  await settled();
  assert.equal(heard, ['caused']);
});

test('code that awaits a reply can subscribe before the signal after the reply is handled', async () => {
  // The service answers and emits at once: both may arrive in one batch.
  for (let round = 0; round < 50; round++) {
    const heard: string[] = [];
    using _first = proxy.on.Out(() => {});
    await client.call({
      destination: 'org.example.Beacon',
      path: '/beacon',
      interface: 'org.example.Beacon',
      member: 'Ping',
      signature: 's',
      body: [`${round}`],
    });
    using _lit = proxy.on.Lit((text) => heard.push(text));
    await proxy.call.Ping(`again ${round}`);
    await settled();
    assert.equal(heard, [`again ${round}`]);
  }
});

test('an ended subscription gets no signals, and ending it twice has no effect', async () => {
  const heard: string[] = [];
  const subscription = proxy.on.Lit((text) => heard.push(text));
  subscription.end();
  subscription.end();
  await proxy.call.Ping('unheard');
  await settled();
  assert.equal(heard, []);
});

test('equal rules are one rule at the bus', async () => {
  const before = client.stats().matchRules;
  const first = proxy.on.Lit(() => {});
  const rules = client.stats().matchRules;
  const second = proxy.on.Lit(() => {});
  assert.is(client.stats().matchRules, rules);
  first.end();
  assert.is(client.stats().matchRules, rules);
  second.end();
  assert.is(client.stats().matchRules, before);
});

test('listeners run in the order in which they subscribed, whatever their rules', async () => {
  const order: number[] = [];
  using _1 = client.subscribe({ interface: 'org.example.Beacon' }, () => order.push(1));
  using _2 = proxy.on.Lit(() => order.push(2));
  using _3 = client.subscribe({ path: '/beacon', member: 'Lit' }, () => order.push(3));
  using _4 = client.subscribe({ interface: 'org.example.Beacon' }, () => order.push(4));
  await proxy.call.Ping('order');
  await settled();
  assert.equal(order, [1, 2, 3, 4]);
});

test('a listener that throws or rejects does not keep other listeners from running', async () => {
  const heard: string[] = [];
  using _1 = proxy.on.Lit(() => {
    throw new Error('a bad listener');
  });
  using _2 = proxy.on.Lit(async () => {
    throw new Error('a bad asynchronous listener');
  });
  using _3 = proxy.on.Lit((text) => heard.push(text));
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  await proxy.call.Ping('loud');
  await settled();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  assert.equal(heard, ['loud']);
  assert.ok(warnings.some(({ message }) => message.includes('a bad listener')));
  assert.ok(warnings.some(({ message }) => message.includes('a bad asynchronous listener')));
});

test('a message handler that throws or rejects has not handled the message, and ends nothing', async () => {
  const warnings: string[] = [];
  const note = ({ message }: Error) => void warnings.push(message);
  process.on('warning', note);
  const heard: string[] = [];
  using _listener = proxy.on.Lit((text) => void heard.push(text));
  using _rejecting = client.addMessageHandler((async () => assert.unreachable('as always')) as never);
  using _throwing = client.addMessageHandler(() => assert.unreachable('as always'));
  await proxy.call.Ping('handled');
  await settled();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  assert.equal(heard, ['handled']);
  assert.ok(
    warnings.length >= 2 && warnings.every((text) => text.startsWith('a message handler failed')),
    `${warnings}`,
  );
});

test('a listener may subscribe and unsubscribe while it runs', async () => {
  const heard: string[] = [];
  const first = proxy.on.Lit(() => {
    first.end();
    late = proxy.on.Lit((text) => heard.push(`late ${text}`));
  });
  let late: Disposable | undefined;
  await proxy.call.Ping('1');
  await proxy.call.Ping('2');
  await settled();
  late?.[Symbol.dispose]();
  assert.equal(heard, ['late 2']);
});

test('a directed signal reaches its receiver without any match rule', async () => {
  const seen: Message[] = [];
  using _handler = client.addMessageHandler((message) => void seen.push(message));
  service.emit({ path: '/beacon', interface: 'org.example.Direct', member: 'Psst', destination: client.uniqueName });
  await settled();
  const direct = seen.find(({ member }) => member === 'Psst');
  assert.is(direct?.sender, service.uniqueName);
  assert.is(direct?.type, MessageType.Signal);
});

test('a subscription filters on arguments exactly, whatever they contain', async () => {
  const odd = "it's, a \\ 'quoted' = text";
  const heard: unknown[] = [];
  using _odd = client.subscribe({ interface: 'org.example.Beacon', arg0: odd }, ({ body }) => heard.push(body[0]));
  await settled(client);
  beacon.emit.Lit("it's");
  beacon.emit.Lit(odd);
  await settled();
  assert.equal(heard, [odd]);
});

test('path namespaces and argument namespaces match names below them and no others', async () => {
  const heard: string[] = [];
  using _below = client.subscribe({ pathNamespace: '/a/b' }, ({ path }) => heard.push(path as string));
  using _names = client.subscribe({ interface: 'org.example.Names', arg0namespace: 'com.example' }, ({ body }) =>
    heard.push(body[0] as string),
  );
  await settled(client);
  for (const path of ['/a', '/a/b', '/a/b/c', '/a/bc'])
    service.emit({ path, interface: 'org.example.Tree', member: 'X' });
  for (const name of ['com.example', 'com.example.deep', 'com.examples']) {
    service.emit({ path: '/x', interface: 'org.example.Names', member: 'X', signature: 's', body: [name] });
  }
  await settled();
  assert.equal(heard, ['/a/b', '/a/b/c', 'com.example', 'com.example.deep']);
});

test('an invalid rule is refused at once', () => {
  assert.instance(
    thrown(() => client.subscribe({ path: 'x' }, () => {})),
    InvalidArgumentError,
  );
  assert.instance(
    thrown(() => client.subscribe({ path: '/x', pathNamespace: '/x' }, () => {})),
    InvalidArgumentError,
  );
});

test('a signal that a third connection sends in the name of a service is not delivered', async () => {
  const heard: string[] = [];
  using _lit = proxy.on.Lit((text) => heard.push(text));
  await settled(client);
  const forged = { path: '/beacon', interface: 'org.example.Beacon', member: 'Lit', signature: 's', body: ['forged'] };
  third.emit({ ...forged, destination: client.uniqueName });
  third.emit(forged);
  await settled(third);
  beacon.emit.Lit('genuine');
  await settled();
  assert.equal(heard, ['genuine']);
});

test('a third connection cannot forge a change of owner', async () => {
  const heard: string[] = [];
  using _lit = proxy.on.Lit((text) => heard.push(text));
  await settled(client);
  third.emit({
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'NameOwnerChanged',
    signature: 'sss',
    body: ['org.example.Beacon', service.uniqueName, third.uniqueName],
    destination: client.uniqueName,
  });
  third.emit({
    path: '/beacon',
    interface: 'org.example.Beacon',
    member: 'Lit',
    signature: 's',
    body: ['forged'],
    destination: client.uniqueName,
  });
  await settled(third);
  assert.equal(heard, []);
});

test('a message handler, and a subscription without a sender, get the signals of every sender', async () => {
  await using third = await connect({ address: daemon.address });
  const rule = { interface: 'org.example.AnySender', member: 'Said' };
  const heard: unknown[] = [];
  const handled: unknown[] = [];
  using _subscription = client.subscribe(rule, ({ sender }) => void heard.push(sender));
  using _handler = client.addMessageHandler(({ member, sender }) => {
    if (member === 'Said') handled.push(sender);
    return false;
  });
  await _subscription.ready;
  for (const bus of [service, third]) {
    bus.emit({ path: '/', ...rule });
    await bus.listNames();
  }
  await client.listNames();
  const senders = [service.uniqueName, third.uniqueName];
  assert.equal(heard, senders);
  assert.equal(handled, senders);
});

test('a reply from a connection that was not called does not settle a call', async () => {
  const Slow = defineInterface('org.example.Slow', { methods: { Wait: { out: 's' } } });
  let arrived!: (answer: (text: string) => void) => void;
  const asked = new Promise<(text: string) => void>((resolve) => {
    arrived = resolve;
  });
  using _slow = service.export('/slow', implement(Slow, { Wait: () => new Promise<string>(arrived) }));
  const call = client.proxy(Slow, service.uniqueName as string, '/slow').call.Wait();
  const answer = await asked;
  for (let replySerial = 1; replySerial < 2000; replySerial++) {
    third.send({
      type: MessageType.MethodReturn,
      destination: client.uniqueName,
      replySerial,
      signature: 's',
      body: ['forged'],
    });
  }
  await settled(third);
  answer('genuine');
  assert.is(await call, 'genuine');
});

test('signals follow the name to its new owner', async () => {
  const heard: string[] = [];
  const Moving = defineInterface('org.example.Moving', { signals: { Here: { args: 's' } } });
  const one = implement(Moving, {});
  const two = implement(Moving, {});
  using _one = service.export('/moving', one);
  using _two = third.export('/moving', two);
  const name = await service.requestName('org.example.Moving');
  using _here = client.proxy(Moving, 'org.example.Moving', '/moving').on.Here((text) => heard.push(text));
  await settled(client);
  one.emit.Here('one');
  two.emit.Here('not yet');
  await settled();
  await settled(third);
  await name.release();
  await using _taken = await third.requestName('org.example.Moving');
  two.emit.Here('two');
  one.emit.Here('no longer');
  await settled(third);
  await settled();
  assert.equal(heard, ['one', 'two']);
});

test('signals of the bus itself can be subscribed to', async () => {
  const names: unknown[] = [];
  using _names = client.subscribe(
    { sender: 'org.freedesktop.DBus', member: 'NameOwnerChanged', arg0: 'org.example.New' },
    ({ body }) => names.push(body),
  );
  await settled(client);
  const name = await service.requestName('org.example.New');
  await name.release();
  await settled();
  assert.equal(names, [
    ['org.example.New', '', service.uniqueName],
    ['org.example.New', service.uniqueName, ''],
  ]);
});

test('once resolves with the next signal and ends its subscription', async () => {
  const before = client.stats().matchRules;
  const next = proxy.once.Moved();
  await settled(client);
  beacon.emit.Moved(3, 4);
  beacon.emit.Moved(5, 6);
  assert.equal([...(await next)], [3, 4]);
  assert.is(client.stats().matchRules, before);
});

test('watch iterates over signals, keeps those that a slow loop has not taken, and ends with the loop', async () => {
  const before = client.stats().matchRules;
  const seen: string[] = [];
  const watching = proxy.watch.Lit();
  await settled(client);
  for (const text of ['a', 'b', 'c']) beacon.emit.Lit(text);
  for await (const [text] of watching) {
    seen.push(text);
    if (text === 'c') break;
  }
  assert.equal(seen, ['a', 'b', 'c']);
  assert.is(client.stats().matchRules, before);
});

test('a watch drops the oldest signals beyond its limit and counts them', async () => {
  using watching = proxy.watch.Lit({ limit: 2 });
  await settled(client);
  for (const text of ['a', 'b', 'c', 'd']) beacon.emit.Lit(text);
  await settled();
  assert.is(watching.dropped, 2);
  assert.equal((await watching.next()).value, ['c']);
});

test('a watch without a limit keeps 1024 signals', async () => {
  using watching = proxy.watch.Lit();
  await settled(client);
  for (let number = 0; number < 1024; number++) beacon.emit.Lit(`${number}`);
  await settled();
  assert.is(watching.dropped, 0);
  beacon.emit.Lit('1024');
  await settled();
  assert.is(watching.dropped, 1);
  assert.equal((await watching.next()).value, ['1']);
});

test.run();
