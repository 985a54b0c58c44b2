import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Writer } from '../../src/codec/writer.js';
import { variant } from '../../src/values/variant.js';

/** What the error says of a value whose type cannot be derived. */
const UNTYPED =
  "write a Variant, as in variant.as(['a']), to choose the type (values that are read with variants: 'keep' or 'wrap' keep their types)";

const test = suite('codec: encoding');

function encode(signature: string, ...values: readonly unknown[]): string {
  const writer = new Writer();
  writer.beginMessage();
  encoderFor(signature)(writer, values);
  return Buffer.from(writer.bytes.subarray(0, writer.position)).toString('hex');
}

function refuses(signature: string, value: unknown, message: string): void {
  assert.throws(
    () => encode(signature, value),
    (error: unknown) => {
      assert.instance(error, InvalidArgumentError);
      assert.is((error as Error).message, message);
      return true;
    },
  );
}

for (const [signature, values, bytes] of [
  ['y', [0], '00'],
  ['y', [255], 'ff'],
  ['n', [-32768], '0080'],
  ['n', [32767], 'ff7f'],
  ['q', [65535], 'ffff'],
  ['i', [-2147483648], '00000080'],
  ['i', [2147483647], 'ffffff7f'],
  ['u', [4294967295], 'ffffffff'],
  ['u', [-0], '00000000'],
  ['x', [-(2n ** 63n)], '0000000000000080'],
  ['x', [2n ** 63n - 1n], 'ffffffffffffff7f'],
  ['x', [Number.MIN_SAFE_INTEGER], '010000000000e0ff'],
  ['t', [2n ** 64n - 1n], 'ffffffffffffffff'],
  ['t', [Number.MAX_SAFE_INTEGER], 'ffffffffffff1f00'],
  ['d', [-0], '0000000000000080'],
  ['d', [Number.POSITIVE_INFINITY], '000000000000f07f'],
  ['d', [Number.NaN], '000000000000f87f'],
  ['b', [true], '01000000'],
  ['b', [false], '00000000'],
  ['s', [''], '0000000000'],
  ['s', ['ü€😀'], '09000000c3bce282acf09f988000'],
  ['s', ['\uFFFF\uFDD0'], '06000000efbfbfefb79000'],
  ['o', ['/'], '010000002f00'],
  ['g', ['a{sv}'], '05617b73767d00'],
  ['g', [''], '0000'],
  ['ys', [1, 'a'], '01000000010000006100'],
  ['yx', [1, 2], '01000000000000000200000000000000'],
  ['ay', [[1, 2]], '020000000102'],
  ['ay', [new Uint8Array([1, 2])], '020000000102'],
  ['ay', [Buffer.from([1, 2])], '020000000102'],
  ['an', [new Int16Array([-1])], '02000000ffff'],
  ['aq', [[1]], '020000000100'],
  ['ai', [new Int32Array([-1])], '04000000ffffffff'],
  ['au', [new Uint32Array([1])], '0400000001000000'],
  ['ax', [new BigInt64Array([-1n])], '0800000000000000ffffffffffffffff'],
  ['at', [new BigUint64Array([1n])], '08000000000000000100000000000000'],
  ['ad', [new Float64Array([1])], '0800000000000000000000000000f03f'],
  ['at', [[]], '0000000000000000'],
  ['aty', [[], 1], '000000000000000001'],
  ['a(y)', [[[1], [2]]], '0900000000000000010000000000000002'],
  ['ab', [[true]], '0400000001000000'],
  ['(ys)', [[1, '']], '010000000000000000'],
  ['a{sy}', [{ a: 1 }], '070000000000000001000000610001'],
  ['a{sy}', [new Map([['a', 1]])], '070000000000000001000000610001'],
  ['a{sy}', [Object.assign(Object.create(null), { a: 1 })], '070000000000000001000000610001'],
  ['a{sy}', [runInNewContext('({ a: 1 })')], '070000000000000001000000610001'],
  ['a{sy}', [runInNewContext('new Map([["a", 1]])')], '070000000000000001000000610001'],
  ['a{qs}', [new Map([[1, '']])], '09000000000000000100000000000000' + '00'],
  ['v', [variant.u(5)], '0175000005000000'],
  ['v', [variant('v', variant.y(1))], '01760001790001'],
  ['v', ['a'], '01730000010000006100'],
  ['v', [true], '0162000001000000'],
  ['v', [5n], '01780000000000000500000000000000'],
  ['v', [-1], '01690000ffffffff'],
  ['v', [-0], '01640000000000000000000000000080'],
  ['v', [2147483648], '0164000000000000000000000000e041'],
  ['v', [0.5], '0164000000000000000000000000e03f'],
  ['v', [new Uint8Array([7])], '0261790001000000' + '07'],
  ['v', [['a']], '0261730006000000010000006100'],
  ['v', [{}], '05617b73767d000000000000' + '00000000'],
] as const) {
  test(`${signature} is written from ${describeValue(values)}`, () => {
    assert.is(encode(signature, ...values), bytes);
  });
}

function describeValue(values: readonly unknown[]): string {
  return JSON.stringify(values, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
}

const range = {
  y: 'y (0 to 255)',
  n: 'n (-32768 to 32767)',
  q: 'q (0 to 65535)',
  i: 'i (-2147483648 to 2147483647)',
  u: 'u (0 to 4294967295)',
  x: 'x (a bigint of 64 bits, or a safe integer)',
  t: 't (an unsigned bigint of 64 bits, or a safe integer)',
  o: 'o (an object path)',
  h: 'h (a FileDescriptor or its number)',
} as const;

for (const [signature, beyond] of [
  ['y', [-1, 256]],
  ['n', [-32769, 32768]],
  ['q', [-1, 65536]],
  ['i', [-2147483649, 2147483648]],
  ['u', [-1, 4294967296]],
  ['x', [2 ** 53, -(2 ** 53)]],
  ['t', [-1, 2 ** 53]],
] as const) {
  test(`${signature} is refused beyond its range, and if it is not an integer`, () => {
    for (const value of [...beyond, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      refuses(signature, value, `argument 0: expected ${range[signature]}, got ${value}`);
    }
  });
}

test('64-bit integers are refused beyond their range', () => {
  refuses('x', 2n ** 63n, `argument 0: expected ${range.x}, got 9223372036854775808n`);
  refuses('x', -(2n ** 63n) - 1n, `argument 0: expected ${range.x}, got -9223372036854775809n`);
  refuses('t', 2n ** 64n, `argument 0: expected ${range.t}, got 18446744073709551616n`);
  refuses('t', -1n, `argument 0: expected ${range.t}, got -1n`);
});

test('no value is converted to another type', () => {
  const odd: readonly (readonly [unknown, string])[] = [
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('s'), 'symbol'],
    [() => 0, 'function'],
    [new Date(0), 'Date'],
    [{}, 'object'],
    [Object.create(null), 'object'],
    [[], 'array of 0'],
    [new Map(), 'Map'],
    [{ valueOf: () => 1, toString: () => '/' }, 'object'],
    [variant.u(5), 'Variant'],
  ];
  for (const [value, got] of odd) {
    for (const code of ['y', 'n', 'q', 'i', 'u', 'x', 't', 'o', 'h'] as const) {
      refuses(code, value, `argument 0: expected ${range[code]}, got ${got}`);
    }
    for (const code of ['b', 'd', 's']) refuses(code, value, `argument 0: expected ${code}, got ${got}`);
  }
  refuses('b', 1, 'argument 0: expected b, got 1');
  refuses('s', 5, 'argument 0: expected s, got 5');
  refuses('d', '5', 'argument 0: expected d, got string');
  refuses('d', 5n, 'argument 0: expected d, got 5n');
  refuses('q', 5n, `argument 0: expected ${range.q}, got 5n`);
  refuses('i', true, `argument 0: expected ${range.i}, got true`);
  refuses('as', 'text', 'argument 0: expected as, got string');
  refuses('ay', 'text', 'argument 0: expected ay, got string');
  refuses('ai', new Uint32Array(1), 'argument 0: expected ai, got Uint32Array');
  refuses('a{sv}', new (class Settings {})(), 'argument 0: expected a{sv}, got Settings');
  refuses('a{sv}', Object.create({ a: 1 }), 'argument 0: expected a{sv} (a plain object or a Map), got object');
  refuses('a{sv}', [], 'argument 0: expected a{sv}, got array of 0');
  refuses('a{us}', { 1: 'a' }, 'argument 0: expected a{us} (a Map), got object');
  refuses('(si)', ['a'], 'argument 0: expected (si) (an array of 2), got array of 1');
  refuses('(si)', ['a', 1, 2], 'argument 0: expected (si) (an array of 2), got array of 3');
  refuses('(si)', { 0: 'a', 1: 1 }, 'argument 0: expected (si) (an array of 2), got object');
});

test('strings with a NUL or a lone surrogate are refused, short and long', () => {
  for (const filler of ['', 'x'.repeat(10), 'ü', 'x'.repeat(100), 'x'.repeat(100_000)]) {
    const at = filler.length;
    const refusal = (what: string) => `argument 0: D-Bus strings cannot contain ${what} (index ${at})`;
    refuses('s', `${filler}\0tail`, refusal('NUL'));
    refuses('s', `${filler}\uD800tail`, refusal('a lone surrogate'));
    refuses('s', `${filler}\uDC00`, refusal('a lone surrogate'));
    refuses('s', `${filler}\uDC00\uD800`, refusal('a lone surrogate'));
  }
});

test('object paths and signatures are validated', () => {
  for (const path of ['', 'a', '/a/', '//', '/a//b', '/a-b', '/ü', '/a\0']) {
    refuses('o', path, `argument 0: expected o (an object path), got ${JSON.stringify(path)}`);
  }
  refuses('g', 'a', 'argument 0: invalid signature "a": a type is missing at the end, at offset 1');
});

test('the error of a value of another type has its path', () => {
  refuses(
    'a{sa{sv}}',
    { '802-11-wireless': { ssid: variant('ay', 'Home' as never) } },
    'argument 0["802-11-wireless"].ssid: expected ay, got string',
  );
  refuses(
    'a(si)',
    [
      ['', 1],
      ['', '1'],
    ],
    `argument 0[1][1]: expected ${range.i}, got string`,
  );
  refuses('aay', [[], [1, 2, 300]], `argument 0[1][2]: expected ${range.y}, got 300`);
  refuses('a{ss}', new Map([['a', undefined]]), 'argument 0.a: expected s, got undefined');
  refuses('a{us}', new Map([[7, null]]), 'argument 0[7]: expected s, got null');
  refuses('a{ts}', new Map([[7n, null]]), 'argument 0[7n]: expected s, got null');
  refuses('a{us}', new Map([['7', '']]), `argument 0 key: expected ${range.u}, got string`);
  refuses('v', { a: [{ b: null }] }, `argument 0.a: expected v, got array of 1: ${UNTYPED}`);
  refuses('v', { a: { b: null } }, `argument 0.a.b: expected v, got null: ${UNTYPED}`);
  assert.throws(() => encode('su', '', '1'), /^argument 1: expected u/);
  // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
  refuses('as', ['a', , 'b'], 'argument 0[1]: expected s, got undefined');
});

test('a property that is undefined is not an entry, as in JSON', () => {
  for (const signature of ['a{sv}', 'a{ss}', 'a{oas}', 'a{ga{sv}}']) {
    assert.equal(encode(signature, { a: undefined, '/b': undefined }), encode(signature, {}), signature);
  }
  assert.equal(encode('a{sv}', { a: 1, b: undefined, c: 'x' }), encode('a{sv}', { a: 1, c: 'x' }));
  assert.equal(encode('v', { a: { b: undefined } }), encode('v', { a: {} }));
  // A getter is called once: its result is what is sent.
  let asked = 0;
  const odd = {
    get a() {
      return asked++ === 0 ? undefined : 'x';
    },
  };
  assert.equal(encode('a{sv}', odd), encode('a{sv}', {}));
  assert.is(asked, 1);
});

test('the error for a plain value of an ambiguous type suggests a Variant', () => {
  const values = [null, undefined, [], [1], ['a', 1], new Map(), new Date(0), Symbol('s'), 2n ** 63n, new Int8Array(1)];
  for (const value of values) assert.throws(() => encode('v', value), /expected v, got .*: write a Variant, as in/);
});

test('the number of values must be that of the signature', () => {
  assert.throws(() => encode('ss', 'a'), /^expected 2 arguments for the signature "ss", got 1/);
  assert.throws(() => encode('s'), /^expected 1 argument for the signature "s", got 0/);
  assert.throws(() => encode('', 1), /^expected 0 arguments for the signature "", got 1/);
  assert.throws(() => encoderFor('s')(new Writer(), 'a' as never), /must be an array/);
});

test('an invalid signature is refused before anything is written', () => {
  assert.throws(() => encoderFor('a{vs}'), /invalid signature "a\{vs\}"/);
});

test('an error that a getter or a proxy of the caller throws is passed on unchanged', () => {
  const failure = new Error('mine');
  const value = Object.defineProperty({}, 'a', {
    enumerable: true,
    get() {
      throw failure;
    },
  });
  assert.throws(
    () => encode('a{sv}', value),
    (error: unknown) => error === failure,
  );
});

/** A variant of a variant of … a byte, to this depth. */
function nested(variants: number): unknown {
  let value = variant.y(1) as unknown;
  for (let count = 1; count < variants; count++) value = variant('v', value);
  return value;
}

test('64 containers may be nested, including variants', () => {
  encode('v', nested(64));
  assert.throws(() => encode('v', nested(65)), /more than 64 containers are nested, variants included/);
  encode('(av)', [[nested(62)]]);
  assert.throws(() => encode('(av)', [[nested(63)]]), /more than 64 containers/);
  encode('v', variant(`${'a'.repeat(32)}v` as string, wrapInArrays(nested(31), 32) as never));
  assert.throws(
    () => encode('v', variant(`${'a'.repeat(32)}v` as string, wrapInArrays(nested(32), 32) as never)),
    /more than 64/,
  );
  encode('vv', nested(64), nested(64));
});

function wrapInArrays(value: unknown, depth: number): unknown {
  return depth === 0 ? value : [wrapInArrays(value, depth - 1)];
}

test('a signature that nests too deeply with its dictionaries is refused', () => {
  const signature = `${'a{s('.repeat(22)}s${')}'.repeat(22)}`;
  assert.throws(() => encoderFor(signature), /nests 66 containers; D-Bus allows 64/);
});

test('a value that contains itself is refused', () => {
  const value: Record<string, unknown> = {};
  value.self = value;
  assert.throws(() => encode('v', value), /more than 64 containers/);
});

test('an array has 64 MiB of data at most', () => {
  const writer = new Writer();
  writer.beginMessage();
  encoderFor('ay')(writer, [new Uint8Array(2 ** 26)]);
  assert.is(writer.position, 2 ** 26 + 4);
  refuses(
    'ay',
    new Uint8Array(2 ** 26 + 1),
    'argument 0: an array may have at most 64 MiB of data, not 67108865 bytes',
  );
  const quarter = new Uint8Array(2 ** 24);
  refuses(
    'aay',
    [quarter, quarter, quarter, quarter],
    'argument 0: an array may have at most 64 MiB of data, not 67108880 bytes',
  );
});

test('a message has 128 MiB at most', () => {
  const half = new Uint8Array(2 ** 26);
  assert.throws(() => encode('ayayay', half, half, half), /larger than the 128 MiB that D-Bus allows/);
});

test.run();
