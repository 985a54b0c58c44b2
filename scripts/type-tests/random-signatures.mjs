/**
 * A type test of random signatures: the compiler has to agree with the library at run time on their validity, and to give
 * the valid ones the types of the table of values. The expected type is put together here from left to right, unlike in
 * src/signature/literal.ts. The seed is fixed, so that each run compiles the same.
 */
import fc from 'fast-check';
import { Variant } from '../../dist/index.js';

const SEED = 17;
/** How many there are from the grammar, and how many random ones. */
const COUNTS = [180, 220];

const basic = fc.constantFrom(...'ybnqiuxtdsogh');
const { type } = fc.letrec((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: false },
    basic,
    fc.constant('v'),
    tie('type').map((element) => `a${element}`),
    fc.tuple(basic, tie('type')).map(([key, value]) => `a{${key}${value}}`),
    fc.array(tie('type'), { minLength: 1, maxLength: 4 }).map((fields) => `(${fields.join('')})`),
  ),
}));
const nested = fc
  .tuple(fc.constantFrom(['a', ''], ['(', ')'], ['a{s', '}']), fc.integer({ min: 30, max: 34 }), type)
  .map(([[open, close], depth, inner]) => open.repeat(depth) + inner + close.repeat(depth));
const long = fc.integer({ min: 250, max: 256 }).map((length) => `(${'s'.repeat(length - 2)})`);
const character = fc.constantFrom(...'ybnqiuxtdsoghva(){}erz:');
const changed = fc.tuple(type, fc.nat(40), fc.nat(2), character).map(([text, place, removed, added]) => {
  const at = place % (text.length + 1);
  return text.slice(0, at) + (removed === 2 ? '' : added) + text.slice(at + removed);
});
const any = fc.oneof(
  { weight: 12, arbitrary: changed },
  { weight: 1, arbitrary: nested },
  { weight: 1, arbitrary: long },
  { weight: 2, arbitrary: fc.string({ unit: character, maxLength: 8 }) },
);

/** The source of the test. */
export function randomSignatures() {
  const sample = [type, any].flatMap((arbitrary, index) => different(arbitrary, COUNTS[index]));
  return [
    "import type { FileDescriptor } from '../../../../src/values/file-descriptor.js';",
    "import type { ReadValue, ValidType, WriteValue } from '../../../../src/signature/types.js';",
    "import { type Equal, is } from '../../../../test/types/is.js';",
    'type Bytes = ReturnType<typeof Buffer.alloc>;',
    'type Valid<S extends string> = Equal<ValidType<S>, S>;',
    'declare function written<S extends string>(signature: S, value: WriteValue<S>): void;',
    ...sample.flatMap((signature) => (isValid(signature) ? validTest(signature) : invalidTest(signature))),
  ].join('\n');
}

function different(arbitrary, count) {
  const sample = new Set(fc.sample(arbitrary, { seed: SEED, numRuns: 10 * count }));
  return [...sample].slice(0, count);
}

function isValid(signature) {
  try {
    new Variant(signature, undefined);
    return true;
  } catch {
    return false;
  }
}

function invalidTest(signature) {
  return [`is<Equal<Valid<'${signature}'>, false>>();`];
}

/** The type that is read is that of the table, and can be written again. */
function validTest(signature) {
  const [type] = typeFrom(signature, 0);
  return [
    `is<Valid<'${signature}'>>();`,
    `is<Equal<ReadValue<'${signature}'>, ${type}>>();`,
    `written('${signature}', undefined as unknown as ReadValue<'${signature}'>);`,
  ];
}

const BASIC = {
  b: 'boolean',
  x: 'bigint',
  t: 'bigint',
  s: 'string',
  o: 'string',
  g: 'string',
  h: 'FileDescriptor',
  v: 'unknown',
};

/** The type that begins at `at`, and its end. */
function typeFrom(signature, at) {
  const code = signature[at];
  if (code === '(') {
    const fields = [];
    let next = at + 1;
    while (signature[next] !== ')') {
      const [field, end] = typeFrom(signature, next);
      fields.push(field);
      next = end;
    }
    return [`[${fields.join(', ')}]`, next + 1];
  }
  if (code !== 'a') return [BASIC[code] ?? 'number', at + 1];
  if (signature[at + 1] === 'y') return ['Bytes', at + 2];
  if (signature[at + 1] !== '{') {
    const [element, end] = typeFrom(signature, at + 1);
    return [element === 'unknown' ? 'unknown[]' : `${element}[]`, end];
  }
  const key = signature[at + 2];
  const [value, end] = typeFrom(signature, at + 3);
  return ['sog'.includes(key) ? `Record<string, ${value}>` : `Map<${BASIC[key] ?? 'number'}, ${value}>`, end + 1];
}
