// A bus that hangs up, stops or sends garbage while a client connects: each is one rejected promise.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectError,
  ConnectionClosedError,
  connect,
  DBusError,
  ProtocolError,
  TimeoutError,
} from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { BUS, busReply, CLIENT, FakeBus, HANDSHAKE, PEER } from '../helpers/fake-bus.js';
import { Session, SIGNAL } from '../helpers/fake-bus-session.js';
import { patience } from '../helpers/patience.js';
import { rejection } from '../helpers/rejection.js';
import { bytesOf, type WireMessage, wireMessage } from '../helpers/wire.js';
import type { SentMessage } from '../helpers/wire-reader.js';

const test = suite('hostile bus: handshake');

const TEXT = { signature: 's', body: bytesOf((b) => b.text('text')) };

test('a bus that hangs up at any point of the handshake is a ConnectError', async () => {
  for (let length = 0; length < HANDSHAKE.length; length++) {
    await using server = await FakeBus.start({ handshake: { text: HANDSHAKE.slice(0, length), hangUp: true } });
    const error = await rejection(connect({ address: server.address }));
    assert.instance(error, ConnectError, `after ${length} bytes`);
    assert.not.match(error.message, 'ETIMEDOUT', `after ${length} bytes`);
  }
});

test('connecting to a bus that stops at any point of the handshake fails after the timeout', async () => {
  await Promise.all(
    Array.from({ length: HANDSHAKE.length }, async (_, length) => {
      await using server = await FakeBus.start({ handshake: { text: HANDSHAKE.slice(0, length), hangUp: false } });
      const error = await rejection(connect({ address: server.address, timeout: 200 }));
      assert.instance(error, ConnectError, `after ${length} bytes`);
      assert.match(error.message, 'ETIMEDOUT');
    }),
  );
});

const UNTOLD = 'while trying to authenticate (it rejected this client, has another guid than';
const AWAY = 'while trying to authenticate (the bus rejected this user';
// The rest of a line is awaited, and may still come.
const LATE = 'ETIMEDOUT while trying to authenticate: it did not complete authentication within 300 ms (is it a bus';

for (const [what, text, onSdBus, onSocket] of [
  [
    'a line that never ends',
    `DATA\r\nOK ${'0'.repeat(100_000)}`,
    'ENOBUFS while trying to authenticate (sent too much data',
    'EBADMSG while trying to authenticate: a line of the handshake must not exceed 16 KiB; it said "OK 000',
  ],
  [
    'an invalid id',
    'DATA\r\nOK xyz\r\nAGREE_UNIX_FD\r\n',
    `EPERM ${UNTOLD}`,
    'EBADMSG while trying to authenticate: the GUID of OK must be 32 hexadecimal digits; it said "OK xyz" (is it a bus?)',
  ],
  [
    'an error',
    'ERROR\r\nERROR\r\nERROR\r\n',
    `EPERM ${UNTOLD}`,
    'EBADMSG while trying to authenticate: CANCEL must be answered with REJECTED; it said "ERROR"',
  ],
  ['zeros', '\0'.repeat(100), LATE, LATE],
  ['a hundred rejections', 'REJECTED EXTERNAL\r\n'.repeat(100), `EPERM ${UNTOLD}`, `EACCES ${AWAY}`],
] as const) {
  test(`a handshake with ${what} is a ConnectError with the reason`, async () => {
    await using server = await FakeBus.start({ handshake: { text, hangUp: false } });
    const timeout = onSdBus === LATE ? 300 : 20_000 * patience;
    const error = await rejection(connect({ address: server.address, timeout }));
    assert.instance(error, ConnectError);
    assert.match(error.message, transportKind() === 'socket' ? onSocket : onSdBus);
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

test('messages right after the handshake, before Hello was sent, have no effect', async () => {
  const early = wireMessage({ ...SIGNAL, ...TEXT, sender: PEER }).toString('latin1');
  assert.is(early, Buffer.from(early, 'utf8').toString('utf8'), 'the handshake is written as text');
  await using session = await Session.start({ handshake: { text: HANDSHAKE + early, hangUp: false } });
  await session.assertAlive('early');
});

/** The bus's answer to Hello has its own variants: without it there is no connection. */
const onHello = (answer: (call: SentMessage) => Uint8Array | 'silence' | undefined) => ({
  answer: (call: SentMessage) => (call.member === 'Hello' ? answer(call) : undefined),
});

test('a bus that answers Hello with another body is refused', async () => {
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

test('connecting to a bus that never answers Hello fails after the timeout', async () => {
  await using server = await FakeBus.start(onHello(() => 'silence'));
  const error = await rejection(connect({ address: server.address, timeout: 100 }));
  assert.instance(error, ConnectError);
  assert.instance(error.cause, TimeoutError);
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
    const error = await connecting;
    assert.instance(error, ConnectError, `after ${length} bytes`);
    assert.instance(error.cause, ConnectionClosedError);
  }
});

test.run();
