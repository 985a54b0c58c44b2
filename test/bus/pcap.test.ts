// `writePcap`: what is captured is what was sent, by a reader of the tests and by tshark.
import { chmodSync, createWriteStream, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, InvalidArgumentError, type MonitoredMessage, Variant, writePcap } from '../../src/index.js';
import { bodies, paths } from '../helpers/arbitrary-bodies.js';
import { BUS, CLIENT, FakeBus, PEER } from '../helpers/fake-bus.js';
import { marshalledValues } from '../helpers/marshalled-values.js';
import { missingPrograms } from '../helpers/paths.js';
import { readPcap } from '../helpers/pcap-reader.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { outputOf } from '../helpers/program.js';
import { RawPeer } from '../helpers/raw-peer.js';
import { rejection } from '../helpers/rejection.js';
import { replayable } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';
import { type WireMessage, wireMessage } from '../helpers/wire.js';

const test = suite('pcap');
const folder = await mkdtemp(join(tmpdir(), 'busbar-pcap-'));
const file = join(folder, 'bus.pcap');
test.after(() => rmSync(folder, { recursive: true }));

/** A message of one peer to another one, and the bytes of its body in little-endian order. */
interface Forwarded {
  readonly wire: WireMessage;
  readonly littleBody: Buffer;
}

/** How the fields of a message are compared. */
const fieldsOf = (message: Omit<WireMessage, 'body'> & { readonly body?: Uint8Array | undefined }) => {
  const { type, flags = 0, serial, path, errorName, replySerial, destination, sender, signature } = message;
  const { interface: interfaceName, member } = message;
  const head = { type, flags, serial, path, interface: interfaceName, member, errorName, replySerial };
  return { ...head, destination, sender, signature: signature ?? '' };
};

const addressed = fc.record({ destination: fc.constantFrom(':1.7', 'org.example.Name'), sender: fc.constant(PEER) });
const serial = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const heads: fc.Arbitrary<Partial<WireMessage> & { type: number }> = fc.oneof(
  fc.record({
    type: fc.constant(1),
    path: paths,
    interface: fc.constantFrom('a.b', undefined),
    member: fc.constant('M'),
  }),
  fc.record({ type: fc.constant(2), replySerial: serial }),
  fc.record({ type: fc.constant(3), replySerial: serial, errorName: fc.constant('a.b.Error') }),
  fc.record({ type: fc.constant(4), path: paths, interface: fc.constant('a.b'), member: fc.constant('Signal') }),
);
const messages: fc.Arbitrary<Forwarded> = fc
  .tuple(heads, addressed, bodies, fc.record({ serial, flags: fc.integer({ min: 0, max: 7 }), big: fc.boolean() }))
  .map(([head, ends, [signature, values], rest]) => ({
    wire: { ...head, ...ends, ...rest, signature, body: marshalledValues(signature, values, rest.big) },
    littleBody: marshalledValues(signature, values),
  }));

/** Plays a bus that accepts monitors, forwards messages to one, and captures them. */
async function captured(forwarded: readonly Forwarded[], to: string | Writable): Promise<MonitoredMessage[]> {
  const answer = ({ member, serial: replySerial }: { readonly member: string | undefined; readonly serial: number }) =>
    member === 'BecomeMonitor' || member === 'GetNameOwner'
      ? wireMessage(
          member === 'BecomeMonitor'
            ? { type: 2, serial: 9, replySerial, sender: BUS, destination: CLIENT }
            : { type: 3, serial: 9, replySerial, sender: BUS, destination: CLIENT, errorName: 'a.b.NoOwner' },
        )
      : undefined;
  await using server = await FakeBus.start({ answer });
  await using bus = await connect({ address: server.address, transport: 'socket' });
  await server.accepted();
  const monitor = bus.monitor([], { limit: 1_000_000 });
  const monitored = await server.accepted();
  await monitor.ready;
  const seen: MonitoredMessage[] = [];
  async function* upTo(count: number) {
    if (count === 0) return;
    for await (const message of monitor) {
      seen.push(message);
      yield message;
      if (seen.length === count) return;
    }
  }
  for (const { wire } of forwarded) monitored.inject(wireMessage(wire));
  const { messages: count, bytes } = await writePcap(to, upTo(forwarded.length));
  monitor.end();
  assert.equal([count, bytes], [seen.length, seen.reduce((sum, message) => sum + message.bytes.length, 0)]);
  return seen;
}

test('every message is captured as it was sent, in either byte order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(messages, { maxLength: 20 }), async (forwarded) => {
      const before = Date.now() * 1000;
      await captured(forwarded, file);
      const records = readPcap(readFileSync(file));
      assert.equal(
        records.map(({ message }) => fieldsOf(message)),
        forwarded.map(({ wire }) => fieldsOf(wire)),
      );
      for (const [index, { message, time }] of records.entries()) {
        assert.equal(message.body, forwarded[index]?.littleBody, forwarded[index]?.wire.signature);
        assert.ok(time >= before - 5000 && time <= Date.now() * 1000 + 5000, String(time));
      }
    }),
    replayable(40),
  );
});

const everyType: readonly (readonly [string, unknown])[] = [
  ['y', 255],
  ['b', true],
  ['n', -2],
  ['q', 65_534],
  ['i', -3],
  ['u', 4_294_967_293],
  ['x', -4n],
  ['t', 18_446_744_073_709_551_612n],
  ['d', 2.25],
  ['s', 'hé 😀'],
  ['o', '/a/b'],
  ['g', 'a{sv}'],
  ['ay', Buffer.from('bytes')],
  ['as', ['one', 'two']],
  ['a{sv}', { a: new Variant('u', 1), b: new Variant('(is)', [1, 'x']) }],
  ['(y(nx))', [1, [2, 3n]]],
  ['aax', [[1n], [], [2n, 3n]]],
  ['v', new Variant('v', new Variant('ad', [1.5, -0.5]))],
];

testUnless(missingPrograms('tshark'), test, 'tshark reads every type of either byte order', async () => {
  const forwarded = everyType.flatMap(([signature, value], index) =>
    [false, true].map((big) => ({
      wire: {
        ...{ type: 1, serial: index * 2 + Number(big) + 1, big, path: '/a/b', interface: 'a.b', member: 'M' },
        ...{ destination: 'org.example.Name', sender: PEER, signature },
        body: marshalledValues(signature, [value], big),
      },
      littleBody: marshalledValues(signature, [value]),
    })),
  );
  await captured(forwarded, file);
  const wanted = ['serial', 'path', 'interface', 'member', 'destination', 'sender', 'signature'];
  const fields = [...wanted.map((field) => `dbus.${field}`), '_ws.malformed', '_ws.expert.message'];
  const text = await outputOf('tshark', ['-r', file, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])]);
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t').slice(0, wanted.length));
  assert.equal(
    rows,
    forwarded.map(({ wire }) => [String(wire.serial), '/a/b', 'a.b', 'M', 'org.example.Name', PEER, wire.signature]),
  );
  const faults = await outputOf('tshark', ['-r', file, '-Y', '_ws.malformed or _ws.expert']);
  assert.is(faults, '');
  const values = await outputOf('tshark', ['-r', file, '-O', 'dbus', '-V']);
  for (const shown of [
    'Int16: -2',
    'Uint64: 18446744073709551612 (0xfffffffffffffffc)',
    'String: hé 😀',
    'Double: 2.25',
    'Int64: -4',
  ]) {
    assert.is(values.split(`${shown}\n`).length, 3, `both byte orders: ${shown}`);
  }
});

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `messages of a big-endian sender are captured: ${daemon}`,
    async () => {
      await using server = await PrivateBus.start({ daemon });
      await using bus = await connect({ address: server.address });
      using monitor = bus.monitor({ member: 'M' });
      await monitor.ready;
      const peer = await RawPeer.authenticated(server.address);
      const hello = { path: '/org/freedesktop/DBus', interface: BUS, member: 'Hello', destination: BUS };
      await peer.call({ ...hello, big: true });
      const head = { type: 4, big: true, path: '/a', interface: 'a.b', member: 'M' };
      for (const [signature, value] of everyType)
        peer.send({ ...head, signature, body: marshalledValues(signature, [value], true) });
      peer.send({ ...head, member: 'M', path: '/last' });
      async function* all() {
        for await (const message of monitor) {
          yield message;
          if (message.path === '/last') return;
        }
      }
      await writePcap(file, all());
      peer.hangUp();
      const records = readPcap(readFileSync(file));
      assert.is(records.length, everyType.length + 1);
      for (const [index, [signature, value]] of everyType.entries()) {
        const { message } = records[index] as (typeof records)[number];
        assert.equal([message.signature, message.path, message.sender?.[0]], [signature, '/a', ':']);
        assert.equal(message.body, marshalledValues(signature, [value]), signature);
      }
    },
  );
}

test('a stream gets each record soon, and stays open; a file is for its owner alone', async () => {
  await using server = await FakeBus.start({
    answer: ({ member, serial: replySerial }) =>
      member === 'BecomeMonitor'
        ? wireMessage({ type: 2, serial: 9, replySerial, sender: BUS, destination: CLIENT })
        : undefined,
  });
  await using bus = await connect({ address: server.address });
  await server.accepted();
  const monitor = bus.monitor();
  const monitored = await server.accepted();
  await monitor.ready;
  const stream = new PassThrough();
  const parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  const written = writePcap(stream, monitor);
  for (const member of ['One', 'Two', 'Three']) {
    monitored.send({ type: 4, path: '/', interface: 'a.b', member, destination: ':1.9' });
    await until(() => parts.length > 0 && readPcap(Buffer.concat(parts)).at(-1)?.message.member === member);
  }
  monitor.end();
  assert.is((await written).messages, 3);
  assert.is(stream.writable, true);
  rmSync(file, { force: true });
  assert.equal(await writePcap(file, []), { messages: 0, bytes: 0 });
  assert.equal(readPcap(readFileSync(file)), []);
  assert.is(statSync(file).mode & 0o777, 0o600);
});

/** Messages of which none comes. */
function endless(onEnd: () => void = () => {}): AsyncIterableIterator<never> {
  return {
    next: () => new Promise(() => {}),
    return: async () => {
      onEnd();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

test('a stream that fails ends the messages, also while none comes', async () => {
  const broken = () =>
    new Writable({
      write: (_chunk, _encoding, callback) => callback(new Error('the reader has gone')),
    });
  let ended = 0;
  const silent = endless(() => ended++);
  assert.match((await rejection(writePcap(broken(), silent))).message, 'the reader has gone');
  assert.is(ended, 1);
  const many = Array.from({ length: 10 }, () => ({ time: 1, bytes: new Uint8Array(50_000) }));
  assert.match((await rejection(writePcap(broken(), many))).message, 'the reader has gone');
  assert.match((await rejection(writePcap('/nonexistent/file', []))).message, 'ENOENT');
});

test('a file that exists loses its content and the permissions of others; a device keeps its own', async () => {
  for (const mode of [0o644, 0o666, 0o4755, 0o600]) {
    writeFileSync(file, 'x'.repeat(1000));
    chmodSync(file, mode);
    await writePcap(file, [{ time: 1, bytes: new Uint8Array(8) }]);
    assert.is(statSync(file).mode & 0o7777, 0o600, mode.toString(8));
    assert.is(readFileSync(file).length, 24 + 16 + 8);
  }
  const before = statSync('/dev/null').mode;
  await writePcap('/dev/null', []);
  assert.is(statSync('/dev/null').mode, before);
});

test('the error of a stream is not emitted to a program that has no listener, and none is left behind', async () => {
  // The error of a file is emitted when the file is closed, which is after the callback of the write.
  const full = createWriteStream('/dev/full');
  const closed = new Promise<void>((resolve) => full.once('close', () => resolve()));
  assert.match((await rejection(writePcap(full, endless()))).message, 'ENOSPC');
  await closed;
  await until(() => full.listenerCount('error') === 0);
  const lasting = new Writable({
    autoDestroy: false,
    write: (_chunk, _encoding, callback) => callback(new Error('x')),
  });
  await rejection(writePcap(lasting, []));
  await until(() => lasting.listenerCount('error') === 0);
  const destroyed = new PassThrough().destroy();
  await rejection(writePcap(destroyed, []));
  assert.is(destroyed.listenerCount('error'), 0);
  const whole = new PassThrough();
  await writePcap(whole, []);
  assert.is(whole.listenerCount('error'), 0);
});

test('a stream that fails between messages is an error at once', async () => {
  const stream = new PassThrough().resume();
  const writing = rejection(writePcap(stream, endless()));
  stream.destroy(new Error('the reader has left'));
  assert.match((await writing).message, 'the reader has left');
});

test('messages are ended when the file cannot be opened or written', async () => {
  for (const path of ['/nonexistent/file', '/dev/full']) {
    let isEnded = false;
    const source = endless(() => {
      isEnded = true;
    });
    assert.match((await rejection(writePcap(path, source))).message, /ENOENT|ENOSPC/);
    assert.ok(isEnded, path);
  }
  const messages = (async function* () {
    for (;;) yield { time: 1, bytes: new Uint8Array(50_000) };
  })();
  assert.match((await rejection(writePcap('/dev/full', messages))).message, 'ENOSPC');
  assert.is((await messages.next()).done, true);
});

test('messages that fail are captured up to their error', async () => {
  async function* failing() {
    yield { time: 1, bytes: new Uint8Array(8) };
    throw new Error('the bus has ended');
  }
  assert.match((await rejection(writePcap(file, failing()))).message, 'the bus has ended');
  assert.is(readFileSync(file).length, 24 + 16 + 8);
});

test('wrong arguments are refused', async () => {
  for (const [to, what] of [
    [file, 5],
    [file, null],
    [file, {}],
    [5, []],
    [null, []],
    [{}, []],
  ] as never[][]) {
    assert.instance(await rejection(writePcap(to as never, what as never)), InvalidArgumentError);
  }
});

test.run();
