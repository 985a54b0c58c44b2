/** Strings are decoded in different ways, depending on their length, bytes and position, with the same result. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Reader } from '../../src/codec/reader.js';
import { Writer } from '../../src/codec/writer.js';

const test = suite('codec: text');

/** Decodes the encoded value, from memory that has other bytes behind the body, and from memory that ends with it. */
function roundTrips(signature: string, values: readonly unknown[]): void {
  const writer = new Writer();
  writer.beginMessage();
  encoderFor(signature)(writer, values);
  const body = writer.bytes.subarray(0, writer.position);
  for (const behind of [0, 1, 8]) {
    const memory = new ArrayBuffer(body.length + behind);
    new Uint8Array(memory).fill(0xff);
    new Uint8Array(memory).set(body);
    assert.equal(decoderFor(signature)(new Reader(memory).open(0, body.length)), values);
  }
}

const letters = 'abcdefghijklmnopqrstuvwxyz'.repeat(100);

test('strings of every length up to 100 characters are read as they were written', () => {
  for (let length = 0; length <= 100; length++) roundTrips('s', [letters.slice(0, length)]);
});

test('a character of several bytes at any position of a string is read as it was written', () => {
  for (let length = 1; length <= 50; length++) {
    for (const character of ['\x7f', '\x80', 'é', '€', '😀']) {
      roundTrips('s', [letters.slice(0, length - 1) + character]);
      roundTrips('s', [character + letters.slice(0, length - 1)]);
    }
  }
});

test('a NUL or a lone surrogate at any position of a string is refused', () => {
  const refuse = encoderFor('s');
  for (let length = 0; length <= 50; length++) {
    for (const character of ['\0', '\ud800', '\udc00']) {
      const text = `${letters.slice(0, length)}${character}ab`;
      assert.throws(() => refuse(new Writer(), [text]), new RegExp(`cannot contain .*\\(index ${length}\\)`));
    }
  }
});

test('keys of every length are read as they were written, also when they are repeated', () => {
  for (let round = 0; round < 2; round++) {
    for (let length = 0; length <= 100; length++) {
      roundTrips('a{ss}', [{ [letters.slice(0, length)]: 'value', [`${letters.slice(0, length)}é`]: 'other' }]);
    }
  }
});

test('more keys than are remembered are not confused', () => {
  const keys = Array.from({ length: 20_000 }, (_, index) => [`key${index}`, index]);
  roundTrips('a{su}', [Object.fromEntries(keys)]);
  roundTrips('a{su}', [Object.fromEntries(keys.reverse())]);
});

test('long arrays of strings are read as they were written, with strings of all lengths', () => {
  roundTrips('as', [Array.from({ length: 300 }, (_, index) => letters.slice(0, index))]);
  roundTrips('as', [['', 'a', letters, '', letters.slice(0, 1100), 'b', letters.slice(0, 1019), 'c']]);
  roundTrips('ao', [Array.from({ length: 300 }, (_, index) => `/org/example/object${index}`)]);
});

test('an array of strings with text that is not ASCII at any position is read as it was written', () => {
  const strings = Array.from({ length: 200 }, (_, index) => letters.slice(0, index % 30));
  for (let index = 0; index < strings.length; index += 7) roundTrips('as', [strings.with(index, 'grün 😀')]);
});

test.run();
