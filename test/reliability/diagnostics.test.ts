// Each kind of failure is evident from the diagnostics channels alone: the operation, its outcome, and the reason.
import diagnosticsChannel from 'node:diagnostics_channel';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallEvent,
  type ConnectionEvent,
  connect,
  defineInterface,
  implement,
  listen,
  type MessageEvent,
  MessageType,
  type Problem,
  ProtocolError,
  parseIntrospection,
  ServiceLeftError,
} from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { busMessage } from '../helpers/bus-words.js';
import { FakeBus, PEER } from '../helpers/fake-bus.js';
import { Session, SIGNAL } from '../helpers/fake-bus-session.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { projectRoot } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { outputOf, run } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';

const test = suite('diagnostics');
const daemon = await PrivateBus.start();
test.after(() => daemon.stop());

/** The messages of the channels from its construction to its disposal. */
class Heard implements Disposable {
  readonly connections: ConnectionEvent[] = [];
  readonly messages: MessageEvent[] = [];
  readonly calls: CallEvent[] = [];
  readonly problems: Problem[] = [];
  readonly #stop: (() => void)[] = [];

  constructor() {
    this.#collect('busbar:connection', this.connections);
    this.#collect('busbar:message', this.messages);
    this.#collect('busbar:call', this.calls);
    this.#collect('busbar:problem', this.problems);
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stop) stop();
  }

  #collect<Event>(name: string, events: Event[]): void {
    const listen = (event: unknown) => void events.push(event as Event);
    diagnosticsChannel.subscribe(name, listen);
    this.#stop.push(() => diagnosticsChannel.unsubscribe(name, listen));
  }
}

const Example = defineInterface('org.example.Diagnostics', {
  methods: {
    Echo: { in: 's', out: 's' },
    Fail: {},
    Never: {},
  },
  signals: { Lit: { args: 's' } },
});
const NAME = 'org.example.Diagnostics';
const PATH = '/diagnostics';

/** A service of {@link Example}, and a proxy of it on another connection. */
async function served() {
  const [service, client] = [await connect({ address: daemon.address }), await connect({ address: daemon.address })];
  const example = implement(Example, {
    Echo: (text) => text,
    Fail: () => {
      throw new RangeError('as always');
    },
    Never: () => new Promise<void>(() => {}),
  });
  service.export(PATH, example);
  await service.requestName(NAME);
  const proxy = client.proxy(Example, NAME, PATH);
  // The first call by a name also sends queries to the bus.
  await proxy.call.Echo('');
  return {
    service,
    client,
    example,
    proxy,
    async [Symbol.asyncDispose]() {
      await Promise.all([client.close(), service.close()]);
    },
  };
}

test('an address without a socket: the address, the phase and the errno', async () => {
  using heard = new Heard();
  await rejection(connect({ address: 'unix:path=/nonexistent/bus' }));
  assert.equal(
    heard.connections.map(({ state }) => state),
    ['connecting', 'closed'],
  );
  const [, { address, failure }] = heard.connections as [ConnectionEvent, ConnectionEvent];
  assert.is(address, 'unix:path=/nonexistent/bus');
  assert.is(failure?.phase, 'connect');
  assert.is(failure?.text, 'ENOENT');
});

test('a bus that turns the client away: it failed to authenticate', async () => {
  using heard = new Heard();
  await using bus = await FakeBus.start({ handshake: { text: 'REJECTED KERBEROS_V4\r\n', hangUp: true } });
  await rejection(connect({ address: bus.address }));
  assert.is(heard.connections.at(-1)?.state, 'closed');
  assert.is(heard.connections.at(-1)?.failure?.phase, 'authenticate');
});

test('a bus that never answers: the attempt timed out', async () => {
  using heard = new Heard();
  await using bus = await FakeBus.start({ handshake: { text: '', hangUp: false } });
  await rejection(connect({ address: bus.address, timeout: 50 }));
  assert.is(heard.connections.at(-1)?.failure?.text, 'ETIMEDOUT');
});

test('a bus that does not answer Hello: the call that timed out is Hello', async () => {
  using heard = new Heard();
  await using bus = await FakeBus.start({ answer: () => 'silence' });
  await rejection(connect({ address: bus.address, timeout: 50 }));
  const { member, outcome } = heard.calls[0] as CallEvent;
  assert.equal({ member, outcome }, { member: 'Hello', outcome: 'timeout' });
});

test('a bus that is killed: the connection has the reason, and the pending calls were closed', async () => {
  using heard = new Heard();
  await using own = await PrivateBus.start();
  const bus = await connect({ address: own.address });
  bus.export(PATH, implement(Example, { Echo: String, Fail: () => {}, Never: () => new Promise<void>(() => {}) }));
  const waiting = rejection(
    bus.call({ destination: bus.uniqueName, path: PATH, interface: NAME, member: 'Never', timeout: 60_000 }),
  );
  await own.kill('SIGKILL');
  await waiting;
  const { state, reason } = heard.connections.at(-1) as ConnectionEvent;
  assert.is(state, 'closed');
  assert.match(String(reason?.message), /the connection was lost: E[A-Z]+/);
  assert.is(heard.calls.at(-1)?.outcome, 'closed');
  assert.is(heard.calls.at(-1)?.member, 'Never');
  assert.is(bus.stats().calls.closed, 1);
});

test('bytes that are not a message: the connection ends with the rule that was broken', async () => {
  using heard = new Heard();
  await using session = await Session.start();
  session.peer.inject(Buffer.from('GET / HTTP/1.1\r\n\r\n'.padEnd(64)));
  const reason = await session.bus.disconnected;
  assert.instance(reason, ProtocolError);
  const { connection } = session.bus.stats();
  assert.is(
    heard.connections.find((event) => event.connection === connection && event.state === 'closed')?.reason,
    reason,
  );
});

test('a signal with a corrupt body: the message, that it is faulty, and that it was dropped', async () => {
  using heard = new Heard();
  await using session = await Session.start();
  session.peer.send({ ...SIGNAL, signature: 's', body: Buffer.from([9, 0, 0, 0, 0x61, 0]) });
  await session.assertAlive('after a corrupt signal');
  assert.ok(heard.messages.some(({ isFaulty, member }) => isFaulty && member === SIGNAL.member));
  assert.ok(heard.problems.some(({ kind, message }) => kind === 'message' && message.includes('was dropped')));
  assert.is(session.bus.stats().droppedSignals, 1);
});

test('a reply with a corrupt body: its call is unreadable', async () => {
  using heard = new Heard();
  await using session = await Session.start();
  const { outcome, call } = await session.called();
  session.peer.send({ type: 2, replySerial: call.serial, signature: 's', body: Buffer.from([9, 0, 0, 0, 0x61, 0]) });
  await rejection(outcome);
  assert.is(heard.calls.find(({ serial }) => serial === call.serial)?.outcome, 'unreadable');
});

test('every way in which a call ends', async () => {
  await using ends = await served();
  using heard = new Heard();
  const { client, proxy } = ends;
  const before = client.stats().calls;
  await proxy.call.Echo('a');
  await rejection(proxy.call.Fail());
  await rejection(proxy.with({ timeout: 20 }).call.Never());
  const controller = new AbortController();
  const aborted = rejection(proxy.with({ signal: controller.signal }).call.Never());
  controller.abort();
  await aborted;
  await rejection(
    client.call({ destination: NAME, path: PATH, interface: NAME, member: 'Echo', signature: 's', body: [1] }),
  );
  const own = heard.calls.filter(({ connection }) => connection === client.stats().connection);
  assert.equal(
    own.map(({ outcome, errorName }) => [outcome, errorName]),
    [
      ['reply', undefined],
      ['error', 'org.freedesktop.DBus.Error.Failed'],
      ['timeout', undefined],
      ['abort', undefined],
      ['unsent', undefined],
    ],
  );
  for (const { serial, milliseconds } of own) assert.ok(serial > 0 && (milliseconds as number) >= 0);
  assert.ok((own[2]?.milliseconds as number) >= 19, 'a timeout took its time');
  const { calls } = client.stats();
  assert.equal(
    Object.fromEntries(Object.entries(calls).map(([key, count]) => [key, count - before[key as keyof typeof calls]])),
    { reply: 1, error: 1, unreadable: 0, timeout: 1, abort: 1, unsent: 1, closed: 0 },
  );
});

test('a service that leaves before it answers: the call ends in an error of the bus, not in a timeout', async () => {
  await using ends = await served();
  using heard = new Heard();
  const waiting = rejection(ends.proxy.call.Never());
  await ends.client.listNames();
  await ends.service.close({ drain: 0 });
  assert.instance(await waiting, ServiceLeftError);
  const { outcome, errorName } = heard.calls.find(({ member }) => member === 'Never') as CallEvent;
  assert.equal([outcome, errorName], ['error', 'org.freedesktop.DBus.Error.NoReply']);
});

test('a late reply: it is counted, and its message is traced', async () => {
  using heard = new Heard();
  await using session = await Session.start();
  const { outcome, call } = await session.called(20);
  await rejection(outcome);
  session.peer.send({ type: 2, replySerial: call.serial });
  await session.assertAlive('after a late reply');
  assert.is(session.bus.stats().unexpectedReplies, 1);
  assert.ok(
    heard.messages.some(({ direction, replySerial }) => direction === 'received' && replySerial === call.serial),
  );
});

test('a call is two messages at each end, and serials lead from one to the other', async () => {
  await using ends = await served();
  using heard = new Heard();
  await ends.proxy.call.Echo('abc');
  const client = ends.client.stats().connection;
  const service = ends.service.stats().connection;
  const [sent, arrived, answered, back] = heard.messages as [MessageEvent, MessageEvent, MessageEvent, MessageEvent];
  assert.equal(
    heard.messages.map(({ connection, direction, type, bodyLength }) => [connection, direction, type, bodyLength]),
    [
      [client, 'sent', MessageType.MethodCall, 8],
      [service, 'received', MessageType.MethodCall, 8],
      [service, 'sent', MessageType.MethodReturn, 8],
      [client, 'received', MessageType.MethodReturn, 8],
    ],
  );
  assert.is(arrived.serial, sent.serial);
  assert.is(answered.replySerial, sent.serial);
  assert.is(back.replySerial, sent.serial);
  assert.is(arrived.sender, ends.client.uniqueName);
  assert.is(sent.member, 'Echo');
});

test('an error that a handler throws is a problem, with its stack', async () => {
  await using ends = await served();
  using heard = new Heard();
  await rejection(ends.proxy.call.Fail());
  const problem = heard.problems.find(({ kind }) => kind === 'handler') as Problem;
  assert.instance(problem.error, RangeError);
});

test('a problem of no single connection names none', async () => {
  using heard = new Heard();
  parseIntrospection('<node><interface name="org.example.Odd"><method name="not a name"/></interface></node>');
  await using server = await listen({ address: 'unix:tmpdir=/tmp', allow: () => false });
  await rejection(connect({ address: server.address, peer: true }));
  assert.equal(
    heard.problems.map(({ kind, connection }) => [kind, connection]),
    [
      ['introspection', undefined],
      ['peer', undefined],
    ],
  );
});

test('a loop that is too slow for its signals is reported once', async () => {
  await using ends = await served();
  using heard = new Heard();
  using queue = ends.proxy.watch.Lit({ limit: 3 });
  await ends.client.listNames();
  for (let round = 0; round < 10; round++) ends.example.emit.Lit(`${round}`);
  await ends.proxy.call.Echo('after them');
  assert.is(queue.dropped, 7);
  assert.is(heard.problems.filter(({ message }) => message.includes('too slow')).length, 1);
});

test('statistics are counted without a subscriber', async () => {
  await using ends = await served();
  const before = ends.client.stats();
  for (let round = 0; round < 10; round++) await ends.proxy.call.Echo('abc');
  const after = ends.client.stats();
  assert.is(after.messagesSent - before.messagesSent, 10);
  assert.is(after.messagesReceived - before.messagesReceived, 10);
  // One reply after the other.
  assert.is(after.batchesReceived - before.batchesReceived, 10);
  assert.is(after.bodyBytesSent - before.bodyBytesSent, 80);
  assert.is(after.bodyBytesReceived - before.bodyBytesReceived, 80);
  assert.is(after.calls.reply - before.calls.reply, 10);
  using _lit = ends.proxy.on.Lit(() => {});
  assert.ok(ends.client.stats().subscriptions > after.subscriptions);
});

test('the statistics tell how many messages were read at a time', async () => {
  await using server = await FakeBus.start();
  await using bus = await connect({ address: server.address });
  const peer = await server.accepted();
  await bus.listNames();
  const before = bus.stats();
  const signal = busMessage({ type: 4, path: '/', interface: 'org.example.Many', member: 'Said', sender: PEER });
  // In one write.
  peer.inject(...Array.from({ length: 20 }, () => signal));
  await until(() => bus.stats().messagesReceived - before.messagesReceived === 20);
  const batches = bus.stats().batchesReceived - before.batchesReceived;
  // The library of sd-bus reads one message at a time, and its messages are a batch if they are there together.
  if (transportKind() === 'socket') assert.is(batches, 1);
  else assert.ok(batches >= 1 && batches <= 20, `${batches} batches`);
});

const program = `
import { connect } from ${JSON.stringify(libraryEntry)};
const bus = await connect({ address: process.argv[1] });
await bus.listNames();
await bus.call({ destination: 'org.example.Nobody', path: '/', member: 'Ask', signature: 's', body: ['in the body'] }).catch(() => {});
await bus.close();
await connect({ address: 'unix:path=/nonexistent/bus' }).catch(() => {});
`;

/** The standard error of a program that does these things. */
async function traced(sections: string): Promise<readonly string[]> {
  const args = [...moduleArguments(program), daemon.address];
  const { code, stderr } = await run(process.execPath, args, { cwd: projectRoot, env: { NODE_DEBUG: sections } });
  assert.is(code, 0, stderr);
  return stderr.split('\n').map((line) => line.replace(/^BUSBAR(-MESSAGE)? \d+: /, ''));
}

test('NODE_DEBUG=busbar prints connections and failed calls, one line each', async () => {
  const lines = await traced('busbar');
  const transport = transportKind();
  assert.ok(lines.includes(`#1 connecting to ${daemon.address} (${transport})`), lines.join('\n'));
  assert.ok(lines.includes('#1 open'));
  assert.ok(
    lines.some((line) =>
      /^#1 call 5: org\.freedesktop\.DBus\.Error\.ServiceUnknown after [\d.]+ ms: org\.example\.Nobody \/ Ask$/.test(
        line,
      ),
    ),
    lines.join('\n'),
  );
  assert.ok(lines.includes('#1 closed'));
  assert.ok(lines.includes('#2 closed: failed to connect: ENOENT'));
  assert.not(lines.some((line) => line.includes(' sent ')));
});

test('without NODE_DEBUG nothing is written', async () => {
  assert.is((await traced('')).join(''), '');
});

test('NODE_DEBUG=busbar-message prints every message, without its body', async () => {
  const lines = await traced('busbar-message');
  assert.not.match(lines.join('\n'), 'in the body');
  const bus = 'org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus';
  assert.ok(lines.includes(`#1 sent call 2 ${bus}.ListNames "", 0 bytes`), lines.join('\n'));
  assert.ok(
    lines.some((line) => /^#1 received return \d+ to 2 from org\.freedesktop\.DBus :\S+ "as", \d+ bytes$/.test(line)),
    lines.join('\n'),
  );
});

test('the program in the guide runs unchanged', async () => {
  const guide = readFileSync(join(projectRoot, 'docs', 'diagnostics.md'), 'utf8');
  const code = /^```ts\n\/\/ watch\.ts\n([\s\S]*?)^```$/m.exec(guide)?.[1];
  assert.type(code, 'string');
  // Within the project, so that `busbar` is the package itself.
  mkdirSync(join(projectRoot, 'build'), { recursive: true });
  const folder = mkdtempSync(join(projectRoot, 'build', 'diagnostics-'));
  try {
    writeFileSync(join(folder, 'watch.ts'), code as string);
    const args = ['--import', 'tsx', join(folder, 'watch.ts')];
    const lines = (await outputOf(process.execPath, args, { env: daemon.env })).trim().split('\n');
    assert.equal(
      lines.map((line) => line.trim()),
      [
        `1 connecting ${daemon.address}`,
        `1 open ${daemon.address}`,
        'call 3 of GetNameOwner: org.freedesktop.DBus.Error.NameHasNoOwner',
        'call 4 of Ask: org.freedesktop.DBus.Error.ServiceUnknown',
        `1 closing ${daemon.address}`,
        `1 closed ${daemon.address}`,
      ],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
