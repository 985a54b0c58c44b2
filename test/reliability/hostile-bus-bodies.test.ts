// A bus that sends bodies which do not fit their signature: each costs its own message, and nothing else.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DBusError, InvalidArgumentError, type Problem, TimeoutError } from '../../src/index.js';
import { BUS, PEER } from '../helpers/fake-bus.js';
import { CALL, Session, SIGNAL, TRANSPORT } from '../helpers/fake-bus-session.js';
import { rejection } from '../helpers/rejection.js';
import { type Bytes, bytesOf } from '../helpers/wire.js';

const test = suite('hostile bus: bodies');

/** Bodies that do not fit their signature, one broken rule each. */
const FAULTS: readonly (readonly [rule: string, signature: string, body: Buffer])[] = [
  ['a body that ends before its signature does', 'su', bytesOf((b) => b.text('short'))],
  ['an empty body for a signature', 's', Buffer.alloc(0)],
  ['a string that is longer than its body', 's', bytesOf((b) => b.u32(1000).raw('abc\0'))],
  ['a string whose length overflows', 's', bytesOf((b) => b.u32(0xffff_ffff).raw('abc\0'))],
  ['a string without NUL', 's', bytesOf((b) => b.u32(3).raw('abcd'))],
  ['a string with an embedded NUL', 's', bytesOf((b) => b.text('a\0b'))],
  ['a string that is no UTF-8', 's', bytesOf((b) => b.text(Buffer.from([0x61, 0xff, 0x62])))],
  ['a string with an overlong NUL', 's', bytesOf((b) => b.text(Buffer.from([0xc0, 0x80])))],
  ['a string with a surrogate', 's', bytesOf((b) => b.text(Buffer.from([0xed, 0xa0, 0x80])))],
  ['a string beyond U+10FFFF', 's', bytesOf((b) => b.text(Buffer.from([0xf4, 0x90, 0x80, 0x80])))],
  ['an object path without slash', 'o', bytesOf((b) => b.text('a/b'))],
  ['an object path that ends in a slash', 'o', bytesOf((b) => b.text('/a/'))],
  ['an object path with an empty element', 'o', bytesOf((b) => b.text('/a//b'))],
  ['an object path with a hyphen', 'o', bytesOf((b) => b.text('/a-b'))],
  ['an empty object path', 'o', bytesOf((b) => b.text(''))],
  ['a signature of an unknown type', 'g', bytesOf((b) => b.signature('z'))],
  ['a signature with an array of nothing', 'g', bytesOf((b) => b.signature('a'))],
  ['a signature with an empty struct', 'g', bytesOf((b) => b.signature('()'))],
  ['a signature with a dict entry outside an array', 'g', bytesOf((b) => b.signature('{sv}'))],
  ['a signature without NUL', 'g', bytesOf((b) => b.u8(1).raw('ss'))],
  ['a variant without a type', 'v', bytesOf((b) => b.signature('').u32(0))],
  ['a variant of two types', 'v', bytesOf((b) => b.signature('yy').u8(1).u8(2))],
  ['a variant of half a type', 'v', bytesOf((b) => b.signature('a').u32(0))],
  ['a variant of an unknown type', 'v', bytesOf((b) => b.signature('!').u32(0))],
  ['a variant whose value is missing', 'v', bytesOf((b) => b.signature('u'))],
  ['65 variants within one another', 'v', bytesOf((b) => nestedVariants(b, 65))],
  ['100 variants within one another', 'v', bytesOf((b) => nestedVariants(b, 100))],
  ['padding that is not zero', 'yu', bytesOf((b) => b.u8(1).align(4, 7).u32(1))],
  ['array padding that is not zero', 'at', bytesOf((b) => b.u32(8).align(8, 7).u64(1n))],
  ['struct padding that is not zero', 'y(y)', bytesOf((b) => b.u8(1).align(8, 7).u8(1))],
  ['an array of half an element', 'au', bytesOf((b) => b.u32(6).u32(1).u16(1))],
  ['an array of half a struct', 'a(uu)', bytesOf((b) => b.u32(4).align(8).u32(1))],
  ['an array that is longer than its body', 'au', bytesOf((b) => b.u32(400).u32(1))],
  ['an array of strings that ends within one', 'as', bytesOf((b) => b.u32(5).text('abcdef'))],
  ['an array that claims more than 64 MiB', 'ay', bytesOf((b) => b.u32(2 ** 26 + 1).raw('abc'))],
  ['an array that claims 4 GiB', 'ay', bytesOf((b) => b.u32(0xffff_ffff).raw('abc'))],
  ['a dictionary without a value', 'a{su}', bytesOf((b) => b.array(8, (a) => a.text('key')))],
  ['a descriptor without descriptors', 'h', bytesOf((b) => b.u32(0))],
  ['a descriptor in a variant without descriptors', 'v', bytesOf((b) => b.signature('h').align(4).u32(0))],
];

/** Those that not every transport can see. */
const HIDDEN_FAULTS = [
  ['a boolean that is 2', 'b', bytesOf((b) => b.u32(2)), true],
  ['a body that goes on after its signature', 's', bytesOf((b) => b.text('long').align(4).u32(1)), 'long'],
] as const;

function nestedVariants(bytes: Bytes, depth: number): void {
  for (let i = 1; i < depth; i++) bytes.signature('v');
  bytes.signature('y').u8(1);
}

test('a faulty body of a reply rejects its call and nothing else', async () => {
  await using session = await Session.start();
  for (const [rule, signature, bytes] of FAULTS) {
    const { outcome, call } = await session.called();
    session.peer.send({ type: 2, replySerial: call.serial, signature, body: bytes });
    const error = await rejection(outcome);
    assert.instance(error, DBusError, rule);
    assert.not.instance(error, TimeoutError, rule);
    assert.match(error.message, `not valid for its signature "${signature}"`);
    await session.assertAlive(rule);
  }
  assert.is(session.bus.stats().pendingCalls, 0);
});

test('a faulty body of an error reply rejects its call and nothing else', async () => {
  await using session = await Session.start();
  for (const [rule, signature, bytes] of FAULTS) {
    const { outcome, call } = await session.called();
    const errorName = 'org.example.Error.Faulty';
    session.peer.send({ type: 3, replySerial: call.serial, errorName, signature, body: bytes });
    const error = await rejection(outcome);
    assert.instance(error, DBusError, rule);
    assert.not.instance(error, TimeoutError, rule);
  }
  await session.assertAlive('error replies');
});

test('a call with a faulty body is answered with an error, and no handler runs', async () => {
  await using session = await Session.start();
  for (const [rule, signature, bytes] of FAULTS) {
    const answer = await session.answer({ ...CALL, signature, body: bytes });
    assert.is(answer.type, 3, rule);
    assert.is(answer.errorName, `${BUS}.Error.InvalidArgs`, rule);
    await session.assertAlive(rule);
  }
  assert.is(session.handled, 0);
  assert.is((await session.answer({ ...CALL, signature: 's', body: bytesOf((b) => b.text('fine')) })).type, 2);
  assert.is(session.handled, 1);
});

test('a call with a faulty body that wants no reply gets none', async () => {
  await using session = await Session.start();
  for (const [, signature, bytes] of FAULTS) session.peer.send({ type: 1, ...CALL, flags: 1, signature, body: bytes });
  session.peer.sent.length = 0;
  await session.assertAlive('no reply wanted');
  assert.is(session.handled, 0);
  assert.is(session.peer.sent.filter(({ type }) => type === 3).length, 0);
});

test('a signal with a faulty body is dropped and reported', async () => {
  await using session = await Session.start();
  for (const [rule, signature, bytes] of FAULTS) {
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
    assert.instance(session.problems[0]?.error, InvalidArgumentError);
  }
  session.peer.send(SIGNAL);
  await session.assertAlive('afterwards');
  assert.is(session.heard.length, 1);
});

test('what a transport cannot see of a body does no harm', async () => {
  await using session = await Session.start();
  for (const [rule, signature, bytes, taken] of HIDDEN_FAULTS) {
    const { outcome, call } = await session.called();
    session.peer.send({ type: 2, replySerial: call.serial, signature, body: bytes });
    if (TRANSPORT.seesWholeBody) assert.instance(await rejection(outcome), InvalidArgumentError, rule);
    else assert.equal(await outcome, [taken], rule);
    await session.assertAlive(rule);
  }
});

test('Unicode noncharacters are values, or an error that says what is wrong', async () => {
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
  assert.instance(error, InvalidArgumentError);
  assert.match((error as Error).message, 'or a string in it holds a Unicode noncharacter, which sd-bus refuses');
}

test.run();
