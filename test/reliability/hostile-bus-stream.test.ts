// Messages in pieces, merged, large, in the other byte order, or never finished.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionClosedError, type DBusError } from '../../src/index.js';
import { BUS, CLIENT, PEER } from '../helpers/fake-bus.js';
import { CALL, Session, SIGNAL, TRANSPORT } from '../helpers/fake-bus-session.js';
import { patience } from '../helpers/patience.js';
import { rejection } from '../helpers/rejection.js';
import { type Bytes, bytesOf, wireMessage } from '../helpers/wire.js';

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

/** Under a sanitizer nothing is moved without being copied: ten times the size takes a hundred times as long then. */
const LARGEST = patience > 1 && TRANSPORT.movesWhatItReads ? 3 : 10;

for (const megabytes of [0.25, 1, LARGEST]) {
  test(`a message of ${megabytes} MB arrives whole, and so does the next one`, async () => {
    await using session = await Session.start();
    const data = Buffer.alloc(megabytes * 1_000_000, 'abc');
    const large = {
      signature: 'aysay',
      body: bytesOf((b) => b.u32(data.length).raw(data).align(4).text('between').u32(data.length).raw(data)),
    };
    session.peer.send({ ...SIGNAL, ...large });
    // The time for forty megabytes depends on the machine: sd-bus may copy the whole partial message at every read.
    const { outcome, call } = await session.called(100_000 * patience);
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

/** A value of each kind, and the value that is read. */
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

test('a bus that hangs up at any byte of a message is a loss', async () => {
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

test('complete messages before the hang-up still arrive', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called();
  const reply = session.peer.message({ type: 2, replySerial: call.serial, ...TEXT });
  session.peer.hangUp(Buffer.concat([reply, session.peer.message(SIGNAL), reply.subarray(0, 20)]));
  assert.equal(await outcome, ['text']);
  assert.instance(await session.bus.disconnected, ConnectionClosedError);
  assert.is(session.heard.length, 1);
});

test.run();
