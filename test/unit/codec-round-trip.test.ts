/** What is written is read back, for any signature and any values, and bytes that nobody wrote do no harm. */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DecodeOptions, decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Reader } from '../../src/codec/reader.js';
import { Writer } from '../../src/codec/writer.js';
import { DBusError } from '../../src/errors.js';
import { type BasicCode, parseSignature, type Type } from '../../src/signature/parse.js';
import { Variant } from '../../src/variant.js';

const test = suite('codec: round trips');

const basicCodes: readonly BasicCode[] = ['y', 'b', 'n', 'q', 'i', 'u', 'x', 't', 'd', 's', 'o', 'g'];
const basicSignature = fc.constantFrom(...basicCodes);

/** Signatures of one complete type. */
const { single } = fc.letrec<{ single: string; container: string }>((tie) => ({
  single: fc.oneof({ depthSize: 'small', withCrossShrink: true }, basicSignature, fc.constant('v'), tie('container')),
  container: fc.oneof(
    tie('single').map((element) => `a${element}`),
    fc.tuple(basicSignature, tie('single')).map(([key, value]) => `a{${key}${value}}`),
    fc.array(tie('single'), { minLength: 1, maxLength: 4 }).map((fields) => `(${fields.join('')})`),
  ),
}));
const signatures = fc
  .array(single, { maxLength: 4 })
  .map((types) => types.join(''))
  .filter((signature) => signature.length <= 255);

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.string({ maxLength: 200 }));
const element = fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/);

const basics: Readonly<Record<Exclude<BasicCode, 'h'>, fc.Arbitrary<unknown>>> = {
  y: fc.integer({ min: 0, max: 255 }),
  b: fc.boolean(),
  n: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
  q: fc.integer({ min: 0, max: 2 ** 16 - 1 }),
  i: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  u: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  x: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  t: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  d: fc.double(),
  s: text.filter((value) => !value.includes('\0')),
  o: fc.array(element, { maxLength: 4 }).map((elements) => `/${elements.join('/')}`),
  g: signatures,
};

/** Values as they are read with `variants: 'wrap'`; `room` bounds how much further variants nest. */
function valuesOf(type: Type, room: number): fc.Arbitrary<unknown> {
  switch (type.code) {
    case 'v': {
      const content = room > 0 ? single : basicSignature;
      return content.chain((signature) =>
        valuesOf(parseSignature(signature)[0] as Type, room - 1).map((value) => new Variant(signature, value)),
      );
    }
    case '(':
      return fc.tuple(...type.fields.map((field) => valuesOf(field, room)));
    case 'a': {
      if (type.element.code === 'y') return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
      if (type.element.code !== '{') return fc.array(valuesOf(type.element, room), { maxLength: 4 });
      const { key, value } = type.element;
      const entries = fc.array(fc.tuple(valuesOf(key, 0), valuesOf(value, room)), { maxLength: 4 });
      if (!['s', 'o', 'g'].includes(key.code)) return entries.map((list) => new Map(list));
      return entries.map((list) => objectOf(list as [string, unknown][]));
    }
    default:
      return basics[type.code as Exclude<BasicCode, 'h'>];
  }
}

/** As `Object.fromEntries`, which makes `__proto__` an own key too. */
function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(entries);
}

const bodies = signatures.chain((signature) =>
  fc.tuple(fc.constant(signature), fc.tuple(...parseSignature(signature).map((type) => valuesOf(type, 2)))),
);

const writer = new Writer();

function encode(signature: string, values: readonly unknown[]): Buffer {
  writer.reset();
  writer.beginMessage();
  encoderFor(signature)(writer, values);
  return Buffer.from(writer.bytes.subarray(0, writer.position));
}

/** Decodes a body that other bytes surround. */
function decode(signature: string, body: Uint8Array, options?: DecodeOptions): unknown[] {
  const memory = new ArrayBuffer(8 + body.length + 8);
  new Uint8Array(memory).fill(0xaa);
  new Uint8Array(memory, 8).set(body);
  const reader = new Reader(memory).open(8, body.length);
  const values = decoderFor(signature, options)(reader);
  assert.is(reader.position, reader.end);
  return values;
}

/** The same value as it is read by default. */
function unwrap(value: unknown): unknown {
  if (value instanceof Variant) return unwrap(value.value);
  if (Array.isArray(value)) return value.map(unwrap);
  if (value instanceof Map) return new Map([...value].map(([key, content]) => [key, unwrap(content)]));
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return objectOf(Object.entries(value).map(([key, content]) => [key, unwrap(content)]));
}

test('what is written is read back, with its types', () => {
  fc.assert(
    fc.property(bodies, ([signature, values]) => {
      deepStrictEqual(decode(signature, encode(signature, values), { variants: 'wrap' }), values);
    }),
    { numRuns: 1000 },
  );
});

test('what is written is read back as plain values', () => {
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

test('memory that was used before makes no difference', () => {
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

test('bytes that nobody wrote become values or an error', () => {
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

test('a message that was changed on its way becomes values or an error', () => {
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

test('any value at all is written or refused with the path to it', () => {
  fc.assert(
    fc.property(
      single,
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
