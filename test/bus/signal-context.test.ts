// The context of a signal: what a listener with `context: true` gets as its last argument.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ContextOption,
  connect,
  defineInterface,
  InvalidArgumentError,
  implement,
  type MessageBus,
  type SignalContext,
} from '../../src/index.js';
import { Example, exampleObject, PATH, peers } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';

const test = suite('signal context');
const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const services = [await connect({ address: daemon.address }), await connect({ address: daemon.address })] as const;
const [first, second] = services;
const NAME = 'org.example.Beacon';
const Beacon = defineInterface(NAME, { signals: { Lit: { args: 's' }, Out: {}, Sent: { args: 'h' } } });

const implemented = () => implement(Beacon, {});
const [one, other] = [implemented(), implemented()];
first.export('/beacon', one);
first.export('/beacon/of/another/path', one);
second.export('/beacon', other);

/** Waits until everything that a service sent before has arrived at the client: a bus keeps the order. */
async function settled(from: MessageBus): Promise<void> {
  const ping = { path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
  await from.call({ destination: 'org.freedesktop.DBus', ...ping });
  await client.call({ destination: 'org.freedesktop.DBus', ...ping });
}

/** The plain fields of a context: all except its descriptors. */
function headOf({ fileDescriptors, ...head }: SignalContext): object {
  assert.equal(fileDescriptors, []);
  return head;
}

const from = (bus: MessageBus, member: string, destination?: string) => ({
  sender: bus.uniqueName,
  path: '/beacon',
  interface: NAME,
  member,
  destination,
});

test.after(async () => {
  await Promise.all([client, ...services].map((bus) => bus.close()));
  await daemon.stop();
});

test('a listener that asks for the context gets it after the arguments', async () => {
  const proxy = client.proxy(Beacon, first.uniqueName, '/beacon');
  const heard: unknown[] = [];
  using _lit = proxy.on.Lit((text, context) => heard.push([text, headOf(context)]), { context: true });
  using _out = proxy.on.Out((context) => heard.push(headOf(context)), { context: true });
  using _plain = proxy.on.Lit((...values) => heard.push(values));
  using _none = (proxy.on.Out as (listener: (...values: unknown[]) => void, options: object) => Disposable)(
    (...values) => heard.push(values),
    { context: false },
  );
  await settled(client);
  // The same signal is sent from both paths of the object; the proxy is of one of them.
  one.emit.Lit('hello');
  one.emit.Out();
  await settled(first);
  assert.equal(heard, [['hello', from(first, 'Lit')], ['hello'], from(first, 'Out'), []]);
});

test('the context of a signal to one connection has its destination', async () => {
  const proxy = client.proxy(Beacon, first.uniqueName, '/beacon');
  const next = proxy.once.Lit({ context: true });
  await settled(client);
  first.emit({
    path: '/beacon',
    interface: NAME,
    member: 'Lit',
    signature: 's',
    body: ['you'],
    ...(client.uniqueName === undefined ? {} : { destination: client.uniqueName }),
  });
  const [text, context] = await next;
  assert.is(text, 'you');
  assert.equal(headOf(context), from(first, 'Lit', client.uniqueName));
});

test('the sender is the owner of the name, also after a change', async () => {
  const proxy = client.proxy(Beacon, NAME, '/beacon');
  const senders: (string | undefined)[] = [];
  using subscription = proxy.on.Lit((_text, { sender }) => senders.push(sender), { context: true });
  await subscription.ready;
  for (const [bus, beacon] of [
    [first, one],
    [second, other],
  ] as const) {
    const owned = await bus.requestName(NAME);
    beacon.emit.Lit('owned');
    await settled(bus);
    await owned.release();
  }
  assert.equal(senders, [first.uniqueName, second.uniqueName]);
});

test('iterators get it as well', async () => {
  const proxy = client.proxy(Beacon, first.uniqueName, '/beacon');
  using signals = proxy.watch.Lit({ context: true });
  using plain = proxy.watch.Lit();
  await settled(client);
  one.emit.Lit('looped');
  const next = await signals.next();
  assert.not.ok(next.done);
  const [text, context] = next.value as [string, SignalContext];
  assert.equal([text, headOf(context)], ['looped', from(first, 'Lit')]);
  assert.equal((await plain.next()).value, ['looped']);
});

test('a watch that is not iterated ends with `end()`, and with `using`', async () => {
  const proxy = client.proxy(Beacon, first.uniqueName, '/beacon');
  const before = client.stats().subscriptions;
  {
    using watched = proxy.watch.Lit();
    const ended = proxy.watch.Lit();
    assert.is(client.stats().subscriptions, before + 2);
    ended.end();
    assert.is(client.stats().subscriptions, before + 1);
    assert.equal(await ended.next(), { value: undefined, done: true });
    assert.is(watched.dropped, 0);
  }
  assert.is(client.stats().subscriptions, before);
});

test('the descriptors are those of the arguments', async () => {
  const proxy = client.proxy(Beacon, first.uniqueName, '/beacon');
  const heard: unknown[] = [];
  using _sent = proxy.on.Sent(
    (descriptor, { fileDescriptors }) =>
      heard.push([fileDescriptors.length, fileDescriptors[0] === descriptor, descriptor.closed]),
    { context: true },
  );
  await settled(client);
  one.emit.Sent(0);
  await settled(first);
  assert.equal(heard, [[1, true, false]]);
});

test('the context of a signal of a peer has no sender', async () => {
  await using pair = await peers();
  const object = exampleObject();
  pair.accepted.export(PATH, object);
  let heard: SignalContext | undefined;
  const proxy = pair.client.proxy(Example, PATH);
  proxy.on.Said(
    (_text, context) => {
      heard = context;
    },
    { context: true },
  );
  object.emit.Said('here');
  await until(() => heard !== undefined);
  assert.is(heard?.sender, undefined);
  assert.is(heard?.path, PATH);
});

test('a value that is not a boolean is refused, and so are unknown options', async () => {
  const proxy = client.proxy(Beacon, NAME, '/beacon');
  const odd = { context: 'yes' } as unknown as ContextOption;
  const misspelt = { contxt: true } as unknown as ContextOption;
  for (const listen of [() => proxy.on.Out(() => {}, odd), () => proxy.watch.Out(odd)]) {
    assert.instance(thrown(listen), InvalidArgumentError);
    assert.match(String(thrown(listen)), 'context: expected a boolean, got string');
  }
  assert.match(String(await rejection(proxy.once.Out(odd))), 'context: expected a boolean, got string');
  assert.match(
    String(thrown(() => proxy.on.Out(() => {}, misspelt))),
    'on() takes no option "contxt"; did you mean context?',
  );
});

test.run();
