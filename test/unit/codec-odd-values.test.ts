/**
 * Odd values: proxies, getters, detached memory. A value that cannot be sent is refused with its path, and the bytes that
 * are sent are those of the value.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import { decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Reader } from '../../src/codec/reader.js';
import { Writer } from '../../src/codec/writer.js';
import { Variant } from '../../src/values/variant.js';

const test = suite('codec: odd values');

function encode(signature: string, values: unknown): Buffer {
  const writer = new Writer();
  writer.beginMessage();
  encoderFor(signature)(writer, values as readonly unknown[]);
  return Buffer.from(writer.bytes.subarray(0, writer.position));
}

function roundTrip(signature: string, value: unknown): unknown {
  const body = encode(signature, [value]);
  const memory = new ArrayBuffer(Math.ceil(body.length / 8) * 8);
  new Uint8Array(memory).set(body);
  return decoderFor(signature)(new Reader(memory).open(0, body.length))[0];
}

function refuses(signature: string, values: unknown, text: RegExp): void {
  assert.throws(
    () => encode(signature, values),
    (error: unknown) => {
      assert.instance(error, InvalidArgumentError, String(error));
      assert.match((error as Error).message, text);
      return true;
    },
  );
}

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

test('a key that occurs as a number and as a bigint is refused', () => {
  for (const code of ['x', 't']) {
    refuses(
      `a{${code}s}`,
      [
        new Map<unknown, string>([
          [1, 'a'],
          [1n, 'b'],
        ]),
      ],
      /^argument 0: has the key 1 twice/,
    );
    refuses(
      `a{${code}s}`,
      [
        new Map<unknown, string>([
          [1n, 'a'],
          [2, 'c'],
          [1, 'b'],
        ]),
      ],
      /key 1 twice/,
    );
    refuses(
      `aa{${code}s}`,
      [
        [
          new Map<unknown, string>([
            [0n, 'a'],
            [-0, 'b'],
          ]),
        ],
      ],
      /^argument 0\[0\]: has the key 0 twice/,
    );
    assert.equal(
      roundTrip(
        `a{${code}s}`,
        new Map<unknown, string>([
          [1, 'a'],
          [2n, 'b'],
        ]),
      ),
      new Map([
        [1n, 'a'],
        [2n, 'b'],
      ]),
    );
  }
  // A Map regards both zeros as one key, and has one NaN.
  assert.is(
    (
      roundTrip(
        'a{ds}',
        new Map([
          [0, 'a'],
          [-0, 'b'],
          [Number.NaN, 'c'],
          [-Number.NaN, 'd'],
        ]),
      ) as Map<number, string>
    ).size,
    2,
  );
});

test('a negative zero keeps its sign in a variant', () => {
  assert.ok(Object.is(roundTrip('v', -0), -0));
  assert.ok(Object.is((roundTrip('a{sv}', { zero: -0 }) as { zero: number }).zero, -0));
  assert.equal(encode('v', [-0]), encode('v', [new Variant('d', -0)]));
  assert.equal(encode('v', [0]), encode('v', [new Variant('i', 0)]));
});

test('the lengths of a typed array are those of its memory', () => {
  const names = { byteLength: 100_000, byteOffset: 4, length: 7, buffer: new ArrayBuffer(64) };
  for (const [signature, array] of [
    ['ay', Uint8Array.of(1, 2, 3)],
    ['ay', Buffer.from([1, 2, 3])],
    ['ai', Int32Array.of(1, 2, 3)],
    ['at', BigUint64Array.of(1n, 2n, 3n)],
    ['ad', new Float64Array(new ArrayBuffer(40), 8, 3)],
  ] as const) {
    const expected = encode(signature, [array]);
    for (const [name, value] of Object.entries(names)) {
      const odd = array.slice() as typeof array;
      Object.defineProperty(odd, name, { value });
      assert.equal(encode(signature, [odd]), expected, `${signature}: ${name}`);
    }
  }
  class Longer extends Uint8Array {
    override get byteLength(): number {
      return 50;
    }
  }
  assert.equal(encode('ay', [Longer.of(1, 2)]), encode('ay', [[1, 2]]));
  assert.equal(encode('v', [Longer.of(1, 2)]), encode('v', [Buffer.from([1, 2])]));
});

test('shared memory is read, and detached memory is refused', () => {
  assert.equal(roundTrip('ay', new Uint8Array(new SharedArrayBuffer(3))), Buffer.from([0, 0, 0]));
  const detached = Uint8Array.of(1, 2, 3);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  refuses('ay', [detached], /^argument 0: got Uint8Array whose memory was detached or shrunk/);
  refuses('a{sv}', [{ k: detached }], /^argument 0\.k: got Uint8Array whose memory/);
  refuses('aay', [[[], detached]], /^argument 0\[1\]: got Uint8Array whose memory/);
  type Resizable = ArrayBuffer & { resize(length: number): void };
  const resizable = new (ArrayBuffer as unknown as new (length: number, options: object) => Resizable)(32, {
    maxByteLength: 64,
  });
  const tracking = new Int32Array(resizable);
  const fixed = new Int32Array(resizable, 16, 4);
  assert.is((roundTrip('ai', tracking) as unknown[]).length, 8);
  resizable.resize(8);
  assert.is((roundTrip('ai', tracking) as unknown[]).length, 2);
  refuses('ai', [fixed], /^argument 0: got Int32Array whose memory was detached or shrunk/);
  assert.equal(roundTrip('ay', new Uint8Array(0)), Buffer.alloc(0));
});

test('an array with an invalid length is refused', () => {
  for (const length of [-1, 1.5, '2', Number.NaN, undefined, null, 2 ** 32]) {
    const odd = new Proxy([1, 2, 3], {
      get: (target, name) => (name === 'length' ? length : Reflect.get(target, name)),
    });
    refuses(
      'ai',
      [odd],
      /argument 0: (expected ai, got a Proxy that has no valid length|an array may have at most 64 MiB)/,
    );
    refuses('a(i)', [odd], /argument 0: (expected a\(i\), got a Proxy|an array may have at most 64 MiB)/);
  }
});

test('an array that is too long to be sent is refused by its length, and nothing in it is looked at', () => {
  for (const length of [2 ** 32 - 1, 2 ** 31, 64 * 1024 * 1024 + 1]) {
    for (const type of ['ay', 'ab', 'ai', 'ax', 'ad', 'as', 'ao', 'ag', 'ah', 'av', 'a(y)', 'aay', 'aa{sv}']) {
      for (const [signature, wrap] of [
        [type, (value: unknown) => value],
        [`a${type}`, (value: unknown) => [value]],
        [`a{s${type}}`, (value: unknown) => ({ key: value })],
        ['v', (value: unknown) => new Variant(type, value as never)],
      ] as const) {
        const looks: PropertyKey[] = [];
        const endless = new Proxy([], {
          get: (_, name) => {
            looks.push(name);
            return name === 'length' ? length : 1;
          },
        });
        refuses(signature, [wrap(endless)], /an array may have at most 64 MiB of data/);
        assert.ok(looks.length < 8 && looks.every((name) => name === 'length'), `${signature}: ${looks.join()}`);
      }
    }
  }
  // One of the program's own, without any element.
  refuses('ai', [new Array(2 ** 32 - 1)], /an array may have at most 64 MiB of data/);
});

test('a revoked Proxy is refused with its path, in every place', () => {
  const object = revoked({});
  const array = revoked([]);
  const text = (path: string) => new RegExp(`^argument 0${path}: got a Proxy that was revoked`);
  for (const each of [object, array, revoked(new Map()), revoked(() => {})]) {
    for (const code of ['y', 'b', 'i', 'x', 'd', 's', 'o', 'g', 'h', 'v', 'ay', 'ai', 'as', '(i)', 'a{sv}', 'a{us}']) {
      assert.throws(
        () => encode(code, [each]),
        (error: unknown) => error instanceof InvalidArgumentError && error.message.startsWith('argument 0: '),
        code,
      );
    }
    refuses('av', [[1, each]], text('\\[1\\]'));
    refuses('a{sv}', [{ k: { l: each } }], text('\\.k\\.l'));
    refuses('a{sas}', [{ k: each }], text('\\.k'));
    refuses('(iv)', [[1, each]], text('\\[1\\]'));
    refuses('v', [new Variant('a{sv}', { k: each } as never)], text('\\.k'));
    refuses('v', [new Variant('ai', each as never)], text(''));
    refuses('a{vs}'.replace('v', 's'), [new Map([[each, 's']])], /^argument 0/);
  }
  refuses('i', array, /^the values of a message must be an array/);
  // An error that a Proxy or getter throws itself belongs to the program.
  const thrown = new TypeError('mine');
  const throwing = new Proxy([], {
    get() {
      throw thrown;
    },
  });
  assert.throws(
    () => encode('av', [[throwing]]),
    (error: unknown) => error === thrown,
  );
});

test('unknown choices of decoding options are refused by name', () => {
  for (const variants of ['foo', 'toString', '__proto__', 5, null]) {
    assert.throws(
      () => decoderFor('v', { variants } as never),
      (error: unknown) =>
        error instanceof InvalidArgumentError && /expected plain or wrap or keep, got/.test(error.message),
    );
  }
});

test.run();
