/**
 * Dictionaries whose number keys were made to collide, in every place of a message, from a peer and on both transports:
 * each costs only its own message and the time for its bytes, and its descriptors are closed.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineInterface, implement, LimitsExceededError } from '../../src/index.js';
import { COLLIDING_TYPES, collidingKeys, dictionaryOf } from '../helpers/colliding-keys.js';
import { FakeBus } from '../helpers/fake-bus.js';
import { Session, SIGNAL } from '../helpers/fake-bus-session.js';
import { patience } from '../helpers/patience.js';
import { peers } from '../helpers/peers.js';
import { rejection } from '../helpers/rejection.js';
import { type Bytes, bytesOf } from '../helpers/wire.js';

const test = suite('hostile peers: colliding keys');

const LIMITS_EXCEEDED = 'org.freedesktop.DBus.Error.LimitsExceeded';

/** The most processor time of a round trip, in milliseconds; without a bound one message takes a second or more. */
const LIMIT = 400 * patience;

const Target = defineInterface('org.example.Target', {
  methods: { Numbers: { in: 'a{uy}' }, Any: { in: 'v' } },
  properties: { Level: { type: 'v', access: 'readwrite' }, Read: { type: 'v', access: 'read' } },
});
const target = { path: '/target', interface: 'org.example.Target' };
const properties = { path: '/target', interface: 'org.freedesktop.DBus.Properties' };

const body = Object.fromEntries(
  COLLIDING_TYPES.map((type) => [
    type,
    dictionaryOf(type, collidingKeys(type, type === 'i' || type === 'u' ? 32_700 : 16_300)),
  ]),
) as Record<(typeof COLLIDING_TYPES)[number], Buffer>;

/** Writes a variant of a dictionary after the bytes that are written already. */
function variant(bytes: Bytes, type: (typeof COLLIDING_TYPES)[number]): Bytes {
  const dictionary = body[type];
  return bytes.signature(`a{${type}y}`).align(4).raw(dictionary.subarray(0, 4)).align(8).raw(dictionary.subarray(8));
}

async function timed<T>(what: string, run: () => Promise<T>): Promise<T> {
  const start = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(start);
  const time = (user + system) / 1000;
  assert.ok(time < LIMIT, `${what}: ${Math.round(time)} ms`);
  return result;
}

test('arguments, variants and properties with colliding keys are refused, and the next call is answered', async () => {
  await using honest = await peers();
  await using session = await Session.accept(honest.server);
  const received: unknown[] = [];
  session.bus.export(
    '/target',
    implement(Target, {
      Numbers: (map) => void received.push(map),
      Any: (value) => void received.push(value),
      Level: { get: () => 1, set: (value: unknown) => void received.push(value) },
      Read: 1,
    }),
  );
  for (const type of COLLIDING_TYPES) {
    if (type === 'u') {
      const answer = await timed('an argument', () =>
        session.answer({ ...target, member: 'Numbers', signature: 'a{uy}', body: body.u }),
      );
      assert.is(answer.errorName, LIMITS_EXCEEDED);
      assert.match(answer.text ?? '', /share one chain/);
    }
    const call = { ...target, member: 'Any', signature: 'v', body: bytesOf((bytes) => variant(bytes, type)) };
    assert.is((await timed(`a variant of ${type}`, () => session.answer(call))).errorName, LIMITS_EXCEEDED);
    for (const [name, errorName] of [
      ['Level', LIMITS_EXCEEDED],
      ['Read', 'org.freedesktop.DBus.Error.PropertyReadOnly'],
      ['None', 'org.freedesktop.DBus.Error.UnknownProperty'],
    ] as const) {
      const set = bytesOf((bytes) => variant(bytes.text(target.interface).text(name).signature('v'), type));
      const answer = await timed(`the property ${name} of ${type}`, () =>
        session.answer({ ...properties, member: 'Set', signature: 'ssv', body: set }),
      );
      assert.is(answer.errorName, errorName, name);
    }
  }
  await session.assertAlive('after colliding keys');
  assert.equal(received, []);
});

test('a reply with colliding keys rejects its call, a signal is dropped and reported', async () => {
  const server = await FakeBus.start();
  await using session = await Session.connect(server, { address: server.address, peer: true });
  for (const type of COLLIDING_TYPES) {
    const { outcome, call } = await session.called();
    const error = await timed(`a reply of ${type}`, () => {
      session.peer.send({ type: 2, replySerial: call.serial, signature: `a{${type}y}`, body: body[type] });
      return rejection(outcome);
    });
    assert.instance(error, LimitsExceededError);
    assert.match(error.message, /share one chain/);
  }
  // A listener that does not read the values does not spend time on them.
  const looked: unknown[] = [];
  await session.bus.subscribe({ member: 'Looked' }, (message) => looked.push(message.body));
  await timed('signals', async () => {
    for (const type of COLLIDING_TYPES) {
      session.peer.send({
        ...SIGNAL,
        member: 'Looked',
        signature: 'v',
        body: bytesOf((bytes) => variant(bytes, type)),
      });
    }
    await session.assertAlive('after signals');
  });
  assert.equal(looked, []);
  assert.is(session.problems.length, COLLIDING_TYPES.length);
});

test.run();
