/**
 * What is read with `variants: 'keep'`, edited at random and written has the bytes of a model, which holds the same value
 * with all of its variants and is edited alike.
 */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DecodeOptions } from '../../src/codec/decode-options.js';
import { endOfType } from '../../src/signature/grammar.js';
import { Variant } from '../../src/values/variant.js';
import { singleTypes, valueOfType } from '../helpers/arbitrary-bodies.js';
import { type Edit, EditedValue, edits, markStructs } from '../helpers/kept-edits.js';
import { decode, encode } from '../helpers/kept-values.js';

const test = suite('codec: kept types against a model');

const dictionaries = fc.constantFrom('a{sv}', 'a{sa{sv}}', 'av', 'a(sv)', 'a{ov}', 'a{uv}', 'a{sa{sav}}', 'aa{sv}');

/** Containers, mostly with variants, as they are read with `variants: 'wrap'`. */
const containers = fc
  .oneof(
    dictionaries,
    dictionaries,
    singleTypes.map((type) => `a{s${type}}`),
  )
  .chain((type) => fc.tuple(fc.constant(type), valueOfType(type, 3)));

const readings = fc.record<DecodeOptions>({
  typedArrays: fc.boolean(),
  dictionaries: fc.constantFrom('object', 'map'),
});

test('what is read and written has the same bytes', () => {
  fc.assert(
    fc.property(containers, readings, ([type, value], options) => {
      const bytes = encode(type, [value]);
      const read = decode(type, bytes, { ...options, variants: 'keep' });
      // Objects list some keys in an order of their own, in both ways of reading.
      const expected = encode(type, decode(type, bytes, { ...options, variants: 'wrap' }));
      deepStrictEqual(encode(type, read), expected);
    }),
    { numRuns: 1500 },
  );
});

test('values are read as plain values', () => {
  fc.assert(
    fc.property(containers, readings, ([type, value], options) => {
      const bytes = encode(type, [value]);
      deepStrictEqual(decode(type, bytes, { ...options, variants: 'keep' }), decode(type, bytes, options));
    }),
    { numRuns: 500 },
  );
});

test('a container in a variant is written in that variant', () => {
  fc.assert(
    fc.property(containers, ([type, value]) => {
      const bytes = encode('v', [new Variant(type, value as never)]);
      const read = decode('v', bytes, { variants: 'keep' });
      deepStrictEqual(encode('v', read), encode('v', decode('v', bytes, { variants: 'wrap' })));
    }),
    { numRuns: 500 },
  );
});

test('what was edited has the bytes of a model that was edited alike', () => {
  const made = new Map<Edit['kind'], number>();
  fc.assert(
    fc.property(containers, fc.array(edits, { minLength: 1, maxLength: 12 }), ([type, value], steps) => {
      const bytes = encode(type, [value]);
      const [plain] = decode(type, bytes, { variants: 'keep' });
      const [typed] = decode(type, bytes, { variants: 'wrap' });
      markStructs(typed, type, endOfType);
      const edited = new EditedValue(plain, typed, made);
      for (const step of steps) {
        edited.edit(step);
        deepStrictEqual(encode(type, [edited.plain]), encode(type, [edited.typed]));
      }
    }),
    { numRuns: 2000 },
  );
  // A value that is never changed agrees with every model.
  for (const kind of ['replace', 'add', 'remove', 'copy', 'move', 'append', 'reverse'] as const) {
    const times = made.get(kind) ?? 0;
    assert.ok(times >= 3, `${kind}: ${times} times`);
  }
});

test.run();
