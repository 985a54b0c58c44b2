/** Written values are read back, for any signature and any values, and random bytes are harmless. */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DBusError } from '../../src/base/errors.js';
import type { DecodeOptions } from '../../src/codec/decode-options.js';
import { decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Reader } from '../../src/codec/reader.js';
import { Writer } from '../../src/codec/writer.js';
import { Variant } from '../../src/values/variant.js';
import { bodies, signatures, singleTypes } from '../helpers/arbitrary-bodies.js';

const test = suite('codec: round trips');

const writer = new Writer();

function encode(signature: string, values: readonly unknown[]): Buffer {
  writer.reset();
  writer.beginMessage();
  encoderFor(signature)(writer, values);
  return Buffer.from(writer.bytes.subarray(0, writer.position));
}

/** Decodes a body between other bytes. */
function decode(signature: string, body: Uint8Array, options?: DecodeOptions): unknown[] {
  const memory = new ArrayBuffer(8 + body.length + 8);
  new Uint8Array(memory).fill(0xaa);
  new Uint8Array(memory, 8).set(body);
  const reader = new Reader(memory).open(8, body.length);
  const values = decoderFor(signature, options)(reader);
  assert.is(reader.position, reader.end);
  return values;
}

/** As `Object.fromEntries`, which makes `__proto__` an own key too. */
function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(entries);
}

/** The same value as it is read by default. */
function unwrap(value: unknown): unknown {
  if (value instanceof Variant) return unwrap(value.value);
  if (Array.isArray(value)) return value.map(unwrap);
  if (value instanceof Map) return new Map([...value].map(([key, content]) => [key, unwrap(content)]));
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return objectOf(Object.entries(value).map(([key, content]) => [key, unwrap(content)]));
}

test('written values are read back, with their types', () => {
  fc.assert(
    fc.property(bodies, ([signature, values]) => {
      deepStrictEqual(decode(signature, encode(signature, values), { variants: 'wrap' }), values);
    }),
    { numRuns: 1000 },
  );
});

test('written values are read back as plain values', () => {
  fc.assert(
    fc.property(bodies, ([signature, values]) => {
      deepStrictEqual(decode(signature, encode(signature, values)), values.map(unwrap));
    }),
    { numRuns: 500 },
  );
});

test('typed arrays are written as they were read', () => {
  fc.assert(
    fc.property(bodies, ([signature, values]) => {
      const bytes = encode(signature, values);
      const read = decode(signature, bytes, { variants: 'wrap', typedArrays: true });
      deepStrictEqual(encode(signature, read), bytes);
    }),
    { numRuns: 500 },
  );
});

test('the previous content of the memory does not matter', () => {
  fc.assert(
    fc.property(bodies, ([signature, values]) => {
      const fresh = new Writer();
      encoderFor(signature)(fresh, values);
      const used = new Writer();
      used.copy(new Uint8Array(8192).fill(0xff));
      used.rewind(0, 0);
      encoderFor(signature)(used, values);
      deepStrictEqual(used.bytes.subarray(0, used.position), fresh.bytes.subarray(0, fresh.position));
    }),
    { numRuns: 200 },
  );
});

test('random bytes become values or an error', () => {
  const body = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ max: 3, maxLength: 200 }));
  fc.assert(
    fc.property(signatures, body, fc.boolean(), (signature, bytes, typedArrays) => {
      const memory = new ArrayBuffer(bytes.length);
      new Uint8Array(memory).set(bytes);
      try {
        decoderFor(signature, { typedArrays })(new Reader(memory).open(0, bytes.length));
      } catch (error) {
        assert.instance(error, DBusError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a message with changed bytes becomes values or an error', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(bodies, changes, ([signature, values], positions) => {
      const bytes = encode(signature, values);
      for (const [at, byte] of positions) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      const memory = new ArrayBuffer(bytes.length);
      new Uint8Array(memory).set(bytes);
      try {
        decoderFor(signature)(new Reader(memory).open(0, bytes.length));
      } catch (error) {
        assert.instance(error, DBusError);
      }
    }),
    { numRuns: 1000 },
  );
});

test('any value is written, or refused with the path to it', () => {
  fc.assert(
    fc.property(
      singleTypes,
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }),
      (signature, value) => {
        try {
          encode(signature, [value]);
        } catch (error) {
          assert.instance(error, DBusError);
          assert.match((error as Error).message, /^argument 0/);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test.run();
