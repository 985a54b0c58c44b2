import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import { type ArrayType, parseSignature, parseSingle, type StructType } from '../../src/signature/parse.js';
import { type } from '../../src/signature/refine.js';
import { sharedPath } from '../helpers/paths.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('signature');

function rejects(signature: string, message: string): void {
  assert.throws(
    () => parseSignature(signature),
    (error: unknown) => {
      assert.instance(error, InvalidArgumentError);
      assert.is((error as Error).message, message);
      return true;
    },
  );
}

test('the empty signature has no types', () => {
  assert.equal(parseSignature(''), []);
});

test('every basic type and the variant has its alignment', () => {
  const alignments = parseSignature('ybnqiuxtdsoghv').map(({ code, alignment }) => code + alignment);
  assert.equal(alignments.join(' '), 'y1 b4 n2 q2 i4 u4 x8 t8 d8 s4 o4 g1 h4 v1');
});

test('containers have their children, alignment, and own signature', () => {
  const [dictionary, struct, text] = parseSignature('a{oa{sv}}(ia(xs))s') as [ArrayType, StructType, unknown];
  assert.is(dictionary.signature, 'a{oa{sv}}');
  assert.is(dictionary.alignment, 4);
  assert.is(dictionary.element.code, '{');
  assert.is(dictionary.element.alignment, 8);
  assert.is(dictionary.element.signature, '{oa{sv}}');
  assert.is(dictionary.depth, 5);
  assert.is(struct.signature, '(ia(xs))');
  assert.is(struct.alignment, 8);
  assert.equal(
    struct.fields.map((field) => field.signature),
    ['i', 'a(xs)'],
  );
  assert.is(struct.depth, 3);
  assert.is(text, parseSingle('s'));
});

test('the limits of the specification are accepted', () => {
  assert.is(parseSignature('s'.repeat(255)).length, 255);
  assert.is(parseSingle(`${'a'.repeat(32)}s`).depth, 32);
  assert.is(parseSingle(`${'('.repeat(32)}s${')'.repeat(32)}`).depth, 32);
  assert.is(parseSingle(`${'a'.repeat(32)}${'('.repeat(32)}s${')'.repeat(32)}`).depth, 64);
  assert.is(parseSignature(`(${'a'.repeat(32)}s)`.repeat(2)).length, 2);
});

test('a signature beyond the limits is refused', () => {
  rejects('s'.repeat(256), 'invalid signature: it has 256 bytes, and may have at most 255');
  const arrays = `${'a'.repeat(33)}s`;
  rejects(arrays, `invalid signature "${arrays}": more than 32 arrays are nested, at offset 32`);
  const structs = `${'('.repeat(33)}s${')'.repeat(33)}`;
  rejects(structs, `invalid signature "${structs}": more than 32 structs are nested, at offset 32`);
  const entries = `${'a{s'.repeat(33)}s${'}'.repeat(33)}`;
  rejects(entries, `invalid signature "${entries}": more than 32 dictionary entries are nested, at offset 97`);
});

test('nesting is counted as by libdbus: consecutive arrays, parentheses and braces separately', () => {
  assert.is(parseSingle(`${'a('.repeat(32)}as${')'.repeat(32)}`).depth, 65);
  assert.is(parseSingle(`a{s${'('.repeat(32)}y${')'.repeat(32)}}`).depth, 34);
  assert.is(parseSingle(`${'a{s'.repeat(32)}${'('.repeat(32)}y${')'.repeat(32)}${'}'.repeat(32)}`).depth, 96);
});

for (const [signature, problem] of [
  ['a', 'a type is missing at the end, at offset 1'],
  ['ia', 'a type is missing at the end, at offset 2'],
  ['(', '")" is missing at the end, at offset 1'],
  ['(s', '")" is missing at the end, at offset 2'],
  ['()', 'a struct must have a field, at offset 1'],
  ['a()', 'a struct must have a field, at offset 2'],
  [')', '")" has no opening bracket, at offset 0'],
  ['s)', '")" has no opening bracket, at offset 1'],
  ['(a)', '")" has no opening bracket, at offset 2'],
  ['}', '"}" has no opening bracket, at offset 0'],
  ['{sv}', 'a dictionary entry may only be the element of an array, at offset 0'],
  ['({sv})', 'a dictionary entry may only be the element of an array, at offset 1'],
  ['a{vs}', 'the key of a dictionary must be a basic type, at offset 2'],
  ['a{(s)s}', 'the key of a dictionary must be a basic type, at offset 2'],
  ['a{ass}', 'the key of a dictionary must be a basic type, at offset 2'],
  ['a{}', 'the key of a dictionary must be a basic type, at offset 2'],
  ['a{', 'the key of a dictionary must be a basic type, at offset 2'],
  ['a{s}', 'a dictionary entry must have a value, at offset 3'],
  ['a{ss', '"}" is missing at the end, at offset 4'],
  ['a{sss}', 'a dictionary entry has one value only, at offset 4'],
  ['z', '"z" is not a type code, at offset 0'],
  ['sr', '"r" is not a type code, at offset 1'],
  ['e', '"e" is not a type code, at offset 0'],
  ['m', '"m" is not a type code, at offset 0'],
  ['*', '"*" is not a type code, at offset 0'],
  ['?', '"?" is not a type code, at offset 0'],
  ['s s', '" " is not a type code, at offset 1'],
  ['s\0', '"\\u0000" is not a type code, at offset 1'],
  ['ü', '"ü" is not a type code, at offset 0'],
] as const) {
  test(`${JSON.stringify(signature)} is refused with its reason`, () => {
    rejects(signature, `invalid signature "${signature.replace('\0', '\\u0000')}": ${problem}`);
  });
}

test('a value that is not a string is refused', () => {
  assert.throws(() => parseSignature(undefined as unknown as string), /a signature must be a string, not undefined/);
  assert.throws(() => parseSignature(null as unknown as string), /not null/);
});

test('one complete type is distinguished from none and several', () => {
  assert.is(parseSingle('a{sv}').signature, 'a{sv}');
  assert.throws(() => parseSingle(''), /signature "" must be one complete type, but is empty/);
  assert.throws(() => parseSingle('sa{sv}'), /signature "sa\{sv\}" must be one complete type, but has 2: s, a\{sv\}/);
});

test('a signature is parsed once', () => {
  assert.is(parseSignature('a(sss)'), parseSignature('a(sss)'));
});

test('a refined signature is the plain string at run time', () => {
  assert.is(type<'a{sv}', { Name?: string }>('a{sv}'), 'a{sv}');
});

interface Verdict {
  readonly kind: string;
  readonly value: string;
  readonly libdbus: boolean | null;
  readonly sdbus: boolean | null;
}

const tables = sharedPath('data/names/names.json');

testUnless(
  tables ? undefined : 'the corpus of names is absent',
  test,
  'signatures are accepted and refused as by libdbus',
  () => {
    const verdicts = JSON.parse(readFileSync(tables as string, 'utf8')) as readonly Verdict[];
    for (const { kind, value, libdbus, sdbus } of verdicts) {
      if (kind !== 'signature' && kind !== 'single_signature') continue;
      const valid = libdbus ?? sdbus;
      if (valid === null) continue;
      const parse = () => (kind === 'signature' ? parseSignature(value) : parseSingle(value));
      if (valid) parse();
      else assert.throws(parse, (error: unknown) => error instanceof InvalidArgumentError, value);
    }
  },
);

test.run();
