import { deepStrictEqual } from 'node:assert/strict';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProtocolError } from '../../src/base/errors.js';
import type { DecodeOptions } from '../../src/codec/decode-options.js';
import { decoderFor } from '../../src/codec/decoder.js';
import { Reader } from '../../src/codec/reader.js';
import { FileDescriptor } from '../../src/values/file-descriptor.js';
import { Variant } from '../../src/values/variant.js';

const test = suite('codec: decoding');

/** A reader of a body between other bytes, which no value may be read from. */
function read(hex: string, fds: readonly FileDescriptor[] = []): Reader {
  const body = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const memory = new ArrayBuffer(16 + body.length + 13);
  new Uint8Array(memory).fill(0xff);
  new Uint8Array(memory, 16).set(body);
  return new Reader(memory).open(16, body.length, fds);
}

function decode(signature: string, hex: string, options?: DecodeOptions): unknown[] {
  const reader = read(hex);
  const values = decoderFor(signature, options)(reader);
  assert.is(reader.position, reader.end);
  return values;
}

for (const [signature, hex, values] of [
  ['', '', []],
  ['y', 'ff', [255]],
  ['b', '01000000', [true]],
  ['n', '0080', [-32768]],
  ['q', 'ffff', [65535]],
  ['i', '00000080', [-2147483648]],
  ['u', 'ffffffff', [4294967295]],
  ['x', '0000000000000080', [-(2n ** 63n)]],
  ['t', 'ffffffffffffffff', [2n ** 64n - 1n]],
  ['d', '0000000000000080', [-0]],
  ['d', '000000000000f87f', [Number.NaN]],
  ['d', '0100000000000000', [Number.MIN_VALUE]],
  ['s', '09000000c3bce282acf09f988000', ['ü€😀']],
  ['s', '03000000efbbbf00', ['\uFEFF']],
  ['o', '010000002f00', ['/']],
  ['g', '05617b73767d00', ['a{sv}']],
  ['yx', '01 00000000000000 0200000000000000', [1, 2n]],
  ['ay', '020000000102', [Buffer.from([1, 2])]],
  ['aay', '0d000000 010000000a 000000 0100000014', [[Buffer.from([10]), Buffer.from([20])]]],
  ['ai', '0800000001000000ffffffff', [[1, -1]]],
  ['at', '0800000000000000 0100000000000000', [[1n]]],
  ['aty', '00000000 00000000 01', [[], 1]],
  ['ab', '080000000100000000000000', [[true, false]]],
  ['(ys)', '01 000000 00000000 00', [[1, '']]],
  ['a(y)', '0900000000000000 01 00000000000000 02', [[[1], [2]]]],
  ['a{sy}', '0700000000000000 01000000 6100 01', [{ a: 1 }]],
  ['a{oy}', '0700000000000000 01000000 2f00 01', [{ '/': 1 }]],
  ['a{gy}', '0400000000000000 01 7300 01', [{ s: 1 }]],
  ['a{qs}', '0900000000000000 0100 0000 00000000 00', [new Map([[1, '']])]],
  ['a{yy}', '0a00000000000000 0102 000000000000 0103', [new Map([[1, 3]])]],
  ['v', '0175000005000000', [5]],
  ['v', '01760001790001', [1]],
  ['v', '05617b73767d00 00 00000000 00000000', [{}]],
] as const) {
  test(`${signature || 'nothing'} is read from ${hex}`, () => {
    deepStrictEqual(decode(signature, hex), values);
  });
}

test('variants are wrapped at any depth on request', () => {
  const value = decode('av', '07000000 01760001790001', { variants: 'wrap' });
  deepStrictEqual(value, [[new Variant('v', new Variant('y', 1))]]);
});

for (const [signature, hex, value] of [
  ['an', '02000000 ffff', new Int16Array([-1])],
  ['aq', '02000000 ffff', new Uint16Array([65535])],
  ['ai', '04000000 ffffffff', new Int32Array([-1])],
  ['au', '04000000 ffffffff', new Uint32Array([4294967295])],
  ['ax', '0800000000000000 ffffffffffffffff', new BigInt64Array([-1n])],
  ['at', '0800000000000000 ffffffffffffffff', new BigUint64Array([2n ** 64n - 1n])],
  ['ad', '0800000000000000 000000000000f03f', new Float64Array([1])],
  ['ad', '0000000000000000', new Float64Array()],
  ['ab', '04000000 01000000', [true]],
  ['ay', '01000000 01', Buffer.from([1])],
] as const) {
  test(`${signature} of ${value.length} is read as ${value.constructor.name} on request`, () => {
    deepStrictEqual(decode(signature, hex, { typedArrays: true }), [value]);
  });
}

test('typed arrays are made within variants too', () => {
  deepStrictEqual(decode('v', '02616900 04000000 01000000', { typedArrays: true }), [new Int32Array([1])]);
});

test('__proto__ is an ordinary key', () => {
  const [value] = decode('a{sv}', '1200000000000000 09000000 5f5f70726f746f5f5f00 017900 05') as [object];
  assert.is(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(Object.keys(value), ['__proto__']);
  assert.is(Object.getOwnPropertyDescriptor(value, '__proto__')?.value, 5);
});

test('of dictionary entries with the same key the last one counts', () => {
  deepStrictEqual(decode('a{yy}', '0a00000000000000 0102 000000000000 0103'), [new Map([[1, 3]])]);
  const twice = '0f00000000000000 01000000 6100 01 00 01000000 6100 02';
  deepStrictEqual(decode('a{sy}', twice), [{ a: 2 }]);
});

test('bytes are a copy, which later messages in the same memory do not change', () => {
  const memory = new ArrayBuffer(8);
  const bytes = new Uint8Array(memory);
  bytes.set([1, 0, 0, 0, 7]);
  const [value] = decoderFor('ay')(new Reader(memory).open(0, 5)) as [Buffer];
  bytes.fill(0);
  assert.is(value[0], 7);
});

test('a file descriptor is the one at its index', () => {
  const descriptors = [FileDescriptor.adopt(1_000_001), FileDescriptor.adopt(1_000_002)];
  assert.equal(decoderFor('hh')(read('01000000 00000000', descriptors)), [descriptors[1], descriptors[0]]);
  assert.throws(() => decoderFor('h')(read('02000000', descriptors)), /the message has no file descriptor 2/);
  for (const descriptor of descriptors) descriptor.take();
});

test('keys with equal hashes are distinguished, in all lengths and scripts', () => {
  // More keys than the table of remembered keys has slots, twice, so that each is both found and replaced.
  const keys = Array.from({ length: 3000 }, (_, index) =>
    `${index % 2 ? 'ключ' : 'key'}${index}`.repeat(1 + (index % 4)),
  );
  for (const key of [...keys, ...keys]) {
    const text = Buffer.from(key);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    const entry = Buffer.concat([length, text, Buffer.from([0, 9])]).toString('hex');
    const size = Buffer.alloc(8);
    size.writeUInt32LE(entry.length / 2);
    deepStrictEqual(decode('a{sy}', size.toString('hex') + entry), [{ [key]: 9 }]);
  }
});

for (const [what, signature, hex] of [
  ['a number', 'u', '0000'],
  ['nothing', 's', ''],
  ['a string', 's', 'ff00000061'],
  ['the NUL of a string', 's', '0100000061'],
  ['a string as long as it can be', 's', 'ffffffff'],
  ['a signature', 'g', '0573'],
  ['an array', 'ai', '08000000 00000000'],
  ['an array as long as it can be', 'a(s)', 'ffffffff 00000000'],
  ['an array of bytes', 'ay', 'ff000000 00'],
  ['a dictionary', 'a{sv}', '00010000 00000000'],
  ['a struct', '(yt)', '01'],
  ['a variant', 'v', '01'],
  ['an element that its array leaves no room for', 'ai', '03000000 000000'],
] as const) {
  test(`a body that ends within ${what} is an error`, () => {
    assert.throws(
      () => decoderFor(signature)(read(hex)),
      (error: unknown) => error instanceof ProtocolError,
    );
    const options = { typedArrays: true };
    assert.throws(
      () => decoderFor(signature, options)(read(hex)),
      (error: unknown) => error instanceof ProtocolError,
    );
  });
}

test('endlessly nested variants are an error', () => {
  assert.throws(() => decoderFor('v')(read('017600'.repeat(100_000))), /more than 64 variants are nested/);
  deepStrictEqual(decode('v', `${'017600'.repeat(63)}01790005`), [5]);
});

test('an invalid signature in a variant is an error', () => {
  assert.throws(() => decoderFor('v')(read('017a00 00')), /"z" is not a type code/);
  assert.throws(() => decoderFor('v')(read('02737300 00')), /must be one complete type/);
  assert.throws(() => decoderFor('v')(read('0000')), /must be one complete type/);
});

test('a reader refuses a position that is outside of its memory, or not aligned', () => {
  const reader = new Reader(new ArrayBuffer(16));
  for (const [offset, length] of [
    [4, 4],
    [-8, 8],
    [0, 17],
    [16, 1],
    [0, -1],
  ] as const) {
    assert.throws(
      () => reader.open(offset, length),
      (error: unknown) => error instanceof RangeError,
    );
  }
  reader.open(16, 0);
});

test('memory of any length can be read', () => {
  deepStrictEqual(decoderFor('y')(new Reader(new ArrayBuffer(13)).open(8, 1)), [0]);
  assert.is(new Reader(new ArrayBuffer(0)).open(0, 0).end, 0);
});

test.run();
