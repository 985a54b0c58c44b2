// A bus that sends bodies that do not match their signature: only their message is affected.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DBusError,
  InvalidArgumentError,
  InvalidReplyError,
  type Problem,
  ProtocolError,
  TimeoutError,
} from '../../src/index.js';
import { BAD_BODIES } from '../helpers/bad-messages.js';
import { BUS, PEER } from '../helpers/fake-bus.js';
import { CALL, Session, SIGNAL, TRANSPORT } from '../helpers/fake-bus-session.js';
import { assertHiddenFaultsHarmless } from '../helpers/hidden-bad-bodies.js';
import { rejection } from '../helpers/rejection.js';
import { bytesOf } from '../helpers/wire.js';

const test = suite('hostile bus: bodies');

test('an invalid body of a reply rejects its call and nothing else', async () => {
  await using session = await Session.start();
  for (const [rule, signature, bytes] of BAD_BODIES) {
    const { outcome, call } = await session.called();
    session.peer.send({ type: 2, replySerial: call.serial, signature, body: bytes });
    const error = await rejection(outcome);
    assert.instance(error, InvalidReplyError, rule);
    assert.not.instance(error, InvalidArgumentError, rule);
    assert.match(error.message, `not valid for its signature "${signature}"`);
    assert.ok(error.message.endsWith(`(${PEER} ${call.path} ${call.interface}.${call.member})`), error.message);
    await session.assertAlive(rule);
  }
  assert.is(session.bus.stats().pendingCalls, 0);
});

test('an invalid body of an error reply rejects its call and nothing else', async () => {
  await using session = await Session.start();
  for (const [rule, signature, bytes] of BAD_BODIES) {
    const { outcome, call } = await session.called();
    const errorName = 'org.example.Error.Faulty';
    session.peer.send({ type: 3, replySerial: call.serial, errorName, signature, body: bytes });
    const error = await rejection(outcome);
    assert.instance(error, DBusError, rule);
    assert.not.instance(error, TimeoutError, rule);
  }
  await session.assertAlive('error replies');
});

test('a call with an invalid body is answered with an error, and no handler runs', async () => {
  await using session = await Session.start();
  for (const [rule, signature, bytes] of BAD_BODIES) {
    const answer = await session.answer({ ...CALL, signature, body: bytes });
    assert.is(answer.type, 3, rule);
    assert.is(answer.errorName, `${BUS}.Error.InvalidArgs`, rule);
    await session.assertAlive(rule);
  }
  assert.is(session.handled, 0);
  assert.is((await session.answer({ ...CALL, signature: 's', body: bytesOf((b) => b.text('fine')) })).type, 2);
  assert.is(session.handled, 1);
});

test('a call with an invalid body that wants no reply gets none', async () => {
  await using session = await Session.start();
  for (const [, signature, bytes] of BAD_BODIES)
    session.peer.send({ type: 1, ...CALL, flags: 1, signature, body: bytes });
  session.peer.sent.length = 0;
  await session.assertAlive('no reply wanted');
  assert.is(session.handled, 0);
  assert.is(session.peer.sent.filter(({ type }) => type === 3).length, 0);
});

test('a signal with an invalid body is dropped and reported', async () => {
  await using session = await Session.start();
  for (const [rule, signature, bytes] of BAD_BODIES) {
    session.problems.length = 0;
    session.peer.send({ ...SIGNAL, signature, body: bytes });
    await session.assertAlive(rule);
    assert.is(session.heard.length, 0, rule);
    assert.equal(
      session.problems.map(({ kind }) => kind),
      ['message'],
      rule,
    );
    assert.match((session.problems[0] as Problem).message, PEER);
    assert.instance(session.problems[0]?.error, ProtocolError);
  }
  session.peer.send(SIGNAL);
  await session.assertAlive('afterwards');
  assert.is(session.heard.length, 1);
});

test('faults of a body that a transport cannot see are harmless', async () => {
  await using session = await Session.start();
  await assertHiddenFaultsHarmless(session);
});

test('Unicode noncharacters are values, or an error that names them', async () => {
  await using session = await Session.start();
  for (const text of ['\ufffe', '\uffff', '\ufdd0', '\u{1ffff}']) {
    const { outcome, call } = await session.called();
    session.peer.send({ type: 2, replySerial: call.serial, signature: 's', body: bytesOf((b) => b.text(text)) });
    if (TRANSPORT.takesNoncharacters) assert.equal(await outcome, [text]);
    else assertNamesNoncharacters(await rejection(outcome));
    await session.assertAlive('noncharacters');
  }
  const answer = await session.answer({ ...CALL, signature: 's', body: bytesOf((b) => b.text('\uffff')) });
  if (TRANSPORT.takesNoncharacters) assert.is(session.handled, 1);
  else {
    assert.is(session.handled, 0);
    assert.is(answer.errorName, `${BUS}.Error.InvalidArgs`);
    assert.match(answer.text as string, 'a Unicode noncharacter');
  }
  session.peer.send({ ...SIGNAL, signature: 's', body: bytesOf((b) => b.text('\uffff')) });
  await session.assertAlive('noncharacters');
  if (TRANSPORT.takesNoncharacters) assert.is(session.heard.length, 1);
  else assertNamesNoncharacters(session.problems.at(-1)?.error);
});

function assertNamesNoncharacters(error: unknown): void {
  assert.instance(error, ProtocolError);
  assert.match((error as Error).message, 'or a string in it contains a Unicode noncharacter, which sd-bus refuses');
}

test.run();
