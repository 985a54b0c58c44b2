// A bus that sends headers which break the specification, or which go beyond what this version of it knows.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionClosedError, ProtocolError, TimeoutError } from '../../src/index.js';
import { CLIENT, PEER } from '../helpers/fake-bus.js';
import { CALL, Session, SIGNAL, TRANSPORT } from '../helpers/fake-bus-session.js';
import { rejection } from '../helpers/rejection.js';
import { bytesOf, Field, type WireMessage, writeField } from '../helpers/wire.js';

const test = suite('hostile bus: headers');

const TEXT = { signature: 's', body: bytesOf((b) => b.text('text')) };

/** Messages that break a rule each; all of them end where their header says. */
const BAD_HEADERS: readonly (readonly [rule: string, message: WireMessage])[] = [
  ['the protocol version 0', { ...SIGNAL, version: 0 }],
  ['the message type 0', { ...SIGNAL, type: 0 }],
  ['the serial 0', { ...SIGNAL, serial: 0 }],
  ['a signal without path', { ...SIGNAL, path: undefined }],
  ['a signal without interface', { ...SIGNAL, interface: undefined }],
  ['a signal without member', { ...SIGNAL, member: undefined }],
  ['a call without path', { type: 1, ...CALL, ...TEXT, path: undefined }],
  ['a call without member', { type: 1, ...CALL, ...TEXT, member: undefined }],
  ['a reply without reply serial', { type: 2 }],
  ['an error without name', { type: 3, replySerial: 1 }],
  ['an error without reply serial', { type: 3, errorName: 'org.example.Error' }],
  ['the reply serial 0', { type: 2, replySerial: 0 }],
  ['an object path that is none', { ...SIGNAL, path: 'peer' }],
  ['an object path with an empty element', { ...SIGNAL, path: '/a//b' }],
  ['an interface of one element', { ...SIGNAL, interface: 'Peer' }],
  ['an interface with a hyphen', { ...SIGNAL, interface: 'org.example-x.Peer' }],
  ['a member with a dot', { ...SIGNAL, member: 'Spoke.Up' }],
  ['an empty member', { ...SIGNAL, member: '' }],
  ['an error name of one element', { type: 3, replySerial: 1, errorName: 'Error' }],
  ['a destination that is no bus name', { ...SIGNAL, destination: 'nodots' }],
  ['a sender that is no bus name', { ...SIGNAL, sender: '..' }],
  ['a signature that is none', { ...SIGNAL, signature: 'z', body: bytesOf((b) => b.u32(1)) }],
  ['a signature with 33 arrays', { ...SIGNAL, signature: `${'a'.repeat(33)}y`, body: bytesOf((b) => b.u32(0)) }],
  [
    'a path of the type string',
    { ...SIGNAL, path: undefined, moreFields: (b) => writeField(b, Field.Path, 's', '/a') },
  ],
  ['a member of the type u', { ...SIGNAL, member: undefined, moreFields: (b) => writeField(b, Field.Member, 'u', 5) }],
  ['a reply serial of the type string', { type: 2, moreFields: (b) => writeField(b, Field.ReplySerial, 's', '5') }],
  ['the header field 0', { ...SIGNAL, moreFields: (b) => writeField(b, 0, 's', 'x') }],
  [
    'an unknown field that ends outside',
    {
      ...SIGNAL,
      claimedFieldsLength: 8,
      path: undefined,
      interface: undefined,
      member: undefined,
      destination: undefined,
      sender: undefined,
      moreFields: (b) => b.u8(77).signature('s').u32(1000),
    },
  ],
  ['descriptors that never came', { ...SIGNAL, unixFds: 1 }],
];

/** The same, but not every transport looks. */
const HARMLESS_FAULTS: typeof BAD_HEADERS = [
  ['the protocol version 2', { ...SIGNAL, version: 2 }],
  ['a body without signature', { ...SIGNAL, body: bytesOf((b) => b.u32(1)) }],
  ['an unknown field of two types', { ...SIGNAL, moreFields: (b) => b.u8(77).signature('yy').u8(1).u8(1) }],
  ['padding behind the fields that is not zero', { ...SIGNAL, headerPadding: 1 }],
];

for (const [rule, message] of TRANSPORT.checksWholeHeader ? [...BAD_HEADERS, ...HARMLESS_FAULTS] : BAD_HEADERS) {
  test(`${rule} costs ${TRANSPORT.dropsBadHeaders ? 'the message' : 'the connection'}`, async () => {
    await using session = await Session.start();
    session.peer.send(message);
    if (TRANSPORT.dropsBadHeaders) {
      await session.assertAlive(rule);
    } else {
      assert.instance(await session.bus.disconnected, ProtocolError);
    }
    assert.is(session.heard.length, 0);
    assert.is(session.handled, 0);
  });
}

test('a reply with a bad header leaves its call to the timeout, or to the end of the connection', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called(100);
  session.peer.send({ type: 2, version: 9, replySerial: call.serial });
  assert.instance(await rejection(outcome), TRANSPORT.dropsBadHeaders ? TimeoutError : ConnectionClosedError);
  if (TRANSPORT.dropsBadHeaders) await session.assertAlive('a timeout');
});

for (const [rule, message] of TRANSPORT.checksWholeHeader ? [] : HARMLESS_FAULTS) {
  test(`${rule} does no harm`, async () => {
    await using session = await Session.start();
    session.peer.send(message);
    await session.assertAlive(rule);
    assert.is(session.heard.length, 1);
    assert.equal(session.heard[0]?.body, []);
  });
}

/** Beginnings of messages that have no end. */
const ENDLESS: readonly (readonly [rule: string, message: WireMessage | Buffer])[] = [
  ['bytes that are no D-Bus', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['zeros', Buffer.alloc(64)],
  ['fields that claim 4 GiB', { ...SIGNAL, claimedFieldsLength: 0xffff_ffff }],
  ['a message that claims more than 128 MiB', { ...SIGNAL, ...TEXT, claimedBodyLength: 2 ** 27 }],
  ['a body that claims 4 GiB', { ...SIGNAL, ...TEXT, claimedBodyLength: 0xffff_ffff }],
];

for (const [rule, message] of ENDLESS) {
  test(`${rule} close the connection, and everything that waits rejects`, async () => {
    await using session = await Session.start();
    const waiting = [await session.called(), await session.called()];
    session.peer.inject(Buffer.isBuffer(message) ? message : session.peer.message(message));
    assert.instance(await session.bus.disconnected, ProtocolError);
    for (const { outcome } of waiting) assert.instance(await rejection(outcome), ConnectionClosedError);
    assert.is(session.bus.stats().pendingCalls, 0);
    await session.peer.closed;
  });
}

test('header fields that claim more than 64 MiB are never waited for without end', async () => {
  await using session = await Session.start();
  const { outcome } = await session.called(100);
  session.peer.inject(session.peer.message({ ...SIGNAL, claimedFieldsLength: 2 ** 26 + 1 }));
  const error = await rejection(outcome);
  if (!TRANSPORT.limitsHeaderFields) assert.instance(error, TimeoutError);
  else assert.instance(await session.bus.disconnected, ProtocolError);
});

test('unknown message types are ignored', async () => {
  await using session = await Session.start();
  for (const type of [5, 6, 100, 255]) {
    const { outcome, call } = await session.called();
    session.peer.send({ ...SIGNAL, type, replySerial: call.serial, ...TEXT });
    session.peer.send({ ...CALL, type });
    session.peer.send({ type: 2, replySerial: call.serial });
    assert.equal(await outcome, []);
  }
  await session.assertAlive('unknown types');
  assert.is(session.heard.length, 0);
  assert.is(session.handled, 0);
});

test('unknown header fields are ignored, whatever they hold', async () => {
  await using session = await Session.start();
  for (const code of [10, 100, 255]) {
    for (const [type, value] of [
      ['s', 'text'],
      ['u', 7],
      ['o', '/path'],
      ['g', 'a{sv}'],
    ] as const) {
      session.heard.length = 0;
      session.peer.send({ ...SIGNAL, ...TEXT, moreFields: (b) => writeField(b, code, type, value) });
      const answer = await session.answer({ ...CALL, ...TEXT, moreFields: (b) => writeField(b, code, type, value) });
      assert.is(answer.type, 2);
      assert.equal(session.heard[0]?.body, ['text']);
      const { outcome, call } = await session.called();
      const moreFields = (b: Parameters<typeof writeField>[0]) => writeField(b, code, type, value);
      session.peer.send({ type: 2, replySerial: call.serial, ...TEXT, moreFields });
      assert.equal(await outcome, ['text']);
    }
  }
});

test('unknown flags are ignored', async () => {
  await using session = await Session.start();
  for (const flags of [8, 0x80, 0xf8]) {
    assert.is((await session.answer({ ...CALL, ...TEXT, flags })).type, 2);
    session.peer.send({ ...SIGNAL, flags });
    const { outcome, call } = await session.called();
    session.peer.send({ type: 2, flags, replySerial: call.serial });
    assert.equal(await outcome, []);
  }
  assert.is(session.heard.length, 3);
});

test('a call that wants no reply gets none, not even an error', async () => {
  await using session = await Session.start();
  const unanswered = [
    { ...CALL, ...TEXT },
    { ...CALL, member: 'Unknown' },
    { ...CALL, path: '/nothing' },
    { ...CALL, signature: 'u', body: bytesOf((b) => b.u32(1)) },
  ].map((call) => session.peer.send({ type: 1, flags: 1, ...call }));
  await session.assertAlive('no reply');
  assert.is(session.handled, 1);
  assert.equal(
    session.peer.sent.filter(({ replySerial }) => unanswered.includes(replySerial as number)),
    [],
  );
});

test('header fields that a type of message has no use for are ignored', async () => {
  await using session = await Session.start();
  session.peer.send({ ...SIGNAL, errorName: 'org.example.Error' });
  const { outcome, call } = await session.called();
  session.peer.send({ type: 2, replySerial: call.serial, path: '/a', interface: 'a.b', member: 'C', errorName: 'a.b' });
  assert.equal(await outcome, []);
  session.peer.send({ ...SIGNAL, replySerial: 1 });
  await session.assertAlive('spare fields');
  assert.is(session.heard.length, TRANSPORT.takesSpareReplySerials ? 2 : 1);
});

test('a path, a signature and names of the greatest length are taken', async () => {
  await using session = await Session.start();
  const name = `a.${'b'.repeat(253)}`;
  let heard = 0;
  session.bus.subscribe({ interface: name }, ({ path, member, signature }) => {
    heard++;
    assert.is(path?.length, 60_000);
    assert.is(member?.length, 255);
    assert.is(signature.length, TRANSPORT.longestSignature);
  });
  session.peer.send({
    type: 4,
    path: `/${'p'.repeat(59_999)}`,
    interface: name,
    member: 'M'.repeat(255),
    signature: 'y'.repeat(TRANSPORT.longestSignature),
    body: Buffer.alloc(TRANSPORT.longestSignature, 1),
  });
  await session.assertAlive('long names');
  assert.is(heard, 1);
});

test('a path that no batch can hold costs its own message at most', async () => {
  await using session = await Session.start();
  const path = `/${'p'.repeat(1_000_000)}`;
  session.peer.send({ ...SIGNAL, path });
  const serial = session.peer.send({ type: 1, ...CALL, ...TEXT, path });
  await session.assertAlive('an endless path');
  const answer = session.peer.sent.find(({ replySerial }) => replySerial === serial);
  assert.is(answer?.type, TRANSPORT.takesLongPaths ? 3 : undefined);
});

test('a message for somebody else is not answered', async () => {
  await using session = await Session.start();
  const overheard = session.peer.send({ type: 1, ...CALL, ...TEXT, destination: ':1.99' });
  session.peer.send({ type: 1, ...CALL, ...TEXT, destination: 'org.example.Other' });
  await session.assertAlive('overheard');
  assert.is(session.handled, 0);
  assert.not.ok(session.peer.sent.some(({ replySerial }) => replySerial === overheard));
  assert.is((await session.answer({ ...CALL, ...TEXT, destination: CLIENT, sender: PEER })).type, 2);
});

test.run();
