// The notations of values: what is printed is read back, with the same bytes, for any value of any signature.
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { library, loadLibrary } from '../../src/cli/library.js';
import { Output } from '../../src/cli/output.js';
import { readArguments, valuesOf } from '../../src/cli/values/arguments.js';
import { layOut } from '../../src/cli/values/layout.js';
import { jsonValue, jsonValues, readableValue } from '../../src/cli/values/print.js';
import { decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Reader } from '../../src/codec/reader.js';
import { Writer } from '../../src/codec/writer.js';
import { bodies } from '../helpers/arbitrary-bodies.js';
import { busctlArguments } from '../interop/values-busctl.js';

const test = suite('busbar: notation of values');
await loadLibrary();
const output = new Output({ json: false, color: false });
const writer = new Writer();

function encode(signature: string, values: readonly unknown[]): Buffer {
  writer.reset();
  writer.beginMessage();
  encoderFor(signature)(writer, values);
  return Buffer.from(writer.bytes.subarray(0, writer.position));
}

/** The values as the command line receives them: dictionaries are maps. */
function received(signature: string, body: Uint8Array): unknown[] {
  const memory = new ArrayBuffer(body.length + 8);
  new Uint8Array(memory).set(body);
  const options = { variants: 'wrap', dictionaries: 'map' } as const;
  return decoderFor(signature, options)(new Reader(memory).open(0, body.length));
}

const singles = (signature: string) => library.parseSignature(signature).map((type) => type.signature);
const runs = { numRuns: 500 };

/** Reads words for arguments of a signature. */
function read(signature: string, words: readonly string[]): readonly unknown[] {
  const types = singles(signature).map((type) => ({ name: undefined, signature: type }));
  return readArguments({ name: 'Test', arguments: types }, words).body;
}

for (const width of [20, Number.POSITIVE_INFINITY]) {
  test(`JSON of any values is read back as the same bytes (width ${width})`, () => {
    fc.assert(
      fc.property(bodies, ([signature, values]) => {
        const bytes = encode(signature, values);
        const printed = received(signature, bytes);
        const words = singles(signature).map((type, index) => layOut(jsonValue(type, printed[index]), width));
        deepStrictEqual(encode(signature, read(signature, words)), bytes);
        // It is JSON for other programs, too.
        const whole = layOut(jsonValues(signature, printed), width);
        assert.is((JSON.parse(whole) as unknown[]).length, words.length);
      }),
      runs,
    );
  });

  test(`the notation for people is read back as the same bytes (width ${width})`, () => {
    fc.assert(
      fc.property(bodies, ([signature, values]) => {
        const bytes = encode(signature, values);
        const printed = received(signature, bytes);
        const words = singles(signature).map((type, index) =>
          layOut(readableValue(output, type, printed[index]), width),
        );
        deepStrictEqual(encode(signature, read(signature, words)), bytes);
      }),
      runs,
    );
  });
}

test('the words of busctl for any values are read as the same bytes', () => {
  fc.assert(
    fc.property(bodies, ([signature, values]) => {
      const words = busctlArguments(signature, values).slice(1);
      // Words for numbers that only C reads, and texts that look like JSON.
      fc.pre(!words.some((word) => /0x|^\s*["[{]|^(NaN|-?Infinity)$/.test(word)));
      deepStrictEqual(encode(signature, valuesOf(signature, words).body), encode(signature, values));
    }),
    runs,
  );
});

/** Words that are refused: the type, the word, the error, and the column of the caret. */
const refused: readonly (readonly [signature: string, word: string, error: RegExp, column: number])[] = [
  ['y', '256', /expected an integer from 0 to 255 \(y\)/, 0],
  ['y', '-1', /from 0 to 255/, 0],
  ['n', '32768', /from -32768 to 32767/, 0],
  ['q', '1.5', /from 0 to 65535/, 0],
  ['i', '2147483648', /from -2147483648 to 2147483647/, 0],
  ['u', '4294967296', /from 0 to 4294967295/, 0],
  ['x', '9223372036854775808', /from -9223372036854775808 to 9223372036854775807/, 0],
  ['t', '18446744073709551616', /from 0 to 18446744073709551615/, 0],
  ['u', '', /from 0 to/, 0],
  ['u', '5 6', /expected nothing after the value of type u/, 2],
  ['d', '1,5', /expected nothing after/, 1],
  ['d', 'one', /expected a number \(d\)/, 0],
  ['b', 'maybe', /expected true or false/, 0],
  ['o', 'a/b', /expected an object path \(o\): it begins with \//, 0],
  ['o', '/a/', /expected an object path/, 0],
  ['g', 'a', /expected a signature/, 0],
  ['s', '"a', /expected the quotation mark that ends the string/, 2],
  ['s', '"a\\qb"', /escapes of JSON/, 2],
  ['s', '"\\ud800"', /a surrogate is alone/, 0],
  ['as', 'a', /expected an array \[ … \] \(as\)/, 0],
  ['as', '["a" "b"]', /expected a comma or \]/, 5],
  ['as', '["a", 5]', /expected a string \(s\) in quotation marks/, 6],
  ['as', '["a"', /expected a comma or \]/, 4],
  ['ay', '[1, 300]', /from 0 to 255/, 4],
  ['ay', '0x123', /two hexadecimal digits/, 0],
  ['(is)', '[1]', /expected an array of 2, such as \[i, s\], got only 1/, 2],
  ['(is)', '[1, "a", 2]', /the end \] of an array of 2/, 7],
  ['a{su}', '{"a": 1, "a": 2}', /the key occurs twice/, 9],
  ['a{su}', '{a: 1}', /in quotation marks/, 1],
  ['a{su}', '{"a" 1}', /a colon after the key/, 5],
  ['a{us}', '{"x": "a"}', /from 0 to 4294967295/, 1],
  ['v', 'u five', /from 0 to 4294967295/, 2],
  ['v', '[1, 2]', /write the type before the array, as in ai \[1, 2\]/, 0],
  ['v', '{"type": "zz", "data": 5}', /signature of one complete type/, 9],
  ['a{sv}', '{"a": null}', /expected a variant/, 6],
];

for (const [signature, word, error, column] of refused) {
  test(`${JSON.stringify(word)} is refused as ${signature}, with the place`, () => {
    try {
      read(signature, [word]);
    } catch (thrown) {
      const [message = '', shown, caret] = (thrown as Error).message.split('\n');
      assert.match(message, error);
      assert.is(shown, word);
      assert.is(caret, `${' '.repeat(column)}^`);
      return;
    }
    assert.unreachable('it was accepted');
  });
}

test('variants take the forms of the guide', () => {
  const forms: readonly (readonly [word: string, signature: string, value: unknown])[] = [
    ['u 5', 'u', 5],
    ['{"type": "u", "data": 5}', 'u', 5],
    ['{"type": "u", "value": 5}', 'u', 5],
    ['5', 'i', 5],
    ['5000000000', 'x', 5_000_000_000n],
    ['0.5', 'd', 0.5],
    ['true', 'b', true],
    ['hello', 's', 'hello'],
    ['s hello world', 's', 'hello world'],
    ['"u 5"', 's', 'u 5'],
    ['["a"]', 'as', ['a']],
    ['as []', 'as', []],
    ['{"a": "b"}', 'a{sv}', new Map([['a', new library.Variant('s', 'b')]])],
  ];
  for (const [word, signature, value] of forms) {
    const [variant] = read('v', [word]) as [{ signature: string; value: unknown }];
    assert.is(variant.signature, signature, word);
    deepStrictEqual(variant.value, value, word);
  }
});

test('a variant in thousands of others is refused', () => {
  assert.throws(() => read('v', [`${'v '.repeat(5000)}u 5`]), /more than 64 containers/);
});

test.run();
