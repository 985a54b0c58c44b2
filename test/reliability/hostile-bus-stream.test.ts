// Messages in pieces, merged, large, in the other byte order, never finished, or answering what nobody asked.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectError,
  ConnectionClosedError,
  connect,
  DBusError,
  NameTakenError,
  ProtocolError,
  TimeoutError,
} from '../../src/index.js';
import { BUS, busReply, CLIENT, FakeBus, HANDSHAKE, PEER } from '../helpers/fake-bus.js';
import { CALL, Session, SIGNAL } from '../helpers/fake-bus-session.js';
import { rejection } from '../helpers/rejection.js';
import { type Bytes, bytesOf, type WireMessage, wireMessage } from '../helpers/wire.js';
import type { SentMessage } from '../helpers/wire-reader.js';

const test = suite('hostile bus: stream');

const TEXT = { signature: 's', body: bytesOf((b) => b.text('text')) };
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a message may be split anywhere', async () => {
  await using session = await Session.start();
  const { length } = session.peer.message({ ...SIGNAL, ...TEXT });
  for (let at = 1; at < length; at++) {
    const bytes = session.peer.message({ ...SIGNAL, ...TEXT });
    session.peer.inject(bytes.subarray(0, at));
    await turn();
    session.peer.inject(bytes.subarray(at));
    await turn();
  }
  await session.assertAlive('split');
  assert.is(session.heard.length, length - 1);
  assert.ok(session.heard.every(({ body }) => body[0] === 'text'));
});

test('a reply may come byte by byte', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called();
  for (const byte of session.peer.message({ type: 2, replySerial: call.serial, ...TEXT })) {
    session.peer.inject(Uint8Array.of(byte));
    await turn();
  }
  assert.equal(await outcome, ['text']);
});

test('a thousand messages in one piece keep their order', async () => {
  await using session = await Session.start();
  const seen: unknown[] = [];
  session.bus.addMessageHandler(({ type, body }) => {
    if (type === 4) seen.push(body[0]);
    return false;
  });
  const calls = await Promise.all(Array.from({ length: 250 }, () => session.called()));
  const pieces: Buffer[] = [];
  const expected: number[] = [];
  for (const [index, { outcome, call }] of calls.entries()) {
    void outcome.then(() => seen.push(`reply ${index}`));
    const number = bytesOf((b) => b.u32(index));
    pieces.push(session.peer.message({ ...SIGNAL, signature: 'u', body: number }));
    pieces.push(session.peer.message({ type: 2, replySerial: call.serial, signature: 'u', body: number }));
    pieces.push(session.peer.message({ type: 1, ...CALL, ...TEXT }));
    pieces.push(session.peer.message({ type: 5 }));
    expected.push(index);
  }
  session.peer.inject(...pieces);
  assert.equal(await Promise.all(calls.map(async ({ outcome }) => (await outcome)[0])), expected);
  await session.assertAlive('merged');
  assert.is(session.handled, 250);
  assert.equal(
    seen,
    expected.flatMap((index) => [index, `reply ${index}`]),
  );
});

for (const megabytes of [0.25, 1, 10]) {
  test(`a message of ${megabytes} MB arrives whole, and what follows it too`, async () => {
    await using session = await Session.start();
    const data = Buffer.alloc(megabytes * 1_000_000, 'abc');
    const large = {
      signature: 'aysay',
      body: bytesOf((b) => b.u32(data.length).raw(data).align(4).text('between').u32(data.length).raw(data)),
    };
    session.peer.send({ ...SIGNAL, ...large });
    const { outcome, call } = await session.called();
    session.peer.inject(
      session.peer.message({ type: 2, replySerial: call.serial, ...large }),
      session.peer.message(SIGNAL),
    );
    assert.equal(await outcome, [data, 'between', data]);
    await session.assertAlive('large');
    assert.equal(session.heard[0]?.body, [data, 'between', data]);
    assert.is(session.heard.length, 2);
    assert.is((await session.answer({ ...CALL, ...large })).errorName, `${BUS}.Error.InvalidArgs`);
  });
}

/** A value of each kind, and what it reads as. */
function writeEverything(bytes: Bytes): void {
  bytes.u8(200).u32(1).u16(0x8001).u16(0xfffe).u32(0x8000_0001).u32(0xffff_fffe);
  bytes.u64(0x8000_0000_0000_0001n).u64(0xffff_ffff_ffff_fffen).f64(-1.5);
  bytes.text('ü€😀').text('/a/b').signature('a{sv}');
  bytes.array(1, (b) => b.raw('\x01\x02\x03'));
  bytes.array(2, (b) => b.u16(1).u16(0xffff));
  bytes.array(8, (b) => b.u64(1n).u64(2n));
  bytes.array(8, (b) => b.f64(0.25));
  bytes.array(4, (b) => b.u32(1).u32(0));
  bytes.array(8, (b) =>
    b
      .align(8)
      .text('key')
      .signature('(uas)')
      .align(8)
      .u32(7)
      .array(4, (a) => a.text('x').text('y')),
  );
  bytes.array(8, () => {});
  bytes.align(8).u8(1).u64(2n);
}
const EVERYTHING = 'ybnqiuxtdsogayanatadaba{sv}a(t)(yt)';
const VALUES = [
  200,
  true,
  -32767,
  65534,
  -2147483647,
  4294967294,
  -0x7fff_ffff_ffff_ffffn,
  0xffff_ffff_ffff_fffen,
  -1.5,
  'ü€😀',
  '/a/b',
  'a{sv}',
  Buffer.from([1, 2, 3]),
  [1, -1],
  [1n, 2n],
  [0.25],
  [true, false],
  { key: [7, ['x', 'y']] },
  [],
  [1, 2n],
];

for (const big of [false, true]) {
  test(`${big ? 'big' : 'little'}-endian replies, signals, errors and calls have the same values`, async () => {
    await using session = await Session.start();
    const everything = { big, signature: EVERYTHING, body: bytesOf(writeEverything, big) };
    const { outcome, call } = await session.called();
    session.peer.send({ type: 2, replySerial: call.serial, ...everything });
    assert.equal(await outcome, VALUES);
    session.peer.send({ ...SIGNAL, ...everything });
    const failing = await session.called();
    session.peer.send({ type: 3, errorName: 'org.example.Error', replySerial: failing.call.serial, ...everything });
    assert.equal(((await rejection(failing.outcome)) as DBusError).body, VALUES);
    const answer = await session.answer({ ...CALL, big, signature: 's', body: bytesOf((b) => b.text('text'), big) });
    assert.is(answer.type, 2);
    assert.is(session.handled, 1);
    assert.equal(session.heard[0]?.body, VALUES);
  });
}

test('byte orders may alternate', async () => {
  await using session = await Session.start();
  for (let i = 0; i < 20; i++) {
    const big = i % 2 === 0;
    session.peer.send({ ...SIGNAL, big, signature: 'u', body: bytesOf((b) => b.u32(i), big) });
  }
  await session.assertAlive('alternating');
  assert.equal(
    session.heard.map(({ body }) => body[0]),
    Array.from({ length: 20 }, (_, i) => i),
  );
});

test('a large big-endian array of numbers is swapped', async () => {
  await using session = await Session.start();
  const body = bytesOf(
    (b) =>
      b.array(4, (a) => {
        for (let i = 0; i < 200_000; i++) a.u32(i);
      }),
    true,
  );
  session.peer.send({ ...SIGNAL, big: true, signature: 'au', body });
  await session.assertAlive('large and big');
  assert.equal(session.heard[0]?.body, [Array.from({ length: 200_000 }, (_, i) => i)]);
});

test('a bus that hangs up in the middle of a message is a loss, wherever it stops', async () => {
  const full = wireMessage({ ...SIGNAL, ...TEXT, destination: CLIENT, sender: PEER, serial: 77 });
  for (let length = 1; length < full.length; length += length < 24 ? 1 : 7) {
    await using session = await Session.start();
    const { outcome } = await session.called();
    session.peer.hangUp(full.subarray(0, length));
    assert.instance(await session.bus.disconnected, ConnectionClosedError);
    assert.instance(await rejection(outcome), ConnectionClosedError);
    assert.is(session.heard.length, 0);
  }
});

test('what came whole before the bus hung up still arrives', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called();
  const reply = session.peer.message({ type: 2, replySerial: call.serial, ...TEXT });
  session.peer.hangUp(Buffer.concat([reply, session.peer.message(SIGNAL), reply.subarray(0, 20)]));
  assert.equal(await outcome, ['text']);
  assert.instance(await session.bus.disconnected, ConnectionClosedError);
  assert.is(session.heard.length, 1);
});

test('a bus that hangs up anywhere in the handshake is a ConnectError', async () => {
  for (let length = 0; length < HANDSHAKE.length; length++) {
    await using server = await FakeBus.start({ handshake: { text: HANDSHAKE.slice(0, length), hangUp: true } });
    assert.instance(await rejection(connect({ address: server.address })), ConnectError, `after ${length} bytes`);
  }
});

test('a bus that stops anywhere in the handshake is given up after the timeout', async () => {
  await Promise.all(
    Array.from({ length: HANDSHAKE.length }, async (_, length) => {
      await using server = await FakeBus.start({ handshake: { text: HANDSHAKE.slice(0, length), hangUp: false } });
      const error = await rejection(connect({ address: server.address, timeout: 200 }));
      assert.instance(error, ConnectError, `after ${length} bytes`);
      assert.match(error.message, 'ETIMEDOUT');
    }),
  );
});

for (const [what, text] of [
  ['a line that never ends', `DATA\r\nOK ${'0'.repeat(100_000)}`],
  ['an id that is none', 'DATA\r\nOK xyz\r\nAGREE_UNIX_FD\r\n'],
  ['an error', 'ERROR\r\nERROR\r\nERROR\r\n'],
  ['zeros', '\0'.repeat(100)],
  ['a hundred rejections', 'REJECTED EXTERNAL\r\n'.repeat(100)],
] as const) {
  test(`a handshake with ${what} is a ConnectError`, async () => {
    await using server = await FakeBus.start({ handshake: { text, hangUp: false } });
    assert.instance(await rejection(connect({ address: server.address, timeout: 300 })), ConnectError);
  });
}

test('a bus that does not pass descriptors still connects', async () => {
  const text = HANDSHAKE.replace('AGREE_UNIX_FD', 'ERROR');
  await using session = await Session.start({ handshake: { text, hangUp: false } });
  assert.not.ok(session.bus.canSendFileDescriptors);
  await session.assertAlive('no descriptors');
  const call = { destination: PEER, path: '/', member: 'Take', signature: 'h', body: [0] };
  assert.instance(await rejection(session.bus.call(call)), DBusError);
  await session.assertAlive('a refused descriptor');
});

test('messages right behind the handshake, before Hello was said, disturb nothing', async () => {
  const early = wireMessage({ ...SIGNAL, ...TEXT, sender: PEER }).toString('latin1');
  assert.is(early, Buffer.from(early, 'utf8').toString('utf8'), 'the handshake is written as text');
  await using session = await Session.start({ handshake: { text: HANDSHAKE + early, hangUp: false } });
  await session.assertAlive('early');
});

/** The bus's answer to Hello is told apart from the others: without it there is no connection. */
const onHello = (answer: (call: SentMessage) => Uint8Array | 'silence' | undefined) => ({
  answer: (call: SentMessage) => (call.member === 'Hello' ? answer(call) : undefined),
});

test('a bus that answers Hello with something else is refused', async () => {
  for (const [reply, kind] of [
    [{ type: 2 }, ProtocolError],
    [{ type: 2, signature: 'u', body: bytesOf((b) => b.u32(5)) }, ProtocolError],
    [{ type: 2, signature: 's', body: bytesOf((b) => b.u32(1000)) }, DBusError],
    [{ type: 3, errorName: `${BUS}.Error.LimitsExceeded`, ...TEXT }, DBusError],
  ] as const) {
    const header = { serial: 1, destination: CLIENT, sender: BUS };
    await using server = await FakeBus.start(
      onHello((call) => wireMessage({ ...header, replySerial: call.serial, ...(reply as WireMessage) })),
    );
    assert.instance(await rejection(connect({ address: server.address })), kind, JSON.stringify(reply));
    const peer = await server.accepted();
    await peer.closed;
  }
});

test('a bus that never answers Hello is given up after the timeout', async () => {
  await using server = await FakeBus.start(onHello(() => 'silence'));
  const error = await rejection(connect({ address: server.address, timeout: 100 }));
  assert.instance(error, TimeoutError);
  await (await server.accepted()).closed;
});

test('a bus that hangs up anywhere in its answer to Hello rejects the connection', async () => {
  await using server = await FakeBus.start(onHello(() => 'silence'));
  for (let length = 0; ; length += length < 24 ? 1 : 5) {
    const connecting = rejection(connect({ address: server.address }));
    const peer = await server.accepted();
    const hello = await peer.until(({ member }) => member === 'Hello');
    const answer = busReply(hello, 1);
    if (length >= answer.length) {
      peer.hangUp();
      await connecting;
      break;
    }
    peer.hangUp(answer.subarray(0, length));
    assert.instance(await connecting, ConnectionClosedError, `after ${length} bytes`);
  }
});

test('replies of the bus with another signature are a ProtocolError and nothing more', async () => {
  await using session = await Session.start({
    answer: (call) =>
      call.member === 'Hello' || call.member === 'AddMatch'
        ? undefined
        : wireMessage({
            type: 2,
            serial: 99,
            replySerial: call.serial,
            destination: CLIENT,
            sender: BUS,
            signature: 'd',
            body: bytesOf((b) => b.f64(1)),
          }),
  });
  const { bus } = session;
  for (const asking of [
    bus.requestName('org.example.Forged'),
    bus.releaseName('org.example.Forged'),
    bus.listNames(),
    bus.listActivatableNames(),
    bus.nameOwner('org.example.Forged'),
    bus.hasName('org.example.Forged'),
    bus.startService('org.example.Forged'),
    bus.credentials('org.example.Forged'),
  ]) {
    const error = await rejection(asking);
    assert.instance(error, ProtocolError);
    assert.not.instance(error, NameTakenError);
    assert.match(error.message, 'with "d" instead of');
  }
  assert.is(bus.stats().ownedNames, 0);
  assert.ok(await session.peer.ping());
});

test('signals of the bus with another body change nothing', async () => {
  await using session = await Session.start();
  const { bus, peer } = session;
  const owners: unknown[] = [];
  using _watch = bus.watchName('org.example.Watched', {
    appeared: (owner) => owners.push(owner),
    vanished: () => owners.push(undefined),
  });
  await using name = await bus.requestName('org.example.Owned');
  await session.assertAlive('before');
  const fromBus = { type: 4, path: '/org/freedesktop/DBus', interface: BUS, sender: BUS };
  const bodies = [
    {},
    { signature: 'u', body: bytesOf((b) => b.u32(1)) },
    { signature: 'as', body: bytesOf((b) => b.array(4, (a) => a.text('org.example.Owned'))) },
    { signature: 'ssu', body: bytesOf((b) => b.text('org.example.Watched').text(PEER).u32(0)) },
    { signature: 'sss', body: bytesOf((b) => b.text('org.example.Watched').u32(1000)) },
    { signature: 's', body: bytesOf((b) => b.u32(1000).raw('abc')) },
  ];
  for (const member of ['NameOwnerChanged', 'NameLost', 'NameAcquired']) {
    for (const body of bodies) peer.send({ ...fromBus, member, ...body });
  }
  await session.assertAlive('forged signals');
  assert.equal(owners, [PEER]);
  assert.is(name.state, 'owned');
  const gone = bytesOf((b) => b.text('org.example.Watched').text(PEER).text(''));
  peer.send({ ...fromBus, member: 'NameOwnerChanged', signature: 'sss', body: gone });
  await session.assertAlive('a true signal');
  assert.equal(owners, [PEER, undefined]);
});

test('a reply that nobody waits for is ignored', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called();
  for (const replySerial of [call.serial + 1, call.serial + 1000, 0xffff_ffff]) {
    session.peer.send({ type: 2, replySerial, ...TEXT });
    session.peer.send({ type: 3, errorName: 'org.example.Error', replySerial, ...TEXT });
    session.peer.send({ type: 2, replySerial, signature: 's', body: bytesOf((b) => b.u32(1000)) });
  }
  session.peer.send({ type: 2, replySerial: call.serial });
  assert.equal(await outcome, []);
  await session.assertAlive('stray replies');
});

test('the first of two replies is the reply', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called();
  const reply = (text: string) =>
    session.peer.message({ type: 2, replySerial: call.serial, signature: 's', body: bytesOf((b) => b.text(text)) });
  session.peer.inject(reply('first'), reply('second'));
  assert.equal(await outcome, ['first']);
  const failed = await session.called();
  const header = { replySerial: failed.call.serial };
  session.peer.send({ type: 3, errorName: 'org.example.Error', ...header });
  session.peer.send({ type: 2, ...header });
  assert.instance(await rejection(failed.outcome), DBusError);
  await session.assertAlive('two replies');
});

test('a reply from somebody who was not asked is ignored', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called();
  session.peer.send({ type: 2, sender: ':1.66', replySerial: call.serial, ...TEXT });
  session.peer.send({ type: 3, sender: ':1.66', errorName: 'org.example.Error', replySerial: call.serial });
  session.peer.send({ type: 2, replySerial: call.serial });
  assert.equal(await outcome, []);
});

test('an error that answers a signal, or a reply, is ignored', async () => {
  await using session = await Session.start();
  session.bus.emit({ path: '/', interface: 'org.example.Client', member: 'Spoke' });
  const signal = await session.peer.until(({ member }) => member === 'Spoke');
  const reply = await session.answer({ ...CALL, ...TEXT });
  for (const { serial } of [signal, reply]) {
    session.peer.send({ type: 3, errorName: 'org.example.Error', replySerial: serial, ...TEXT });
    session.peer.send({ type: 2, replySerial: serial });
  }
  await session.assertAlive('answered signals');
});

test('an error may have any name and any body, or none', async () => {
  await using session = await Session.start();
  for (const [errorName, body] of [
    ['org.example.Error', {}],
    ['org.freedesktop.DBus.Error.AccessDenied', {}],
    ['a.b', { signature: 'u', body: bytesOf((b) => b.u32(5)) }],
    ['constructor.prototype', TEXT],
    ['__proto__.x', { signature: 'ss', body: bytesOf((b) => b.text('').text('more')) }],
  ] as const) {
    const { outcome, call } = await session.called();
    session.peer.send({ type: 3, replySerial: call.serial, errorName, ...body });
    const error = (await rejection(outcome)) as DBusError;
    assert.instance(error, DBusError);
    assert.is(error.dbusName, errorName);
    assert.is.not(error.message, '');
  }
});

test('keys of dictionaries pollute nothing', async () => {
  await using session = await Session.start();
  const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''];
  const body = bytesOf((b) =>
    b.array(8, (entries) => {
      for (const key of keys) entries.align(8).text(key).signature('s').align(4).text(`value of ${key}`);
    }),
  );
  const { outcome, call } = await session.called();
  session.peer.send({ type: 2, replySerial: call.serial, signature: 'a{sv}', body });
  const [dictionary] = (await outcome) as [Record<string, unknown>];
  assert.equal(Object.keys(dictionary).sort(), [...keys].sort());
  for (const key of keys) assert.is(Object.getOwnPropertyDescriptor(dictionary, key)?.value, `value of ${key}`);
  assert.is(({} as Record<string, unknown>).value, undefined);
  assert.type({}.toString, 'function');
});

test.run();
