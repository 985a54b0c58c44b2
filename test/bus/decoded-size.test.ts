// time limit: 240 s
/**
 * `limits.messageSize` and `limits.decodedSize`: a message beyond them is dropped alone and reported to the code that waits
 * for it. A message within them takes no more memory than they say.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECTION_LIMITS } from '../../src/connection/limits.js';
import { LimitsExceededError, type Message } from '../../src/index.js';
import { FakeBus } from '../helpers/fake-bus.js';
import { CALL, Session, SIGNAL } from '../helpers/fake-bus-session.js';
import { rejection } from '../helpers/rejection.js';
import { type Bytes, bytesOf } from '../helpers/wire.js';

const test = suite('decoded size');

const MEBIBYTE = 1024 * 1024;
/** How far the heap may grow beyond the limit: the estimate is a sum of averages, and engines round up. */
const FACTOR = 1.25;
/**
 * By how much the estimate may exceed the memory that values take: most for objects whose keys are array indices far from
 * each other, which V8 keeps in an array up to a point.
 */
const EARLY = 60;
/** The memory of a decoder and its code on the first use, and of the runtime meanwhile. */
const NOISE = MEBIBYTE;

async function start(limits: { messageSize?: number; decodedSize?: number }): Promise<Session> {
  const server = await FakeBus.start();
  return Session.connect(server, { address: server.address, limits });
}

const emptyArrays = (count: number) => ({
  signature: 'aay',
  body: bytesOf((b) => b.array(4, (a) => a.raw(Buffer.alloc(4 * count)))),
});

for (const [limit, limits, message] of [
  [
    'messageSize',
    { messageSize: 10_000 },
    { signature: 'ay', body: bytesOf((b) => b.array(1, (a) => a.raw(Buffer.alloc(10_000)))) },
  ],
  [
    'messageSize',
    { messageSize: 10_000 },
    { signature: 'ay', body: bytesOf((b) => b.array(1, (a) => a.raw(Buffer.alloc(3_000_000)))) },
  ],
  ['decodedSize', { decodedSize: 100_000 }, emptyArrays(1000)],
  ['decodedSize', { decodedSize: 10_000_000 }, emptyArrays(200_000)],
] as const) {
  const size = message.body.length;
  test(`a message of ${size} bytes beyond ${limit}: a call is answered with an error, a reply rejects, a signal is dropped`, async () => {
    await using session = await start(limits);
    const answer = await session.answer({ ...CALL, ...message });
    assert.is(answer.errorName, 'org.freedesktop.DBus.Error.LimitsExceeded');
    assert.match(answer.text ?? '', `limits.${limit}`);
    const { outcome, call } = await session.called();
    session.peer.send({ type: 2, replySerial: call.serial, ...message });
    const error = await rejection(outcome);
    assert.instance(error, LimitsExceededError);
    assert.match(error.message, `limits.${limit}`);
    session.peer.send({ ...SIGNAL, ...message });
    await session.assertAlive('too large');
    assert.is(session.heard.length, 0);
    assert.ok(session.problems.some(({ error }) => error instanceof LimitsExceededError));
    // Messages within the limits are accepted.
    session.peer.send({ ...SIGNAL, signature: 's', body: bytesOf((b) => b.text('small')) });
    await session.assertAlive('small');
    assert.equal(session.heard[0]?.body, ['small']);
  });
}

test('by default 16 MiB of empty arrays are refused, and a body of 60 MiB is accepted', async () => {
  await using session = await start({});
  assert.is(CONNECTION_LIMITS.decodedSize, 128 * MEBIBYTE);
  const refused = await session.answer({ ...CALL, ...emptyArrays(4 * MEBIBYTE) });
  assert.match(refused.text ?? '', 'limits.decodedSize');
  session.peer.send({
    ...SIGNAL,
    signature: 'ay',
    body: bytesOf((b) => b.array(1, (a) => a.raw(Buffer.alloc(60 * MEBIBYTE)))),
  });
  await session.assertAlive('60 MiB');
  const [signal] = session.heard as [Message];
  assert.is((signal.body[0] as Buffer).length, 60 * MEBIBYTE);
});

/** How one element of an array is written, with its alignment and signature. */
interface Element {
  readonly signature: string;
  readonly alignment: number;
  readonly write: (bytes: Bytes, index: number) => void;
}

const text = (index: number, length: number) => index.toString(36).padStart(length, 'k').slice(-Math.max(length, 6));
const basic = (signature: string, alignment: number, write: Element['write']): Element => ({
  signature,
  alignment,
  write,
});

const basics: readonly Element[] = [
  basic('y', 1, (b) => b.u8(1)),
  basic('b', 4, (b) => b.u32(1)),
  basic('q', 2, (b) => b.u16(7)),
  basic('i', 4, (b, i) => b.u32(i)),
  basic('u', 4, (b, i) => b.u32(0xffff_0000 + (i & 0xff))),
  basic('x', 8, (b, i) => b.u64(BigInt(i) + 2n ** 40n)),
  basic('d', 8, (b, i) => b.f64(i + 0.5)),
  basic('s', 4, (b) => b.text('')),
  basic('s', 4, (b, i) => b.text(text(i, 4))),
  basic('s', 4, (b, i) => b.text(text(i, 14))),
  basic('s', 4, (b, i) => b.text(`ж${text(i, 20)}`)),
  basic('o', 4, (b, i) => b.text(`/${text(i, 4)}`)),
  basic('g', 1, (b) => b.signature('a{sv}')),
];
/** Keys of dictionaries: words, numbers that are array indices, near to and far from each other, and real numbers. */
const keys: readonly Element[] = [
  basic('s', 4, (b, i) => b.text(text(i, 4))),
  basic('s', 4, (b, i) => b.text(String(i))),
  basic('s', 4, (b, i) => b.text(String(i * 1000 + 1000))),
  basic('s', 4, (b, i) => b.text(String((i * 2654435761) % 4294967295))),
  basic('u', 4, (b, i) => b.u32(i)),
  basic('t', 8, (b, i) => b.u64(BigInt(i) * 3n)),
];

const element: fc.Arbitrary<Element> = fc.letrec<{ any: Element }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom(...basics),
    // An array of this many elements, which may be none.
    fc.tuple(tie('any'), fc.constantFrom(0, 0, 1, 2, 18, 40)).map(([of, count]) => arrayOf(of, count)),
    fc.array(tie('any'), { minLength: 1, maxLength: 4 }).map(structOf),
    fc
      .tuple(
        fc.constantFrom(...keys),
        tie('any'),
        fc.constantFrom(0, 1, 2, 5, 9, 13, 16, 17, 30, 32, 33, 64, 65, 128, 129),
      )
      .map(([key, value, count]) => dictOf(key, value, count)),
    tie('any').map(variantOf),
  ),
})).any;

function arrayOf({ signature, alignment, write }: Element, count: number): Element {
  return basic(`a${signature}`, 4, (b, i) => {
    b.array(alignment, (a) => {
      for (let each = 0; each < count; each++) write(a.align(alignment), i * count + each);
    });
  });
}

function structOf(fields: readonly Element[]): Element {
  return basic(`(${fields.map(({ signature }) => signature).join('')})`, 8, (b, i) => {
    b.align(8);
    for (const { alignment, write } of fields) write(b.align(alignment), i);
  });
}

function dictOf(key: Element, value: Element, count: number): Element {
  return basic(`a{${key.signature}${value.signature}}`, 4, (b, i) => {
    b.array(8, (a) => {
      for (let each = 0; each < count; each++) {
        key.write(a.align(8), i * count + each);
        value.write(a.align(value.alignment), i);
      }
    });
  });
}

function variantOf({ signature, alignment, write }: Element): Element {
  return basic('v', 1, (b, i) => write(b.signature(signature).align(alignment), i));
}

const { gc } = globalThis as unknown as { gc?: () => void };

function heap(): number {
  gc?.();
  gc?.();
  const { heapUsed, external } = process.memoryUsage();
  // In Bun, the heap includes the memory of buffers and strings that is external to it.
  return process.versions.bun === undefined ? heapUsed + external : heapUsed;
}

/**
 * How much the heap grows for the values of a message. A thread of the garbage collector may free other memory meanwhile,
 * which makes the result smaller: if it is smaller than expected, it is measured again.
 */
function growthOf(message: Message, variants: 'plain' | 'wrap', expected: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let time = 0; time < 5 && most <= expected; time++) most = Math.max(most, growthAtOneLook(message, variants));
  return most;
}

/**
 * A separate function: in the loop above, the values of one measurement would still be referenced when the next one begins.
 */
function growthAtOneLook(message: Message, variants: 'plain' | 'wrap'): number {
  const before = heap();
  const values = message.decode({ variants });
  const growth = heap() - before;
  // The values must be alive until here.
  assert.ok(values.length > 0);
  return growth;
}

test('accepted messages take no more memory than the limit, and refused messages would have taken much of it', async () => {
  assert.type(gc, 'function', 'run with --expose-gc');
  const limit = 3 * MEBIBYTE;
  await using session = await start({ decodedSize: limit });
  await using unlimited = await start({ decodedSize: 2 ** 40 });
  let look: (message: Message) => number = () => 0;
  let seen: number | undefined;
  for (const { bus } of [session, unlimited]) {
    bus.addMessageHandler((message) => {
      if (message.member !== 'Measured') return;
      seen = (message as Message & { fault?: Error }).fault === undefined ? look(message) : undefined;
    });
  }
  /** What `look` reads from a message; `undefined` if the message is refused. */
  const sent = async (on: Session, { signature, body }: { signature: string; body: Uint8Array }) => {
    seen = undefined;
    on.peer.send({ ...SIGNAL, member: 'Measured', signature, body });
    await on.assertAlive(signature);
    return seen;
  };
  await fc.assert(
    fc.asyncProperty(element, fc.constantFrom('plain', 'wrap'), async (of, variants) => {
      const messageOf = (count: number) => {
        const { signature, write } = arrayOf(of, count);
        return { signature, body: bytesOf((b) => write(b, 0)) };
      };
      look = () => 0;
      let count = 64;
      while (messageOf(count).body.length < limit && (await sent(session, messageOf(count))) !== undefined) count *= 2;
      let expected = 0;
      look = (message) => growthOf(message, variants as 'plain' | 'wrap', expected);
      const what = `${count / 2} of ${of.signature} (${variants})`;
      const taken = (await sent(session, messageOf(count / 2))) ?? 0;
      assert.ok(taken <= limit * FACTOR + NOISE, `${what} take ${taken} bytes`);
      expected = limit / EARLY;
      const refused = (await sent(unlimited, messageOf(count))) ?? 0;
      assert.ok(refused > limit / EARLY, `twice ${what} are refused, and take ${refused} bytes`);
    }),
    { numRuns: 60, seed: 20_240_915, endOnFailure: true, includeErrorInReport: true },
  );
});

test.run();
