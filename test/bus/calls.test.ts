// Method calls over a real bus: replies, errors, timeouts, aborts, flags, and calls that are refused before they are sent.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AccessDeniedError,
  ConnectionClosedError,
  connect,
  DBusError,
  defineInterface,
  InvalidArgumentError,
  implement,
  MessageType,
  ServiceUnknownError,
  TimeoutError,
  UnknownInterfaceError,
  UnknownMethodError,
  UnknownObjectError,
} from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';

const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const service = await connect({ address: daemon.address });
const test = suite('calls');

const Calls = defineInterface('org.example.Calls', {
  methods: {
    Echo: { in: ['text:s'], out: ['text:s'] },
    Nothing: {},
    Several: { in: 's', out: ['text:s', 'length:u'] },
    Never: {},
    Fail: { in: ['name:s', 'text:s'] },
    Throw: { in: 's' },
    Flags: { out: 'u' },
    Misfit: { out: 'u' },
    Late: { in: 's', out: 's' },
  },
});

const handled: string[] = [];
service.export(
  '/org/example/Calls',
  implement(Calls, {
    Echo: (text) => {
      handled.push(text);
      return text;
    },
    Nothing: () => {},
    Several: async (text) => [text, text.length],
    Never: () => new Promise(() => {}),
    Fail: (name, text) => {
      throw new DBusError(name, text);
    },
    Throw: (text) => {
      throw new RangeError(text);
    },
    Flags: (context) => context.flags,
    Misfit: () => 'no number' as never,
    Late: (text) => new Promise((resolve) => setTimeout(() => resolve(text), 50)),
  }),
);
await service.requestName('org.example.Calls');

const target = { destination: 'org.example.Calls', path: '/org/example/Calls', interface: 'org.example.Calls' };
const proxy = client.proxy(Calls, target.destination, target.path);

test.after(async () => {
  await client.close();
  await service.close();
  await daemon.stop();
});

test('a call resolves with the values of its reply', async () => {
  assert.equal(await client.call({ ...target, member: 'Echo', signature: 's', body: ['hi'] }), ['hi']);
  assert.equal(await client.call({ ...target, member: 'Nothing' }), []);
  assert.equal(await client.call({ ...target, member: 'Several', signature: 's', body: ['four'] }), ['four', 4]);
});

test('a call to the unique name is answered like one to the well-known name', async () => {
  const destination = service.uniqueName as string;
  assert.equal(await client.call({ ...target, destination, member: 'Echo', signature: 's', body: ['you'] }), ['you']);
});

test('an unknown service, object, interface and method each reject with their own error', async () => {
  const call = { ...target, member: 'Echo', signature: 's', body: ['x'] };
  assert.instance(await rejection(client.call({ ...call, destination: 'org.example.Nobody' })), ServiceUnknownError);
  assert.instance(await rejection(client.call({ ...call, path: '/org/example/Nothing' })), UnknownObjectError);
  assert.instance(await rejection(client.call({ ...call, interface: 'org.example.Other' })), UnknownInterfaceError);
  assert.instance(await rejection(client.call({ ...call, member: 'Echoes' })), UnknownMethodError);
});

test('the error of an unknown method names the most similar method and all known methods', async () => {
  const error = await rejection(client.call({ ...target, member: 'Ecko' }));
  assert.match(error.message, 'did you mean Echo?');
  assert.match(error.message, 'Several');
});

test('an error has the name, the text, the values, and the member that was called', async () => {
  const error = (await rejection(proxy.call.Fail('org.example.Error.Busy', 'try later'))) as DBusError;
  assert.instance(error, DBusError);
  assert.is(error.dbusName, 'org.example.Error.Busy');
  assert.is(error.name, 'DBusError');
  assert.is(error.code, 'ERR_DBUS');
  assert.equal(error.body, ['try later']);
  assert.match(error.message, 'try later');
  assert.match(error.message, 'org.example.Calls /org/example/Calls org.example.Calls.Fail');
});

test('an error keeps its message', async () => {
  const { reply } = (await rejection(proxy.call.Fail('org.example.Error.Busy', 'try later'))) as DBusError;
  assert.is(reply?.errorName, 'org.example.Error.Busy');
  assert.is(reply?.sender, service.uniqueName);
  assert.equal(reply?.body, ['try later']);
  const own = (await rejection(client.call({ ...target, path: 'no path', member: 'Echo' }))) as DBusError;
  assert.is(own.reply, undefined);
});

test('a well-known error name becomes an instance of its class', async () => {
  const error = await rejection(proxy.call.Fail('org.freedesktop.DBus.Error.AccessDenied', 'not you'));
  assert.instance(error, AccessDeniedError);
  assert.is((error as DBusError).code, 'ERR_DBUS_ACCESS_DENIED');
});

test('the stack of a failed call begins at the line that awaits it', async () => {
  const failing = {
    'answered with an error': () => proxy.call.Fail('org.example.Error.Busy', 'try later'),
    'unknown service': () => client.call({ destination: 'org.example.Nobody', path: '/', member: 'Ask' }),
    timeout: () => proxy.with({ timeout: 1 }).call.Never(),
  };
  for (const [how, call] of Object.entries(failing)) {
    async function theCaller() {
      await call();
    }
    const { stack = '' } = await rejection(theCaller());
    assert.match(stack.split('\n').find((line) => /^ +at /.test(line)) ?? stack, 'theCaller', how);
  }
});

test('the stack of a call that could not be sent has the line of the call, awaited or not', async () => {
  const misfit = { a: [{ b: [{ c: [{ d: ['not a number'] }] }] }] } as never;
  const theCaller = () =>
    client
      .call({ ...target, member: 'Deep', signature: 'a{saa{saa{saa{sai}}}}', body: [misfit] })
      .catch((error) => error);
  const { stack, message } = (await theCaller()) as Error;
  assert.match(message, 'expected i');
  assert.match(stack as string, 'theCaller');
});

test('an error that a handler throws is answered with its text and nothing else', async () => {
  const error = (await rejection(proxy.call.Throw('out of order'))) as DBusError;
  assert.is(error.dbusName, 'org.freedesktop.DBus.Error.Failed');
  assert.equal(error.body, ['out of order']);
  assert.is(await proxy.call.Echo('still here'), 'still here');
});

test('a result that does not match its signature is an error for the caller', async () => {
  const error = (await rejection(proxy.call.Misfit())) as DBusError;
  assert.is(error.dbusName, 'org.freedesktop.DBus.Error.Failed');
  assert.match(error.message, 'does not match');
});

test('a call that gets no reply rejects after its timeout and leaves nothing behind', async () => {
  const error = await rejection(proxy.with({ timeout: 30 }).call.Never());
  assert.instance(error, TimeoutError);
  assert.match(error.message, 'no reply within 30 ms');
  assert.is(client.stats().pendingCalls, 0);
});

test('a reply that comes after the timeout of its call has no effect', async () => {
  const before = client.stats().unexpectedReplies;
  assert.instance(await rejection(proxy.with({ timeout: 10 }).call.Late('late')), TimeoutError);
  while (client.stats().unexpectedReplies === before) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.is(await proxy.call.Echo('next'), 'next');
});

test('a call with an infinite timeout waits until the handler ends', async () => {
  assert.is(await proxy.with({ timeout: Number.POSITIVE_INFINITY }).call.Late('waited'), 'waited');
});

test('an invalid timeout is refused', () => {
  for (const timeout of [Number.NaN, -1]) {
    assert.instance(
      thrown(() => proxy.with({ timeout })),
      InvalidArgumentError,
    );
  }
});

test('aborting rejects the call with the reason of the AbortSignal', async () => {
  const reason = new Error('changed my mind');
  const controller = new AbortController();
  const call = rejection(proxy.with({ signal: controller.signal }).call.Never());
  controller.abort(reason);
  assert.is(await call, reason);
  assert.is(client.stats().pendingCalls, 0);
});

test('a call whose AbortSignal is already aborted is not sent', async () => {
  handled.length = 0;
  const call = proxy.with({ signal: AbortSignal.abort(new Error('too late')) }).call.Echo('never sent');
  assert.is((await rejection(call)).message, 'too late');
  await proxy.call.Echo('sent');
  assert.equal(handled, ['sent']);
});

test('a call without reply resolves at once, and its handler runs', async () => {
  handled.length = 0;
  await proxy.with({ noReply: true }).call.Echo('quiet');
  await proxy.call.Echo('loud');
  assert.equal(handled, ['quiet', 'loud']);
});

test('a call without a reply that is not awaited does not end the process when the connection is closed', async () => {
  const Dial = defineInterface('org.example.Dial', {
    methods: { Turn: { in: 'u' } },
    properties: { At: { type: 'u' } },
  });
  const bus = await connect({ address: daemon.address });
  const dial = bus.proxy(Dial, target.destination, '/dial').with({ noReply: true });
  await bus.close();
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', hear);
  void dial.call.Turn(1);
  void dial.set.At(1);
  void bus.call({ destination: target.destination, path: '/dial', member: 'Turn', noReply: true });
  await new Promise(setImmediate);
  assert.equal(unhandled, []);
  // Mistakes of the program still throw, and a call that is awaited rejects with the loss.
  void client.proxy(Dial, target.destination, '/dial').with({ noReply: true }).call.Turn(-1);
  await new Promise(setImmediate);
  process.off('unhandledRejection', hear);
  assert.is(unhandled.length, 1);
  assert.instance(unhandled[0], InvalidArgumentError);
  assert.instance(await rejection(dial.call.Turn(1)), ConnectionClosedError);
});

test('the flags of a call reach the handler', async () => {
  assert.is(await proxy.call.Flags(), 0);
  assert.is(await proxy.with({ autoStart: false, interactive: true }).call.Flags(), 2 + 4);
});

test('calls that are made together are answered in order', async () => {
  const texts = Array.from({ length: 1000 }, (_, index) => `call ${index}`);
  handled.length = 0;
  assert.equal(await Promise.all(texts.map((text) => proxy.call.Echo(text))), texts);
  assert.equal(handled, texts);
});

test('a handler may call its caller back', async () => {
  const Back = defineInterface('org.example.Back', { methods: { Ask: { out: 's' } } });
  using _asked = client.export('/back', implement(Back, { Ask: () => 'the caller says hello' }));
  const Forward = defineInterface('org.example.Forward', { methods: { Relay: { out: 's' } } });
  using _relay = service.export(
    '/forward',
    implement(Forward, { Relay: (context) => service.proxy(Back, context.sender as string, '/back').call.Ask() }),
  );
  assert.is(await client.proxy(Forward, target.destination, '/forward').call.Relay(), 'the caller says hello');
});

test('a connection may call itself', async () => {
  assert.is(await service.proxy(Calls, service.uniqueName as string, target.path).call.Echo('me'), 'me');
});

test('a call without an interface is answered if only one interface has the method', async () => {
  const { interface: _, ...anywhere } = target;
  assert.equal(await client.call({ ...anywhere, member: 'Echo', signature: 's', body: ['found'] }), ['found']);
  const Twin = defineInterface('org.example.Twin', { methods: { Echo: { in: 's', out: 's' } } });
  using _twin = service.export(target.path, implement(Twin, { Echo: (text) => text }));
  const error = await rejection(client.call({ ...anywhere, member: 'Echo', signature: 's', body: ['which?'] }));
  assert.match(error.message, 'ambiguous');
  assert.match(error.message, 'org.example.Twin');
});

test('arguments of another signature are refused, and the handler does not run', async () => {
  handled.length = 0;
  const error = await rejection(client.call({ ...target, member: 'Echo', signature: 'u', body: [1] }));
  assert.instance(error, InvalidArgumentError);
  assert.match(error.message, 'takes "s", but the call has "u"');
  assert.equal(handled, []);
});

test('names and paths that the specification forbids are refused before anything is sent', async () => {
  const call = { ...target, member: 'Echo', signature: 's', body: ['x'] };
  for (const wrong of [
    { path: 'no/slash' },
    { path: '/trailing/' },
    { interface: 'single' },
    { member: '9starts' },
    { member: 'has.dot' },
    { destination: 'nodots' },
    { destination: '' },
    { path: '/org/freedesktop/DBus/Local' },
    { interface: 'org.freedesktop.DBus.Local' },
    { signature: 'a' },
    { signature: 'ss' },
    { body: ['a\0b'] },
    { body: ['\ud800'] },
  ]) {
    assert.instance(await rejection(client.call({ ...call, ...wrong })), InvalidArgumentError, JSON.stringify(wrong));
  }
  assert.is(await proxy.call.Echo('still connected'), 'still connected');
});

test('a message handler gets calls first and may answer them', async () => {
  const seen: string[] = [];
  using _handler = service.addMessageHandler((message) => {
    if (message.type !== MessageType.MethodCall || message.member !== 'Custom') return;
    seen.push(message.body[0] as string);
    service.send({
      type: MessageType.MethodReturn,
      destination: message.sender,
      replySerial: message.serial,
      signature: 'u',
      body: [42],
    });
    return true;
  });
  assert.equal(await client.call({ ...target, member: 'Custom', signature: 's', body: ['raw'] }), [42]);
  assert.equal(seen, ['raw']);
  assert.is(await proxy.call.Echo('passed on'), 'passed on');
});

test('an error reply without a text, or with other values, still rejects with an error', async () => {
  using _handler = service.addMessageHandler((message) => {
    if (message.member !== 'Odd') return;
    const [kind] = message.body;
    service.send({
      type: MessageType.Error,
      destination: message.sender,
      replySerial: message.serial,
      errorName: 'org.example.Error.Odd',
      ...(kind === 'empty' ? {} : { signature: 'us', body: [7, 'second'] }),
    });
    return true;
  });
  const empty = (await rejection(
    client.call({ ...target, member: 'Odd', signature: 's', body: ['empty'] }),
  )) as DBusError;
  assert.is(empty.dbusName, 'org.example.Error.Odd');
  assert.equal(empty.body, []);
  const other = (await rejection(
    client.call({ ...target, member: 'Odd', signature: 's', body: ['other'] }),
  )) as DBusError;
  assert.equal(other.body, [7, 'second']);
});

test('a closed connection rejects pending and new calls', async () => {
  const bus = await connect({ address: daemon.address });
  const waiting = rejection(bus.proxy(Calls, target.destination, target.path).call.Never());
  await bus.close();
  assert.instance(await waiting, ConnectionClosedError);
  assert.instance(await rejection(bus.call({ ...target, member: 'Nothing' })), ConnectionClosedError);
  assert.instance(
    thrown(() => bus.emit({ path: '/', interface: 'org.example.Calls', member: 'X' })),
    ConnectionClosedError,
  );
  assert.is(await bus.disconnected, undefined);
  await bus.close();
});

test('an async dispose closes the connection', async () => {
  let kept: Awaited<ReturnType<typeof connect>>;
  {
    await using bus = await connect({ address: daemon.address });
    kept = bus;
    assert.is(bus.state, 'open');
  }
  assert.is(kept.state, 'closed');
});

test.run();
