/**
 * Random messages: any header, any signature and values, as busbar's encoder writes them in its own byte order, and the
 * encoder of the tests in the other. The same seed makes the same messages.
 */
import fc from 'fast-check';
import { encoderFor } from '../../../src/codec/encoder.js';
import { Writer } from '../../../src/codec/writer.js';
import { bodies, paths } from '../../helpers/arbitrary-bodies.js';
import { marshalledValues } from '../../helpers/marshalled-values.js';
import { type WireMessage, wireMessage } from '../../helpers/wire.js';
import type { Corpus, CorpusMessage } from '../corpus.js';

const name = fc
  .array(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/), { minLength: 2, maxLength: 4 })
  .map((elements) => elements.join('.'));
const busName = fc.oneof(
  name,
  fc.tuple(fc.nat(), fc.nat()).map((numbers) => `:${numbers.join('.')}`),
);
const member = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
const serial = fc.integer({ min: 1, max: 0xe000_0000 });
const sometimes = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const common = { serial, destination: sometimes(busName), sender: sometimes(busName) };
const about = { path: paths, member };
const replies = { flags: fc.constantFrom(0, 1), replySerial: serial };

/** Any header, without a signature. */
export const headers: fc.Arbitrary<WireMessage> = fc.oneof(
  fc.record({ ...common, ...about, type: fc.constant(1), flags: fc.nat(7), interface: sometimes(name) }),
  fc.record({ ...common, ...replies, type: fc.constant(2) }),
  fc.record({ ...common, ...replies, type: fc.constant(3), errorName: name }),
  fc.record({ ...common, ...about, type: fc.constant(4), flags: fc.constantFrom(0, 1), interface: name }),
);

const messages = fc.tuple(headers, bodies, fc.boolean());

const writer = new Writer();

/** The body as busbar writes it. */
export function encoded(signature: string, values: readonly unknown[]): Buffer {
  writer.reset();
  writer.beginMessage();
  encoderFor(signature)(writer, values);
  return Buffer.from(writer.bytes.subarray(0, writer.position));
}

/** A signature and values that are in the corpus of this seed. */
export function randomBodies(seed: number, count: number): readonly (readonly [string, readonly unknown[]])[] {
  return fc.sample(messages, { seed, numRuns: count }).map(([, body]) => body);
}

export function randomCorpus(seed: number, count: number): Corpus {
  const drawn = fc.sample(messages, { seed, numRuns: count });
  const made = drawn.map(([header, [signature, values], big], index): CorpusMessage => {
    const body = big ? marshalledValues(signature, values, true) : encoded(signature, values);
    const withSignature = signature === '' ? {} : { signature };
    return { name: `random ${index} of seed ${seed}`, bytes: wireMessage({ ...header, ...withSignature, big, body }) };
  });
  return { name: 'random values', messages: made };
}
