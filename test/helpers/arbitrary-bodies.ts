/**
 * Random signatures with values for them, for tests that hold for all of them. Values are as the library reads them with
 * `variants: 'wrap'`. Descriptors are left out: they cannot be made up.
 */
import fc from 'fast-check';
import { Variant } from '../../src/index.js';
import { SignatureReader } from '../interop/values-notation.js';

const basicCodes = ['y', 'b', 'n', 'q', 'i', 'u', 'x', 't', 'd', 's', 'o', 'g'] as const;
const basicSignature = fc.constantFrom(...basicCodes);

const { single } = fc.letrec<{ single: string; container: string }>((tie) => ({
  single: fc.oneof({ depthSize: 'small', withCrossShrink: true }, basicSignature, fc.constant('v'), tie('container')),
  container: fc.oneof(
    tie('single').map((element) => `a${element}`),
    fc.tuple(basicSignature, tie('single')).map(([key, value]) => `a{${key}${value}}`),
    fc.array(tie('single'), { minLength: 1, maxLength: 4 }).map((fields) => `(${fields.join('')})`),
  ),
}));

/** Signatures of one complete type. */
export const singleTypes: fc.Arbitrary<string> = single;

/** Signatures of bodies. */
export const signatures: fc.Arbitrary<string> = fc
  .array(single, { maxLength: 4 })
  .map((types) => types.join(''))
  .filter((signature) => signature.length <= 255);

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.string({ maxLength: 200 }));
const element = fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/);

const basics: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
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

/** Object paths. */
export const paths = basics.o as fc.Arbitrary<string>;

/** A value of one complete type; `room` bounds how far variants nest. */
export function valueOfType(type: string, room: number): fc.Arbitrary<unknown> {
  switch (type[0]) {
    case 'v': {
      const content = room > 0 ? single : basicSignature;
      return content.chain((signature) =>
        valueOfType(signature, room - 1).map((value) => new Variant(signature, value)),
      );
    }
    case '(':
      return fc.tuple(...valuesOf(type.slice(1, -1), room));
    case 'a':
      return arrayOf(type.slice(1), room);
    default:
      return basics[type] as fc.Arbitrary<unknown>;
  }
}

function arrayOf(type: string, room: number): fc.Arbitrary<unknown> {
  if (type === 'y') return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
  if (type[0] !== '{') return fc.array(valueOfType(type, room), { maxLength: 4 });
  const [key, value] = valuesOf(type.slice(1, -1), room) as [fc.Arbitrary<unknown>, fc.Arbitrary<unknown>];
  const entries = fc.array(fc.tuple(key, value), { maxLength: 4 });
  if (!'sog'.includes(type[1] as string)) return entries.map((list) => new Map(list));
  // `fromEntries` makes `__proto__` an own key too.
  return entries.map((list) => Object.fromEntries(list as [string, unknown][]));
}

function valuesOf(signature: string, room: number): fc.Arbitrary<unknown>[] {
  const reader = new SignatureReader(signature);
  const values: fc.Arbitrary<unknown>[] = [];
  for (let at = 0; at < signature.length; ) {
    const type = reader.next();
    at += type.length;
    values.push(valueOfType(type, room));
  }
  return values;
}

/** A signature, and values for it. */
export const bodies: fc.Arbitrary<readonly [signature: string, values: readonly unknown[]]> = signatures.chain(
  (signature) => fc.tuple(fc.constant(signature), fc.tuple(...valuesOf(signature, 2))),
);

/** As {@link bodies}, of one value. */
export const singleBodies: typeof bodies = single.chain((signature) =>
  fc.tuple(
    fc.constant(signature),
    valueOfType(signature, 2).map((value) => [value]),
  ),
);
