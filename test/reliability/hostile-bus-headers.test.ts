// A bus that sends headers that violate the specification, or that extend it.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionClosedError, ProtocolError, TimeoutError } from '../../src/index.js';
import {
  assertBreach,
  assertDropped,
  BAD_FRAMES,
  BAD_HEADERS,
  ENDLESS,
  HARMLESS_BAD_FRAMES,
  HARMLESS_BAD_HEADERS,
} from '../helpers/bad-messages.js';
import { CLIENT, PEER } from '../helpers/fake-bus.js';
import { CALL, Session, SIGNAL, TRANSPORT } from '../helpers/fake-bus-session.js';
import { rejection } from '../helpers/rejection.js';
import { bytesOf, type WireMessage, wireMessage, writeField } from '../helpers/wire.js';

const test = suite('hostile bus: headers');

const TEXT = { signature: 's', body: bytesOf((b) => b.text('text')) };

for (const [what, message, breach] of TRANSPORT.checksWholeHeader
  ? [...BAD_FRAMES, ...HARMLESS_BAD_FRAMES]
  : BAD_FRAMES) {
  test(`${what} costs ${TRANSPORT.dropsBadHeaders ? 'the message' : 'the connection'}`, async () => {
    await using session = await Session.start();
    const bytes = session.peer.message(message);
    session.peer.inject(bytes);
    if (TRANSPORT.dropsBadHeaders) await session.assertAlive(what);
    else assertBreach(await session.bus.disconnected, bytes, breach);
    assert.is(session.heard.length, 0);
    assert.is(session.handled, 0);
  });
}

const isReply = ({ type }: WireMessage) => type === 2 || type === 3;

for (const [what, message, breach] of TRANSPORT.checksWholeHeader
  ? [...BAD_HEADERS, ...HARMLESS_BAD_HEADERS]
  : BAD_HEADERS) {
  test(`${what} costs its message, which is reported`, async () => {
    await using session = await Session.start();
    session.peer.send(message);
    await session.assertAlive(what);
    assert.is(session.heard.length, 0);
    assert.is(session.handled, 0);
    if (!isReply(message)) assertDropped(session.problems, what, breach);
  });
}

test('a caller whose header is invalid gets the rule as an error, if the header has its name', async () => {
  await using session = await Session.start();
  const text = 'the header of the message is not valid: MEMBER must be a member name';
  for (const [destination, sender, isAnswered] of [
    [CLIENT, PEER, true],
    ['nodots', PEER, false],
    [':1.99', PEER, false],
    [undefined, PEER, false],
    [CLIENT, '..', false],
  ] as const) {
    const serial = session.peer.send({ type: 1, ...CALL, member: 'a.b', destination, sender });
    const unanswered = session.peer.send({ type: 1, flags: 1, ...CALL, member: 'a.b', destination, sender });
    await session.assertAlive(`a call from ${sender} to ${destination}`);
    const answer = session.peer.sent.find(({ replySerial }) => replySerial === serial);
    assert.is(answer?.text, isAnswered && TRANSPORT.namesRules ? text : undefined);
    assert.is(answer?.destination, answer === undefined ? undefined : PEER);
    assert.not.ok(session.peer.sent.some(({ replySerial }) => replySerial === unanswered));
  }
});

test('a reply with an invalid header rejects its call, if the transport shows it', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called(TRANSPORT.dropsBadHeaders ? 100 : undefined);
  session.peer.send({ type: 2, path: 'none', replySerial: call.serial });
  const error = await rejection(outcome);
  assert.instance(error, TRANSPORT.dropsBadHeaders ? TimeoutError : ProtocolError);
  if (!TRANSPORT.dropsBadHeaders) assert.match(error.message, 'PATH must be an object path');
  await session.assertAlive('a bad reply');
});

test('a forwarded reply without a sender, on a bus that sets all senders, answers no call', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called();
  const forged = { type: 3, serial: 900, destination: CLIENT, replySerial: call.serial, errorName: 'a.b.Forged' };
  session.peer.inject(wireMessage(forged));
  session.peer.send({ type: 2, replySerial: call.serial });
  assert.equal(await outcome, []);
});

test('a fault that ends the connection rejects pending calls', async () => {
  await using session = await Session.start();
  const { outcome, call } = await session.called(TRANSPORT.dropsBadHeaders ? 100 : undefined);
  session.peer.send({ type: 2, version: 9, replySerial: call.serial });
  assert.instance(await rejection(outcome), TRANSPORT.dropsBadHeaders ? TimeoutError : ConnectionClosedError);
  if (TRANSPORT.dropsBadHeaders) await session.assertAlive('a timeout');
});

for (const [rule, message] of TRANSPORT.checksWholeHeader ? [] : [...HARMLESS_BAD_FRAMES, ...HARMLESS_BAD_HEADERS]) {
  test(`${rule} is harmless`, async () => {
    await using session = await Session.start();
    session.peer.send(message);
    await session.assertAlive(rule);
    assert.is(session.heard.length, 1);
    assert.equal(session.heard[0]?.body, []);
  });
}

for (const [what, bytes, breach] of ENDLESS) {
  test(`${what}: the connection closes, and everything that waits rejects`, async () => {
    await using session = await Session.start();
    const waiting = [await session.called(), await session.called()];
    session.peer.inject(bytes);
    assertBreach(await session.bus.disconnected, bytes, breach);
    for (const { outcome } of waiting) assert.instance(await rejection(outcome), ConnectionClosedError);
    assert.is(session.bus.stats().pendingCalls, 0);
    await session.peer.closed;
  });
}

test('header fields that claim more than 64 MiB are not awaited endlessly', async () => {
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

test('unknown header fields are ignored, whatever they contain', async () => {
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

test('header fields that have no meaning for a type of message are ignored', async () => {
  await using session = await Session.start();
  session.peer.send({ ...SIGNAL, errorName: 'org.example.Error' });
  const { outcome, call } = await session.called();
  session.peer.send({ type: 2, replySerial: call.serial, path: '/a', interface: 'a.b', member: 'C', errorName: 'a.b' });
  assert.equal(await outcome, []);
  session.peer.send({ ...SIGNAL, replySerial: 1 });
  await session.assertAlive('spare fields');
  assert.is(session.heard.length, TRANSPORT.takesSpareReplySerials ? 2 : 1);
});

test('a path, a signature and names of the greatest length are accepted', async () => {
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

test('a path that is longer than a batch arrives whole, with the sender and all else', async () => {
  await using session = await Session.start();
  const seen: (readonly [number | undefined, string | undefined, unknown])[] = [];
  session.bus.addMessageHandler(({ path, sender, body }) => {
    if ((path?.length ?? 0) > 1000) seen.push([path?.length, sender, body[0]]);
  });
  for (const length of [262_142, 600_000, 1_000_000]) {
    const path = `/${'p'.repeat(length - 1)}`;
    seen.length = 0;
    session.peer.send({ ...SIGNAL, ...TEXT, path });
    const serial = session.peer.send({ type: 1, ...CALL, ...TEXT, path });
    await session.assertAlive('an endless path');
    const answer = session.peer.sent.find(({ replySerial }) => replySerial === serial);
    assert.is(answer?.errorName, TRANSPORT.takesLongPaths ? 'org.freedesktop.DBus.Error.UnknownObject' : undefined);
    const once = [length, PEER, 'text'] as const;
    assert.equal(seen, TRANSPORT.takesLongPaths ? [once, once] : []);
  }
});

test('a reply with a path that leaves no room for anything is judged by its sender', async () => {
  await using session = await Session.start();
  for (const length of [262_130, 262_142, 262_144, 300_000]) {
    const { outcome, call } = await session.called();
    const path = `/${'p'.repeat(length - 1)}`;
    session.peer.send({ type: 3, path, sender: ':1.666', replySerial: call.serial, errorName: 'a.b.Forged' });
    session.peer.send({ type: 2, replySerial: call.serial });
    assert.equal(await outcome, []);
  }
});

test('a message for another connection is not answered', async () => {
  await using session = await Session.start();
  const overheard = session.peer.send({ type: 1, ...CALL, ...TEXT, destination: ':1.99' });
  session.peer.send({ type: 1, ...CALL, ...TEXT, destination: 'org.example.Other' });
  await session.assertAlive('overheard');
  assert.is(session.handled, 0);
  assert.not.ok(session.peer.sent.some(({ replySerial }) => replySerial === overheard));
  assert.is((await session.answer({ ...CALL, ...TEXT, destination: CLIENT, sender: PEER })).type, 2);
});

test.run();
