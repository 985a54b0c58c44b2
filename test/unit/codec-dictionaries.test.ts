// Dictionaries as objects and as Maps: the order of the wire, repeated keys, and nested values.
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Decoding } from '../../src/codec/decode-options.js';
import { decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Reader } from '../../src/codec/reader.js';
import { Writer } from '../../src/codec/writer.js';
import { InvalidArgumentError, Variant } from '../../src/index.js';
import { bodies } from '../helpers/arbitrary-bodies.js';
import { thrown } from '../helpers/rejection.js';
import { bytesOf } from '../helpers/wire.js';

const test = suite('codec: dictionaries');
const map = { dictionaries: 'map' } as const;

function decode(signature: string, body: Uint8Array, options?: Decoding): unknown[] {
  const memory = new ArrayBuffer(Math.ceil(body.length / 8) * 8);
  new Uint8Array(memory).set(body);
  return decoderFor(signature, options)(new Reader(memory).open(0, body.length));
}

function encode(signature: string, values: readonly unknown[]): Uint8Array {
  const writer = new Writer();
  encoderFor(signature)(writer, values);
  return new Uint8Array(writer.bytes.subarray(0, writer.position));
}

/** The number of uses after which the reader of a signature is compiled, and more. */
const OFTEN = 20;

test('every dictionary is a Map in the order of the wire, however often its signature was used', () => {
  const keys = ['10', 'b', '2', '__proto__', 'constructor', '1'];
  const entries = keys.map((key, index) => [key, index] as const);
  const cases: readonly (readonly [string, unknown, unknown])[] = [
    ['a{su}', new Map(entries), new Map(entries)],
    ['a{ou}', new Map([['/10', 1], ['/2', 2]]), new Map([['/10', 1], ['/2', 2]])], // biome-ignore format: one line a case
    ['a{gu}', new Map([['u', 1], ['', 2]]), new Map([['u', 1], ['', 2]])], // biome-ignore format: one line a case
    ['a{us}', new Map([[10, 'x'], [2, 'y']]), new Map([[10, 'x'], [2, 'y']])], // biome-ignore format: one line a case
    ['a{sv}', new Map(entries), new Map(entries)],
    ['(a{sa{su}})', [new Map([['9', new Map(entries)]])], [new Map([['9', new Map(entries)]])]],
    ['v', new Variant('a{su}', new Map(entries) as never), new Map(entries)],
    ['aa{sv}', [new Map(entries)], [new Map(entries)]],
    ['a{sv}', { z: { '2': true, a: { k: 'x' } } }, new Map([['z', new Map<string, unknown>([['2', true], ['a', new Map([['k', 'x']])]])]])], // biome-ignore format: one line a case
  ];
  for (const [signature, written, read] of cases) {
    const body = encode(signature, [written]);
    for (let count = 0; count < OFTEN; count++) {
      const [value] = decode(signature, body, map);
      deepStrictEqual(value, read, signature);
      // deepStrictEqual does not compare this.
      if (value instanceof Map) assert.equal([...value.keys()], [...(read as Map<unknown, unknown>).keys()], signature);
    }
  }
});

test('of entries with the same key the last value counts, in an object and in a Map', () => {
  // The length of the array, padding, and three entries.
  const body = bytesOf((b) => {
    b.u32(44).u32(0);
    for (const [key, value] of Object.entries(['a', 'b', 'a'])) b.align(8).text(value).align(4).u32(Number(key));
  });
  for (let count = 0; count < OFTEN; count++) {
    assert.equal(decode('a{su}', body), [{ a: 2, b: 1 }]);
    assert.equal(decode('a{su}', body, map), [
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    ]);
  }
});

test('a Map is written as the bytes that it was read from', () => {
  fc.assert(
    fc.property(bodies, ([signature, values]) => {
      const body = encode(signature, values);
      const read = decode(signature, body, { variants: 'wrap', dictionaries: 'map' });
      deepStrictEqual(encode(signature, read), body);
      deepStrictEqual(
        decode(signature, body, { variants: 'wrap' }),
        decode(signature, body, { variants: 'wrap', dictionaries: 'object' }),
      );
    }),
    { numRuns: 500 },
  );
});

test('with `outermost`, the variants of the message itself, of its dictionaries, and of dictionaries in these, keep their types', () => {
  const body = encode('va{sv}a{sa{sv}}', [new Variant('u', 5), { a: new Variant('q', 1), n: { b: new Variant('q', 2) } }, { c: { d: new Variant('q', 3) } }]); // biome-ignore format: one line a value
  for (let count = 0; count < OFTEN; count++) {
    const outermost = { a: new Variant('q', 1), n: new Variant('a{sv}', { b: 2 }) };
    assert.equal(decode('va{sv}a{sa{sv}}', body, { variants: 'outermost' }), [new Variant('u', 5), outermost, { c: { d: new Variant('q', 3) } }]); // biome-ignore format: short
  }
});

test('an unknown choice of dictionaries is refused', () => {
  const error = thrown(() => decode('a{su}', new Uint8Array(4), { dictionaries: 'array' as 'map' }));
  assert.instance(error, InvalidArgumentError);
  assert.match(error.message, 'dictionaries: expected object or map, got "array"');
});

test.run();
