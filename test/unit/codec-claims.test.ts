// Lengths that a value claims: a value that is too long to be sent is refused before any of its elements is read.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encoderFor } from '../../src/codec/encoder.js';
import { checkCount, leastSize } from '../../src/codec/least-size.js';
import { ARRAY_BYTES_MAXIMUM } from '../../src/codec/limits.js';
import { Writer } from '../../src/codec/writer.js';
import { InvalidArgumentError, Variant } from '../../src/index.js';
import { ReceivedTypes } from '../../src/service/properties/received-types.js';
import { parseSignature } from '../../src/signature/parse.js';
import { bodies } from '../helpers/arbitrary-bodies.js';

const test = suite('codec: claimed lengths');

const LONGEST = 2 ** 32 - 1;

/** An array that claims a length, and counts the reads of its elements. */
function claiming(length: number, element: unknown = 1): { readonly array: unknown[]; asked(): number } {
  let count = 0;
  const array = new Proxy([] as unknown[], {
    get(target, key) {
      if (key === 'length') return length;
      if (typeof key !== 'string' || !/^\d+$/.test(key)) return Reflect.get(target, key);
      count++;
      return element;
    },
    has: (target, key) => (typeof key === 'string' && /^\d+$/.test(key)) || Reflect.has(target, key),
  });
  return { array, asked: () => count };
}

function encode(signature: string, value: unknown): number {
  const writer = new Writer();
  const start = writer.beginMessage();
  encoderFor(signature)(writer, [value]);
  return writer.position - start;
}

/** The size of the elements of an array, by the length in the array. */
function dataLength(element: string, values: readonly unknown[]): number {
  const writer = new Writer();
  writer.beginMessage();
  encoderFor(`a${element}`)(writer, [values]);
  return Buffer.from(writer.bytes).readUInt32LE(0);
}

const elements: readonly (readonly [signature: string, element: unknown])[] = [
  ...[...'ynqiud'].map((code) => [code, 1] as const),
  ...[...'xt'].map((code) => [code, 1n] as const),
  ['b', true],
  ['s', ''],
  ['o', '/'],
  ['g', ''],
  ['h', 0],
  ['v', new Variant('y', 1)],
  ['ay', []],
  ['ax', []],
  ['(y)', [1]],
  ['(yx)', [1, 1n]],
  ['(sv)', ['', new Variant('y', 1)]],
  ['a{sv}', {}],
];

for (const [signature, element] of elements) {
  test(`an array of ${signature} that claims more than can be sent is refused without a read`, () => {
    const check = (count: number) => checkCount(signature, 0, count);
    let most = 1;
    for (let bit = 2 ** 27; bit >= 1; bit /= 2) if (fits(check, most + bit)) most += bit;
    for (const length of [most + 1, ARRAY_BYTES_MAXIMUM + 1, LONGEST]) {
      const { array, asked } = claiming(length, element);
      assert.throws(
        () => encode(`a${signature}`, array),
        (error: unknown) => error instanceof InvalidArgumentError && /64 MiB/.test(error.message),
      );
      assert.is(asked(), 0, `${length}`);
    }
    // With the smallest elements, the largest accepted length takes no more than can be sent, and one more element would.
    const two = dataLength(signature, [element, element]);
    const stride = dataLength(signature, [element, element, element]) - two;
    const taken = two + (most - 2) * stride;
    assert.ok(taken <= ARRAY_BYTES_MAXIMUM && taken + stride > ARRAY_BYTES_MAXIMUM, `${most} take ${taken} bytes`);
  });
}

function fits(check: (count: number) => void, count: number): boolean {
  try {
    check(count);
    return true;
  } catch {
    return false;
  }
}

test('a variant, a dictionary and a property that claim too much are refused without a read', () => {
  const strings = claiming(LONGEST, 'text');
  assert.throws(() => encode('v', strings.array), /64 MiB/);
  assert.is(strings.asked(), 0);
  const variants = claiming(LONGEST, new Variant('y', 1));
  const types = new ReceivedTypes();
  types.remember([new Variant('u', 1)]);
  assert.is(types.typed(variants.array), variants.array);
  assert.is(variants.asked(), 0);
  class Claiming extends Map<string, number> {
    override get size(): number {
      return 0;
    }
  }
  assert.is(encode('a{su}', new Claiming([['a', 1]])), encode('a{su}', { a: 1 }), 'its own size property is not read');
});

test('an array that grows while it is read is written with its first length', () => {
  const growing: unknown[] = [];
  const element = {
    get key() {
      growing.push(element);
      return 1;
    },
  };
  growing.push(element);
  assert.is(encode('aa{su}', growing), encode('aa{su}', [{ key: 1 }]));
});

test('no value takes less than the least size of its type', () => {
  fc.assert(
    fc.property(bodies, ([signature, values]) => {
      const types = parseSignature(signature);
      types.forEach((type, index) => {
        if (type.signature.length === 255) return;
        assert.ok(dataLength(type.signature, [values[index]]) >= leastSize(type.signature, 0), type.signature);
      });
    }),
    { numRuns: 3000, endOnFailure: true },
  );
});

test.run();
