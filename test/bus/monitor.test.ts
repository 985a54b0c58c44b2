// `bus.monitor`: the messages of a bus as an iterator, on both daemons. `monitor-model` has random traffic and rules.
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AccessDeniedError,
  ConnectionClosedError,
  connect,
  DBusError,
  defineInterface,
  type FileDescriptor,
  InvalidArgumentError,
  implement,
  type MessageBus,
  MessageType,
  type Monitor,
  type MonitoredMessage,
  type MonitorOptions,
  type MonitorRule,
  NotSupportedError,
  pair,
  Variant,
} from '../../src/index.js';
import { BUS, CLIENT, FakeBus } from '../helpers/fake-bus.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { problemsOf } from '../helpers/problems.js';
import { rejection, thrown } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';
import { Bytes, wireMessage } from '../helpers/wire.js';
import type { SentMessage } from '../helpers/wire-reader.js';

const NAME = 'org.example.Monitored';
const Monitored = defineInterface(NAME, {
  methods: {
    Echo: { in: ['value:v'], out: ['value:v'] },
    Fail: {},
    Take: { in: ['file:h'] },
  },
  signals: { Said: { args: ['text:s'] } },
});

interface World extends AsyncDisposable {
  readonly server: PrivateBus;
  /** The program that monitors. */
  readonly bus: MessageBus;
  readonly service: MessageBus;
  readonly client: MessageBus;
  /** Emits a signal, and waits until the client has it: what it sends then comes later. */
  say(text: string): Promise<void>;
  emit(text: string): void;
}

async function makeWorld(daemon: Daemon): Promise<World> {
  const server = await PrivateBus.start({ daemon });
  const [bus, service, client] = await Promise.all([1, 2, 3].map(() => connect({ address: server.address })));
  assert.ok(bus && service && client);
  const object = implement(Monitored, {
    Echo: (value) => value,
    Fail: () => {
      throw new NotSupportedError('never');
    },
    Take: () => undefined,
  });
  service.export('/echo', object);
  await service.requestName(NAME);
  const heard = new Set<unknown>();
  await client.subscribe({ interface: NAME, member: 'Said' }, ({ body }) => void heard.add(body[0])).ready;
  return {
    server,
    bus,
    service,
    client,
    emit: (text) => object.emit.Said(text),
    say: async (text) => {
      object.emit.Said(text);
      await until(() => heard.has(text));
      heard.delete(text);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([bus.close(), service.close(), client.close()]);
      await server.stop();
    },
  };
}

const echo = { destination: NAME, path: '/echo', interface: NAME, member: 'Echo', signature: 'v' };

const END = { path: '/', interface: `${NAME}.Test`, member: 'End' };
const isEnd = ({ member }: MonitoredMessage) => member === 'End';
const shown = ({ member, errorName }: MonitoredMessage) => member ?? errorName ?? 'reply';
const NOT_SUPPORTED = 'org.freedesktop.DBus.Error.NotSupported';

/** The messages up to a signal that is sent now. */
async function rest(monitor: Monitor, { client }: World): Promise<MonitoredMessage[]> {
  client.emit(END);
  const messages: MonitoredMessage[] = [];
  for (;;) {
    const { value, done } = await monitor.next();
    if (done === true) throw new Error('the monitor has ended');
    if (isEnd(value)) return messages;
    messages.push(value);
  }
}

/** One call that succeeds, one that fails, and a signal. */
async function act({ client, say }: World): Promise<void> {
  await client.call({ ...echo, body: [new Variant('a{sv}', { level: new Variant('y', 3) })] });
  await rejection(client.call({ ...echo, member: 'Fail', signature: '', body: [] }));
  await say('said');
}

const test = suite('monitor');

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  const testHere = (title: string, run: (world: World) => Promise<void>) =>
    testUnless(PrivateBus.missing({ daemon }), test, `${title}: ${daemon}`, async () => {
      await using world = await makeWorld(daemon);
      await run(world);
    });

  testHere('it shows calls, replies, errors and signals with names, types and times', async (world) => {
    const { bus, client, service } = world;
    using monitor = bus.monitor();
    await monitor.ready;
    const before = Date.now();
    await act(world);
    const messages = await rest(monitor, world);
    const own = messages.filter(({ from, to }) => [from, to].some((peer) => peer?.names.includes(NAME)));
    // The caller follows the name, which the bus is asked for.
    assert.equal(own.map(shown), ['Echo', 'reply', 'Fail', NOT_SUPPORTED, 'Said']);
    const [call, reply, failed, error, signal] = own as [MonitoredMessage, ...MonitoredMessage[]];
    const { type, sender, destination, path, signature } = call;
    assert.equal([type, sender, destination, path], [MessageType.MethodCall, client.uniqueName, NAME, '/echo']);
    assert.is(signature, 'v');
    const [variant] = call.body as [Variant];
    assert.equal([variant.signature, variant.value], ['a{sv}', { level: new Variant('y', 3) }]);
    assert.equal(call.decode(), [{ level: 3 }]);
    assert.equal(call.from, { name: client.uniqueName, names: [], process: undefined });
    assert.equal(call.to, { name: service.uniqueName, names: [NAME], process: undefined });
    assert.is(reply?.call, call);
    assert.is(error?.call, failed);
    assert.equal([reply?.replySerial, reply?.sender], [call.serial, service.uniqueName]);
    assert.ok((reply?.elapsed ?? -1) >= 0, String(reply?.elapsed));
    assert.ok(call.time >= before - 5 && call.time <= Date.now() + 5, String(call.time));
    assert.equal([signal?.to, signal?.call, signal?.elapsed], [undefined, undefined, undefined]);
    assert.equal(signal?.body, ['said']);
    const serials = messages.filter((message) => message.sender === client.uniqueName).map(({ serial }) => serial);
    assert.equal(
      serials,
      [...serials].sort((a, b) => a - b),
    );
  });

  testHere('it leaves the connection of the program as it is, and answers nothing', async (world) => {
    const { bus, client } = world;
    using monitor = bus.monitor();
    await monitor.ready;
    const { uniqueName } = bus;
    assert.is(await bus.nameOwner(uniqueName as string), uniqueName);
    // A bus disconnects a monitor that answers.
    await rejection(client.call({ ...echo, path: '/none', body: ['x'] }));
    await client.call({ ...echo, interface: 'org.freedesktop.DBus.Peer', member: 'Ping', signature: '', body: [] });
    const messages = await rest(monitor, world);
    assert.is(messages.filter(({ call }) => call?.member === 'Ping' || call?.path === '/none').length, 2);
  });

  testHere('it shows the messages that meet one of its rules, and only those', async (world) => {
    const { bus, service } = world;
    const name = service.uniqueName as string;
    const cases: readonly (readonly [MonitorRule | readonly MonitorRule[], MonitorOptions, string[]])[] = [
      [{ type: 'error' }, {}, [NOT_SUPPORTED]],
      [{ interface: NAME }, {}, ['Echo', 'Fail', 'Said']],
      [{ interface: NAME }, { replies: true }, ['Echo', 'reply', 'Fail', NOT_SUPPORTED, 'Said']],
      [{ destination: NAME }, {}, ['Echo', 'Fail']],
      [{ destination: NAME }, { replies: true }, ['Echo', 'reply', 'Fail', NOT_SUPPORTED]],
      [{ destination: name }, {}, ['Echo', 'Fail']],
      [{ sender: NAME }, {}, ['reply', NOT_SUPPORTED, 'Said']],
      [{ sender: name }, {}, ['reply', NOT_SUPPORTED, 'Said']],
      [[{ member: 'Said' }, { member: 'Echo' }], {}, ['Echo', 'Said']],
      [{ arg0: 'said' }, {}, ['Said']],
      [{ pathNamespace: '/echo', type: 'method_call' }, {}, ['Echo', 'Fail']],
      [{ sender: 'org.example.Nobody' }, {}, []],
    ];
    // The first call of a client by a name asks the bus for its owner.
    await act(world);
    for (const [rules, options, expected] of cases) {
      const all = [rules, { member: 'End' }].flat();
      using monitor = bus.monitor(all, options);
      await monitor.ready;
      await act(world);
      assert.equal((await rest(monitor, world)).map(shown), expected, inspect(rules));
    }
  });

  testHere('it knows names from the moment in which they change owner', async (world) => {
    const { bus, client, service } = world;
    using monitor = bus.monitor({ sender: NAME, type: 'signal' });
    using all = bus.monitor({ member: 'Said' });
    await Promise.all([monitor.ready, all.ready]);
    await world.say('before');
    await service.releaseName(NAME);
    await world.say('between');
    await client.requestName(NAME);
    await world.say('after');
    client.emit({ ...END, member: 'Said', signature: 's', body: ['by the client'] });
    const last = { ...END, member: 'Said', signature: 's', body: ['last'] };
    await client.releaseName(NAME);
    client.emit(last);
    const seen: [unknown, readonly string[] | undefined][] = [];
    for await (const { body, from } of all) {
      seen.push([body[0], from?.names]);
      if (body[0] === 'last') break;
    }
    const expected = [
      ['before', [NAME]],
      ['between', []],
      ['after', []],
      ['by the client', [NAME]],
      ['last', []],
    ];
    assert.equal(seen, expected);
    const first = (await monitor.next()).value;
    const second = (await monitor.next()).value;
    assert.equal([first?.body, second?.body], [['before'], ['by the client']]);
  });

  testHere('it tells the processes of peers, and does not show its questions', async (world) => {
    const { bus, client } = world;
    using monitor = bus.monitor([], { processes: true });
    await monitor.ready;
    const gone = await connect({ address: world.server.address });
    gone.emit({ ...END, member: 'Gone' });
    await gone.close();
    await act(world);
    await bus.credentials(client.uniqueName as string);
    const messages = await rest(monitor, world);
    const call = messages.find(({ member }) => member === 'Echo');
    const own = { pid: process.pid, uid: process.getuid?.(), comm: readFileSync('/proc/self/comm', 'utf8').trim() };
    for (const peer of [call?.from, call?.to]) {
      const { pid, uid, comm } = peer?.process ?? {};
      assert.equal({ pid, uid, comm }, own);
    }
    // The one of the program is shown.
    assert.is(messages.filter(({ member }) => member === 'GetConnectionCredentials').length, 1);
    assert.is(messages.filter((message) => message.call?.member === 'GetConnectionCredentials').length, 1);
  });

  testHere('a lost bus makes the loop throw, behind the messages that came before', async (world) => {
    const monitor = world.bus.monitor({ member: 'Said' });
    await monitor.ready;
    await world.say('last');
    await until(() => inspect(monitor).includes('1 waiting'));
    await world.server.kill();
    const seen: unknown[] = [];
    const error = await rejection(
      (async () => {
        for await (const { body } of monitor) seen.push(body[0]);
      })(),
    );
    assert.equal(seen, ['last']);
    assert.instance(error, ConnectionClosedError);
    assert.match(error.message, 'while the bus was monitored');
    assert.instance(error.cause, DBusError);
    assert.equal(await monitor.next(), { value: undefined, done: true });
    await world.server.restart();
  });

  testHere('a loop that is too slow loses the oldest messages, which are counted', async (world) => {
    using monitor = world.bus.monitor({ member: 'Said' }, { limit: 3 });
    await monitor.ready;
    const problems = await problemsOf(async () => {
      for (let index = 0; index < 10; index++) await world.say(String(index));
      await until(() => monitor.dropped === 7);
    });
    assert.equal(
      problems.map(({ kind }) => kind),
      ['message'],
    );
    assert.match(problems[0]?.message ?? '', '3 messages or 64 MiB wait');
    const seen = [await monitor.next(), await monitor.next(), await monitor.next()].map(({ value }) => value?.body[0]);
    assert.equal(seen, ['7', '8', '9']);
  });

  testHere('messages that are read together have nearly the same time', async (world) => {
    using monitor = world.bus.monitor({ member: 'Said' });
    await monitor.ready;
    for (let index = 0; index < 100; index++) world.emit(String(index));
    await world.service.flush();
    // The process is busy while the messages arrive.
    const until = performance.now() + 200;
    while (performance.now() < until);
    const times: number[] = [];
    for await (const { time } of monitor) if (times.push(time) === 100) break;
    assert.equal(
      [...times].sort((a, b) => a - b),
      times,
    );
    const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
    assert.ok(gaps.filter((gap) => gap < 5).length > 50, gaps.join(' '));
  });

  testHere('descriptors are closed when the next message is asked for, unless they are taken', async (world) => {
    const { bus, client } = world;
    const before = openFds();
    const monitor = bus.monitor({ member: 'Take' });
    await monitor.ready;
    for (let index = 0; index < 100; index++) {
      const file = openSync('/dev/null', 'r');
      await client.call({ ...echo, member: 'Take', signature: 'h', body: [file] });
      closeSync(file);
    }
    const first = (await monitor.next()).value as MonitoredMessage;
    const [lent] = first.fileDescriptors;
    assert.is(lent?.closed, false);
    const taken = (lent as FileDescriptor).take();
    const second = (await monitor.next()).value as MonitoredMessage;
    assert.is((second.body[0] as FileDescriptor).closed, false);
    await monitor.next();
    assert.is((second.body[0] as FileDescriptor).closed, true);
    closeSync(taken);
    // More messages than a process should have descriptors of.
    let open = 0;
    for (let index = 3; index < 100; index++) {
      const { value } = await monitor.next();
      if (value?.fileDescriptors[0]?.closed === false) open++;
    }
    assert.ok(open > 10 && open < 90, `${open} of 97 were open`);
    monitor.end();
    await assertNoFdsLeft(before);
  });

  testHere('it ends with the loop, with its signal, with end() and with the bus', async (world) => {
    const { bus } = world;
    const before = openFds();
    const done = { value: undefined, done: true };
    const left = bus.monitor();
    await left.ready;
    await world.say('leave');
    for await (const _ of left) break;
    assert.equal(await left.next(), done);
    const control = new AbortController();
    const aborted = bus.monitor([], { signal: control.signal });
    await aborted.ready;
    const waiting = bus.monitor({ member: 'Never' });
    await waiting.ready;
    const next = waiting.next();
    waiting.end();
    assert.equal(await next, done);
    await world.say('queued');
    await until(() => !inspect(aborted).includes(' 0 waiting'));
    control.abort();
    assert.is((await aborted.next()).done, false, 'what is queued is delivered');
    const early = bus.monitor([], { signal: AbortSignal.abort(new TypeError('too late')) });
    assert.instance(await rejection(early.ready), TypeError);
    assert.equal(await early.next(), done);
    const opening = bus.monitor();
    opening.end();
    assert.instance(await rejection(opening.ready), ConnectionClosedError);
    assert.equal(await opening.next(), done);
    await assertNoFdsLeft(before);
    const open = bus.monitor({ member: 'Never' });
    await open.ready;
    const pending = open.next();
    await bus.close();
    assert.equal(await pending, done);
  });
}

testUnless(
  PrivateBus.missing(),
  test,
  'wrong arguments are refused, and so are connections without a bus',
  async () => {
    await using server = await PrivateBus.start();
    await using bus = await connect({ address: server.address });
    const refusals: readonly (readonly [never, never, string])[] = [
      [{ eavesdrop: true } as never, {} as never, 'without it'],
      [{ sender: 'no name' } as never, {} as never, 'sender'],
      [{ membre: 'Said' } as never, {} as never, 'did you mean member'],
      ['Said' as never, {} as never, 'expected an object'],
      [[] as never, { limit: 0 } as never, 'limit'],
      [[] as never, { replies: 1 } as never, 'replies'],
    ];
    for (const [rules, options, text] of refusals) {
      const error = thrown(() => bus.monitor(rules, options));
      assert.instance(error, InvalidArgumentError);
      assert.match(error.message, text);
    }
    const [one, other] = await pair();
    assert.instance(
      thrown(() => one.monitor()),
      NotSupportedError,
    );
    await Promise.all([one.close(), other.close()]);
  },
);

testUnless(
  PrivateBus.missing(),
  test,
  'a connection over a socket of the program cannot make another one',
  async () => {
    await using server = await PrivateBus.start();
    const socket = createConnection(server.address.replace('unix:path=', ''));
    await once(socket, 'connect');
    await using bus = await connect({ socket });
    using monitor = bus.monitor();
    const error = await rejection(monitor.next());
    assert.instance(error, NotSupportedError);
    assert.match(error.message, 'connect by an address');
  },
);

test('a bus without monitors and a bus that refuses are errors that say so', async () => {
  const cases = [
    ['org.freedesktop.DBus.Error.UnknownMethod', NotSupportedError, 'since 1.9.10'],
    ['org.freedesktop.DBus.Error.UnknownInterface', NotSupportedError, 'since 1.9.10'],
    ['org.freedesktop.DBus.Error.AccessDenied', AccessDeniedError, 'only root'],
  ] as const;
  for (const [name, kind, text] of cases) {
    const answer = ({ member, serial }: SentMessage) => {
      const head = { sender: BUS, destination: CLIENT, replySerial: serial, serial: 99 };
      if (member === 'AddMatch') return wireMessage({ ...head, type: MessageType.MethodReturn });
      if (member === 'ListNames')
        return wireMessage({ ...head, type: 2, signature: 'as', body: new Bytes().u32(0).buffer });
      if (member !== 'BecomeMonitor') return undefined;
      return wireMessage({ ...head, type: MessageType.Error, errorName: name });
    };
    await using server = await FakeBus.start({ answer });
    await using bus = await connect({ address: server.address });
    using monitor = bus.monitor();
    const error = await rejection(monitor.next());
    assert.instance(error, kind, name);
    assert.match(error.message, text);
    assert.is(await rejection(monitor.ready), error);
  }
});

test.run();
