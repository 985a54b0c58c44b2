/**
 * Counts what is decoded: no refused message, no message for another connection, no body that is not read; and each body
 * that is read, once. An empty `ay` takes some 230 bytes of memory for its four bytes on the wire, so needless decoding is
 * expensive.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AccessDeniedError,
  DBusError,
  defineInterface,
  InvalidArgumentError,
  implement,
  type Message,
  type MessageBus,
  MessageType,
  PropertyReadOnlyError,
  UnknownInterfaceError,
  UnknownMethodError,
  UnknownObjectError,
  UnknownPropertyError,
  Variant,
} from '../../src/index.js';
import { peers } from '../helpers/peers.js';

const test = suite('decoding');

const PATH = '/o';
const NAME = 'org.example.Decoded';
const COUNT = 2000;
const empties = Array.from({ length: COUNT }, () => Buffer.alloc(0));

const Interface = defineInterface(NAME, {
  methods: {
    Take: { in: ['a:aay'], out: 'u' },
    Wrapped: { in: ['a:v'], out: 's', variants: 'wrap' },
    Fail: { in: [] },
    Slow: { in: [] },
  },
  signals: { Told: { args: ['a:aay'] } },
  properties: {
    Level: { type: 'u', access: 'readwrite' },
    Fixed: { type: 'aay', access: 'read' },
    Free: { type: 'aay', access: 'readwrite' },
    Any: { type: 'v', access: 'readwrite' },
  },
});

/** Counts the empty buffers that are made while `run` runs: each `ay` of a decoded body is one. */
async function decoded(run: () => Promise<unknown>): Promise<number> {
  const { allocUnsafe } = Buffer;
  let count = 0;
  Buffer.allocUnsafe = (size) => {
    if (size === 0) count++;
    return allocUnsafe(size);
  };
  try {
    await run();
  } finally {
    Buffer.allocUnsafe = allocUnsafe;
  }
  return count;
}

/** A service and its client. Both are in this process: the client must not decode anything of this kind. */
async function pair() {
  const both = await peers();
  const seen: unknown[] = [];
  const object = implement(Interface, {
    Take: (values) => {
      seen.push(values);
      return values.length;
    },
    Wrapped: (value) => {
      seen.push(value);
      return value.signature;
    },
    Fail: () => {
      throw new DBusError('org.example.Error.Large', 'the text', { signature: 'saay', body: ['the text', empties] });
    },
    Slow: () => new Promise(() => {}),
    Level: 1,
    Fixed: [],
    Free: [],
    Any: new Variant('s', ''),
  });
  both.accepted.export(PATH, object);
  return { ...both, object, seen, [Symbol.asyncDispose]: () => both[Symbol.asyncDispose]() };
}

function set(client: MessageBus, interfaceName: string, name: string, value: Variant): Promise<unknown> {
  const body = [interfaceName, name, value];
  return client.call({ path: PATH, interface: PROPERTIES, member: 'Set', signature: 'ssv', body });
}

const PROPERTIES = 'org.freedesktop.DBus.Properties';
const many = new Variant('aay', empties);

async function rejects(promise: Promise<unknown>, kind: typeof DBusError): Promise<void> {
  const error = await promise.then(
    () => assert.unreachable('it is refused'),
    (reason: unknown) => reason,
  );
  assert.instance(error, kind);
}

test('a value that Set may not write is not decoded', async () => {
  await using both = await pair();
  const refused = (name: string, kind: unknown, interfaceName = NAME, value: Variant = many) =>
    decoded(() => rejects(set(both.client, interfaceName, name, value), kind as typeof DBusError));
  assert.is(await refused('Nope', UnknownPropertyError), 0, 'unknown property');
  assert.is(await refused('Level', UnknownInterfaceError, 'org.example.Nope'), 0, 'unknown interface');
  assert.is(await refused('Fixed', PropertyReadOnlyError), 0, 'read-only');
  assert.is(await refused('Level', InvalidArgumentError), 0, 'another type');
  assert.is(await refused('Nope', UnknownPropertyError, '', new Variant('v', many)), 0, 'within a variant');
});

test('for a caller that is not permitted, nothing is decoded, unless a function of the program decides', async () => {
  await using both = await pair();
  const take = { path: '/guarded', interface: NAME, member: 'Take', signature: 'aay', body: [empties] };
  const write = { ...take, interface: PROPERTIES, member: 'Set', signature: 'ssv', body: [NAME, 'Free', many] };
  const members = { Take: () => 0, Wrapped: () => '', Fail: () => {}, Slow: () => {} };
  const values = { Level: 1, Fixed: [], Free: [], Any: '' };
  const uid = (process.getuid?.() ?? 0) + 1;
  for (const [allow, count] of [
    [{ uid }, 0],
    [(_call: unknown, ...args: readonly unknown[]) => args.length > 5, COUNT],
    [[{ uid }, (_call: unknown, argument: unknown) => argument === 5], COUNT],
  ] as const) {
    using _export = both.accepted.export('/guarded', implement(Interface, { ...members, ...values }, { allow }));
    for (const call of [take, write]) {
      assert.is(
        await decoded(() => rejects(both.client.call(call), AccessDeniedError as unknown as typeof DBusError)),
        count,
        `${allow}`,
      );
    }
  }
  using _permitted = both.accepted.export(
    '/guarded',
    implement(Interface, { ...members, ...values }, { allow: [(_call, argument) => argument === 5, { uid: uid - 1 }] }),
  );
  for (const call of [take, write]) assert.is(await decoded(() => both.client.call(call)), COUNT, 'once');
});

test('a value that Set may write is decoded once', async () => {
  await using both = await pair();
  assert.is(await decoded(() => set(both.client, NAME, 'Free', many)), COUNT);
  assert.is(both.object.properties.Free.length, COUNT);
  assert.is(await decoded(() => set(both.client, NAME, 'Any', new Variant('v', many))), COUNT);
  assert.is((both.object.properties.Any as unknown[]).length, COUNT);
  const [sent] = await both.client.call({
    ...{ path: PATH, interface: PROPERTIES, member: 'Get', signature: 'ss', body: [NAME, 'Any'] },
    variants: 'wrap',
  });
  assert.equal((sent as Variant).signature, 'v');
  assert.equal(((sent as Variant).value as Variant).signature, 'aay', 'the type that was set is kept');
});

test('arguments are decoded once, as the method wants them, and not at all if the call is refused', async () => {
  await using both = await pair();
  const call = (member: string, signature: string, body: unknown[], where: object = {}) =>
    both.client.call({ path: PATH, interface: NAME, member, signature, body, ...where });
  assert.is(await decoded(() => call('Take', 'aay', [empties])), COUNT);
  assert.is(await decoded(() => call('Wrapped', 'v', [many])), COUNT);
  assert.instance(both.seen[1], Variant);
  const refused = (kind: unknown, ...args: Parameters<typeof call>) =>
    decoded(() => rejects(call(...args), kind as typeof DBusError));
  assert.is(await refused(InvalidArgumentError, 'Fail', 'aay', [empties]), 0, 'another signature');
  assert.is(await refused(UnknownMethodError, 'Nope', 'aay', [empties]), 0, 'unknown method');
  assert.is(await refused(UnknownInterfaceError, 'Take', 'aay', [empties], { interface: 'a.b' }), 0);
  assert.is(await refused(UnknownObjectError, 'Take', 'aay', [empties], { path: '/p' }), 0);
  assert.is(await refused(InvalidArgumentError, 'Ping', 'aay', [empties], { interface: `${PEER}` }), 0);
  const nothing = () => call('Nope', 'aay', [empties], { noReply: true }).then(() => both.client.call(PING));
  assert.is(await decoded(nothing), 0, 'without a reply');
});

const PEER = 'org.freedesktop.DBus.Peer';
const PING = { path: PATH, interface: PEER, member: 'Ping' };
const SIGNAL = { path: PATH, interface: NAME, member: 'Told' };

test('a signal is decoded once for each listener that reads it, and never to find the listeners', async () => {
  await using both = await pair();
  const emit = (signature: string, body: unknown[]) => async () => {
    both.accepted.emit({ ...SIGNAL, signature, body });
    await both.client.call(PING);
  };
  const plain = emit('aay', [empties]);
  const named = emit('aays', [empties, 'name']);
  assert.is(await decoded(plain), 0, 'for another connection');

  const others = both.client.subscribe({ ...SIGNAL, arg1: 'another' }, ({ body }) => void body);
  assert.is(await decoded(named), 0, 'for a rule that compares what is behind it, and is not met');
  others.end();

  const heard: Message[] = [];
  const indifferent = both.client.subscribe({ ...SIGNAL, arg1: 'name' }, (message) => void heard.push(message));
  assert.is(await decoded(named), 0, 'for a listener that does not look at it');
  const [message] = heard as [Message];
  assert.is(await decoded(async () => assert.is((message.body[0] as Buffer[]).length, COUNT)), COUNT, 'until it does');
  assert.is(await decoded(async () => assert.is(message.body[1], 'name')), 0, 'and no second time');
  indifferent.end();

  const one = both.client.subscribe(SIGNAL, ({ body }) => void body);
  assert.is(await decoded(plain), COUNT);
  const two = both.client.subscribe(SIGNAL, ({ body }) => void body);
  assert.is(await decoded(plain), 2 * COUNT);
  one.end();
  two.end();
});

test('a message handler that does not read the body decodes nothing', async () => {
  await using both = await pair();
  const kept: Message[] = [];
  both.accepted.addMessageHandler((message) => {
    kept.push(message);
    return message.member === 'Mine';
  });
  const call = { path: PATH, interface: NAME, member: 'Take', signature: 'aay', body: [empties] };
  assert.is(await decoded(() => both.client.call(call)), COUNT, 'only the object decodes it');
  const ignored = both.client.call({ ...call, member: 'Mine', timeout: 50 }).catch(() => {});
  assert.is(await decoded(() => ignored), 0);
  assert.equal(
    kept.map(({ body }) => (body[0] as Buffer[]).length),
    [COUNT, COUNT],
    'a message that is kept can be read later',
  );
  for (const message of kept)
    assert.throws(
      () => message.decode({ variants: 'wrap' }),
      (error: unknown) => error instanceof DBusError && error.message.startsWith('the body is gone'),
    );
});

test('invalid PropertiesChanged signals are reported and not decoded', async () => {
  await using both = await pair();
  const changes: unknown[] = [];
  const proxy = both.client.proxy(Interface, undefined, PATH);
  using _listening = proxy.onChange((...args) => void changes.push(args));
  const signal = { path: PATH, interface: PROPERTIES, member: 'PropertiesChanged' };
  const emit = async () => {
    both.accepted.emit({ ...signal, signature: 'saay', body: [NAME, empties] });
    await both.client.call(PING);
  };
  assert.is(await decoded(emit), 0);
  assert.equal(changes, []);
});

test('a reply is decoded only for a call that waits and wants its values', async () => {
  await using both = await pair();
  let answer: () => void = () => {};
  both.accepted.addMessageHandler((message) => {
    if (message.path !== '/late') return false;
    const { serial: replySerial, sender: destination } = message;
    answer = () =>
      both.accepted.send({
        type: MessageType.MethodReturn,
        destination,
        replySerial,
        signature: 'aay',
        body: [empties],
      });
    return true;
  });
  const late = { path: '/late', interface: NAME, member: 'Slow' };
  const abort = new AbortController();
  const aborted = both.client.call({ ...late, signal: abort.signal });
  await both.client.call(PING);
  abort.abort();
  await aborted.catch(() => {});
  const tooLate = async () => {
    answer();
    await both.client.call(PING);
  };
  assert.is(await decoded(tooLate), 0, 'an aborted call');

  const setting = both.client.proxy(Interface, undefined, '/late').set.Level(2);
  await both.client.call(PING);
  const answered = async () => {
    answer();
    await setting;
  };
  assert.is(await decoded(answered), 0, 'Set has no result');
});

test('the text of an error is decoded at once, its values on their first use', async () => {
  await using both = await pair();
  let error: unknown;
  const call = both.client.call({ path: PATH, interface: NAME, member: 'Fail' });
  const failing = async () => {
    error = await call.catch((reason: unknown) => reason);
  };
  assert.is(await decoded(failing), 0);
  assert.instance(error, DBusError);
  const { message, body, reply } = error as DBusError;
  assert.match(message, 'the text');
  assert.is(body[0], 'the text');
  assert.is((body[1] as Buffer[]).length, COUNT);
  assert.is(((reply as Message).body[1] as Buffer[]).length, COUNT);
});

test('a listener that changes the values does not affect another listener', async () => {
  await using both = await pair();
  const heard: unknown[] = [];
  const spoil = ({ body }: Message) => {
    heard.push(structuredClone(body));
    (body as unknown[]).length = 0;
  };
  both.client.addMessageHandler((message) => void spoil(message));
  using _first = both.client.subscribe(SIGNAL, spoil);
  using _second = both.client.subscribe({ member: 'Told' }, spoil);
  both.accepted.emit({ ...SIGNAL, signature: 'as', body: [['a', 'b']] });
  await both.client.call(PING);
  assert.equal(heard, [[['a', 'b']], [['a', 'b']], [['a', 'b']]]);
});

test.run();
