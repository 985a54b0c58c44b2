// Messages as objects: replies as messages, serials that are known before a message is sent, replies and errors for message
// handlers, and all that a monitor receives. A call that is refused here sends nothing.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BackpressureError,
  ConnectionClosedError,
  connect,
  DBusError,
  defineInterface,
  type FileDescriptor,
  InvalidArgumentError,
  implement,
  type Message,
  type MessageBus,
  MessageType,
  ProtocolError,
  Variant,
} from '../../src/index.js';
import { busMessage, strings } from '../helpers/bus-words.js';
import { FakeBus } from '../helpers/fake-bus.js';
import { openFds } from '../helpers/open-fds.js';
import { peers } from '../helpers/peers.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('message level');
const NAME = 'org.example.Level';
const Level = defineInterface(NAME, {
  methods: {
    Echo: { in: 'v', out: 'v' },
    Fail: {},
    Large: { out: 'ay' },
  },
});

const server = await PrivateBus.start();
const service = await connect({ address: server.address });
const client = await connect({ address: server.address });
const makeLevel = () =>
  implement(Level, {
    Echo: (value) => value,
    Fail: () => {
      throw new DBusError('org.example.Error.Failed', 'no');
    },
    Large: () => Buffer.alloc(300_000, 7),
  });
service.export('/', makeLevel());
await service.requestName(NAME);

test.after(async () => {
  await Promise.all([client.close(), service.close()]);
  await server.stop();
});

const ask = { destination: NAME, path: '/', interface: NAME };
const echo = { ...ask, member: 'Echo', signature: 'v', body: ['text'] };

test('a call can resolve with its reply as a message', async () => {
  const before = client.stats().messagesSent;
  for (const message of [
    await client.call({ ...echo, reply: 'message' }),
    await client.call(echo, { reply: 'message' }),
  ] satisfies Message[]) {
    assert.is(message.type, MessageType.MethodReturn);
    assert.is(message.sender, service.uniqueName);
    assert.is(message.destination, client.uniqueName);
    assert.is(message.signature, 'v');
    assert.ok(message.serial > 0);
    assert.type(message.flags, 'number');
    assert.ok((message.replySerial as number) > before);
    // The body can be decoded at any time, and in several ways.
    await client.listNames();
    assert.equal(message.body, ['text']);
    const [wrapped] = message.decode({ variants: 'wrap' }) as [{ readonly signature: string }];
    assert.is(wrapped.signature, 's');
    assert.equal(message.decode(), ['text']);
    assert.equal(message.body, ['text']);
  }
  const large = await client.call({ ...ask, member: 'Large', reply: 'message' });
  await client.listNames();
  assert.equal(large.body, [Buffer.alloc(300_000, 7)]);
  assert.equal(await client.call({ ...echo, reply: 'values' }), ['text']);
  const error = (await rejection(client.call({ ...ask, member: 'Fail', reply: 'message' }))) as DBusError;
  assert.is(error.reply?.sender, service.uniqueName);
  for (const reply of ['mesage', null, 5, {}] as never[]) {
    assert.instance(await rejection(client.call({ ...echo, reply })), InvalidArgumentError);
  }
  assert.instance(await rejection(client.call({ ...echo, noReply: true, reply: 'message' })), InvalidArgumentError);
  assert.is(client.stats().pendingCalls, 0);
});

test('the caller owns the descriptors of a reply that is a message, whenever it decodes the body', async () => {
  await using both = await peers();
  const before = openFds().size;
  both.accepted.addMessageHandler(({ member, serial }) => {
    if (member !== 'Open') return false;
    const answer = { type: MessageType.MethodReturn, replySerial: serial, signature: 'h', body: [1] };
    both.accepted.send(answer);
    return true;
  });
  const { client: caller } = both;
  if (!caller.canSendFileDescriptors) return;
  const reply = await caller.call({ path: '/', interface: NAME, member: 'Open', reply: 'message' });
  await caller.call({ path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
  const [descriptor] = reply.body as [FileDescriptor];
  assert.is(openFds().size, before + 1);
  assert.ok(descriptor.fd > 2);
  assert.is((reply.decode() as [FileDescriptor])[0], descriptor);
  descriptor.close();
  assert.is(openFds().size, before);
});

test('a serial can be reserved before its message is sent, and is used once', async () => {
  const serial = client.reserveSerial();
  const other = client.reserveSerial();
  assert.is.not(serial, other);
  await client.listNames();
  const { replySerial } = await client.call({ ...echo, serial, reply: 'message' });
  assert.is(replySerial, serial);
  for (const wrong of [serial, 12_345, 0, -1, 1.5, '7', null, {}, Number.NaN] as never[]) {
    assert.instance(await rejection(client.call({ ...echo, serial: wrong })), InvalidArgumentError);
    const head = { type: MessageType.Signal, path: '/', interface: NAME, member: 'Said', serial: wrong };
    assert.instance(
      thrown(() => client.send(head)),
      InvalidArgumentError,
    );
  }
  // A refused message has not used the serial.
  assert.instance(await rejection(client.call({ ...echo, body: [], serial: other })), InvalidArgumentError);
  const seen: Message[] = [];
  using _handler = service.addMessageHandler((message) => void seen.push(message));
  const signal = { path: '/', interface: NAME, member: 'Said', destination: service.uniqueName };
  assert.is(client.send({ type: MessageType.Signal, ...signal, serial: other }), other);
  await client.listNames();
  await service.listNames();
  assert.is(seen.find(({ member }) => member === 'Said')?.serial, other);
});

test('a message handler with that option gets replies and errors, once their calls are settled', async () => {
  const seen: Message[] = [];
  const plain: Message[] = [];
  const handler = client.addMessageHandler((message) => void seen.push(message), { replies: true });
  using _plain = client.addMessageHandler((message) => void plain.push(message));
  const serial = client.reserveSerial();
  const pending: number[] = [];
  using _counts = client.addMessageHandler(
    ({ replySerial }) => {
      if (replySerial === serial) pending.push(client.stats().pendingCalls);
      return true;
    },
    { replies: true },
  );
  assert.equal(await client.call({ ...echo, serial }), ['text']);
  assert.equal(pending, [0]);
  await client.call({ ...ask, member: 'Fail' }).catch(() => {});
  const [reply] = seen.filter(({ replySerial }) => replySerial === serial);
  assert.equal([reply?.type, reply?.sender, reply?.body], [MessageType.MethodReturn, service.uniqueName, ['text']]);
  const failed = seen.find(({ type }) => type === MessageType.Error);
  assert.equal([failed?.errorName, failed?.body], ['org.example.Error.Failed', ['no']]);
  assert.is(plain.filter(({ replySerial }) => replySerial !== undefined).length, 0);
  // A call that is sent as a message gets its reply only there.
  const sent = client.send({ type: MessageType.MethodCall, ...echo });
  await client.listNames();
  await service.listNames();
  await until(() => seen.some(({ replySerial }) => replySerial === sent));
  handler[Symbol.dispose]();
  const { length } = seen;
  await client.call(echo);
  assert.is(seen.length, length);
  for (const options of [null, 5, 'replies', { replies: 'yes' }, { replies: null }] as never[]) {
    assert.instance(
      thrown(() => client.addMessageHandler(() => {}, options)),
      InvalidArgumentError,
    );
  }
});

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  testUnless(PrivateBus.missing({ daemon }), test, `a monitor gets messages of all types: ${daemon}`, async () => {
    await using bus = await PrivateBus.start({ daemon });
    await using monitor = await connect({ address: bus.address });
    await using one = await connect({ address: bus.address });
    await using two = await connect({ address: bus.address });
    two.export('/', makeLevel());
    const seen: Message[] = [];
    using _handler = monitor.addMessageHandler(
      (message) => {
        seen.push(message);
        return true;
      },
      { replies: true },
    );
    await monitor.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus.Monitoring',
      member: 'BecomeMonitor',
      signature: 'asu',
      body: [[], 0],
    });
    process.once('warning', () => {});
    const destination = two.uniqueName;
    await one.call({ destination, path: '/', interface: NAME, member: 'Echo', signature: 'v', body: ['watched'] });
    await one.call({ destination, path: '/', interface: NAME, member: 'Missing' }).catch(() => {});
    one.emit({ path: '/', interface: NAME, member: 'Said', destination });
    await one.flush();
    await until(() => seen.some(({ member }) => member === 'Said'));
    const types = new Set(seen.filter(({ sender }) => sender === two.uniqueName).map(({ type }) => type));
    assert.equal([...types].sort(), [MessageType.MethodReturn, MessageType.Error]);
    const reply = seen.find(({ type, sender }) => type === MessageType.MethodReturn && sender === two.uniqueName);
    assert.equal(reply?.body, ['watched']);
    const call = seen.find(({ member }) => member === 'Echo');
    assert.equal([call?.destination, call?.serial], [two.uniqueName, reply?.replySerial]);
  });
}

/** What a connection has sent, and its rules. */
const traces = (bus: MessageBus) => {
  const { messagesSent, matchRules, calledNames, pendingCalls } = bus.stats();
  return { messagesSent, matchRules, calledNames, pendingCalls };
};

test('a call that is refused here sends nothing and watches no name', async () => {
  await using bus = await connect({ address: server.address });
  const destination = 'org.example.NeverCalledBefore';
  const before = traces(bus);
  const refusals: [object, new (...args: never[]) => Error][] = [
    [{ member: 'no member' }, InvalidArgumentError],
    [{ path: 'no path' }, InvalidArgumentError],
    [{ signature: 'u', body: ['no number'] }, InvalidArgumentError],
    [{ signature: 'u', body: [] }, InvalidArgumentError],
    [{ signature: 'h', body: [999_999] }, InvalidArgumentError],
    [{ timeout: -1 }, InvalidArgumentError],
    [{ signal: AbortSignal.abort(new TypeError('aborted')) }, TypeError],
    [{ serial: 3_000_000 }, InvalidArgumentError],
  ];
  for (const [wrong, errorClass] of refusals) {
    const call = { destination, path: '/', interface: NAME, member: 'Ask', ...wrong };
    assert.instance(await rejection(bus.call(call)), errorClass, JSON.stringify(wrong));
    assert.equal(traces(bus), before, JSON.stringify(wrong));
  }
  // Values are read once, although the call is not the first message that is sent.
  let looks = 0;
  const values = {
    get first() {
      looks++;
      return 'value';
    },
  };
  const call = { destination: NAME, path: '/', interface: NAME, member: 'Echo', signature: 'v' };
  assert.equal(await bus.call({ ...call, body: [new Variant('a{ss}', values)] }), [{ first: 'value' }]);
  assert.is(looks, 1);
  assert.is(traces(bus).calledNames, 1);
});

test('a call that is refused because the queue is full watches no name', async () => {
  await using stopped = await PrivateBus.start();
  await using bus = await connect({ address: stopped.address, limits: { queuedBytes: 1000 } });
  process.kill(stopped.pid, 'SIGSTOP');
  const signal = { path: '/', interface: NAME, member: 'Said', signature: 'ay', body: [Buffer.alloc(4_000_000)] };
  let refused = false;
  for (let i = 0; i < 10 && !refused; i++) {
    try {
      bus.emit(signal);
    } catch (error) {
      assert.instance(error, BackpressureError);
      refused = true;
    }
  }
  assert.ok(refused);
  const before = traces(bus);
  const call = { destination: 'org.example.NeverCalledBefore', path: '/', interface: NAME, member: 'Ask' };
  assert.instance(await rejection(bus.call(call)), BackpressureError);
  assert.equal(traces(bus), before);
  process.kill(stopped.pid, 'SIGCONT');
});

test('calls that are refused before they are sent are counted and reported', async () => {
  const bus = await connect({ address: server.address });
  const { connection, calls: before } = bus.stats();
  const events: { readonly serial: number; readonly outcome: string }[] = [];
  const note = (event: unknown) => {
    const { connection: whose, ...rest } = event as { connection: number; serial: number; outcome: string };
    if (whose === connection) events.push(rest);
  };
  subscribe('busbar:call', note);
  const aborted = new TypeError('aborted');
  assert.is(await rejection(bus.call({ ...echo, signal: AbortSignal.abort(aborted) })), aborted);
  assert.instance(await rejection(bus.call({ ...echo, body: [] })), InvalidArgumentError);
  await bus.close();
  assert.instance(await rejection(bus.call(echo)), ConnectionClosedError);
  unsubscribe('busbar:call', note);
  const { calls } = bus.stats();
  assert.equal([calls.abort - before.abort, calls.unsent - before.unsent, calls.closed - before.closed], [1, 1, 1]);
  assert.equal(
    events.map(({ outcome }) => outcome),
    ['abort', 'unsent', 'closed'],
  );
  assert.is(new Set(events.map(({ serial }) => serial)).size, 3);
});

for (const name of ['not-a-name', 'org.freedesktop.DBus', '', 'org.example.WellKnown', ':', ':1', ':1.1 ']) {
  test(`a bus that assigns the name ${JSON.stringify(name)} violates the protocol`, async () => {
    await using odd = await FakeBus.start({
      answer: ({ member, serial: replySerial }) =>
        member === 'Hello' ? busMessage({ type: 2, replySerial, ...strings(name), destination: ':1.1' }) : undefined,
    });
    const error = await rejection(connect({ address: odd.address }));
    assert.instance(error, ProtocolError);
    assert.match(error.message, 'Hello');
  });
}

test.run();
