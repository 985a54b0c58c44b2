/**
 * Written bytes stay the same whenever the memory grows: each kind of write is placed on, before and behind each capacity,
 * and all bytes are compared with those of a second encoder, over memory that held other bytes.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encoderFor } from '../../src/codec/encoder.js';
import { Writer } from '../../src/codec/writer.js';
import { MessageType } from '../../src/connection/message.js';
import { PreparedHead } from '../../src/connection/sending/header.js';
import { Variant } from '../../src/values/variant.js';
import { bodies } from '../helpers/arbitrary-bodies.js';
import { marshalledValues } from '../helpers/marshalled-values.js';

const test = suite('codec: growth');

const STALE = 0x5a;

/** Fresh memory is not zeroed: here it holds a pattern, which reveals a byte that was not written. */
const { allocUnsafeSlow } = Buffer;
test.before(() => {
  Buffer.allocUnsafeSlow = (size) => allocUnsafeSlow(size).fill(STALE);
});
test.after(() => {
  Buffer.allocUnsafeSlow = allocUnsafeSlow;
});

/** One value of every type that has separate code, and its largest size. */
const values: readonly (readonly [signature: string, value: unknown])[] = [
  ['y', 0xc3],
  ['b', true],
  ['n', -2],
  ['q', 65_000],
  ['i', -3],
  ['u', 4_000_000_000],
  ['x', -5n],
  ['t', 2n ** 64n - 7n],
  ['d', 0.1],
  ['s', 'text'],
  ['s', 'ümlaut'],
  ['o', '/a/b'],
  ['g', 'a{sv}'],
  ['ay', [1, 2, 3, 4, 5]],
  ['ay', Buffer.from([1, 2, 3])],
  ['an', Int16Array.of(-1, 2)],
  ['ai', [1, -2, 3]],
  ['au', [1, 2, 3]],
  ['at', [1n, 2n]],
  ['ad', [1.5, 2.5]],
  ['as', ['a', 'bc', 'def']],
  ['ao', ['/', '/a']],
  ['ag', ['s', 'ai']],
  ['a(yq)', [[1, 2]]],
  ['(yy)', [1, 2]],
  ['a{ys}', new Map([[1, 'x']])],
  ['a{sy}', { k: 7 }],
  ['v', new Variant('y', 9)],
  ['v', new Variant('(yy)', [8, 9])],
];

/** Capacities are powers of two from 16 KiB on; the last one exceeds the size that is kept. */
const capacities = Array.from({ length: 9 }, (_, index) => 2 ** (14 + index));

/** A writer that holds `length` bytes, none of which is in the pattern. */
function filled(length: number): Writer {
  const writer = new Writer();
  writer.beginMessage();
  for (let left = length; left > 0; left -= 4096) writer.copy(new Uint8Array(Math.min(left, 4096)).fill(1));
  return writer;
}

function tail(writer: Writer, from: number): Buffer {
  return Buffer.from(writer.bytes.subarray(from, writer.position));
}

for (const capacity of capacities) {
  test(`every type is written whole across ${capacity} bytes`, () => {
    for (const [signature, value] of values) {
      const expected = marshalledValues(signature, [value]);
      const encode = encoderFor(signature);
      // Bodies begin on 8-byte boundaries; the capacity falls on each of those in the value, and on both of its ends.
      for (let before = capacity - 8 * Math.ceil(expected.length / 8) - 8; before <= capacity; before += 8) {
        const writer = filled(before);
        encode(writer, [value]);
        assert.equal(tail(writer, before), expected, `${signature} at ${before}`);
        assert.ok(writer.bytes.subarray(0, before).every((byte) => byte === 1));
      }
    }
  });
}

test('bytes that are written one by one arrive, whatever is between them', () => {
  let writer = new Writer();
  const model: number[] = [];
  const put = (value: number, size: number, write: () => void) => {
    while (model.length % size !== 0) model.push(0);
    for (let byte = 0; byte < size; byte++) model.push(Math.floor(value / 2 ** (8 * byte)) & 0xff);
    write();
  };
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(1, 2, 4), fc.nat(0xff)), { minLength: 2000, maxLength: 4000 }),
      (steps) => {
        writer = new Writer();
        model.length = 0;
        for (let round = 0; round < 8; round++) {
          for (const [size, value] of steps) {
            if (size === 1) put(value, 1, () => writer.byte(value));
            else if (size === 2) put(value, 2, () => writer.uint16(value));
            else put(value, 4, () => writer.uint32(value));
          }
        }
        return tail(writer, 0).equals(Buffer.from(model));
      },
    ),
    { numRuns: 30, endOnFailure: true },
  );
});

test('consecutive random bodies equal those of a second encoder, until the memory has outgrown the size that is kept', () => {
  const writer = new Writer();
  const expected: Buffer[] = [];
  fc.assert(
    fc.property(bodies, ([signature, body]) => {
      if (writer.position > 2 ** 22) {
        assert.equal(tail(writer, 0), Buffer.concat(expected));
        writer.reset();
        expected.length = 0;
      }
      const from = writer.position;
      const start = writer.beginMessage();
      // Padding of another size, so that the bodies are at all positions.
      writer.copy(new Uint8Array(2048).fill(2));
      encoderFor(signature)(writer, body);
      expected.push(Buffer.alloc(start - from), Buffer.alloc(2048, 2), marshalledValues(signature, body));
    }),
    { numRuns: 5000, endOnFailure: true },
  );
  assert.equal(tail(writer, 0), Buffer.concat(expected));
});

test('prepared heads are copied whole over a growth', () => {
  const head = new PreparedHead({
    type: MessageType.Signal,
    path: '/growth',
    interface: 'org.example.Growth',
    member: 'Grown',
    signature: 'y',
  });
  const writer = new Writer();
  const messages = 40_000;
  for (let serial = 1; serial <= messages; serial++) {
    writer.beginMessage();
    head.write(writer, serial, 0);
    writer.byte(serial & 0xff);
  }
  const single = new Writer();
  head.write(single, 1, 0);
  const size = single.position + 8;
  for (let serial = 1; serial <= messages; serial++) {
    const at = (serial - 1) * size;
    assert.is(Buffer.from(writer.bytes.buffer, at + 8, 4).readUInt32LE(), serial);
    assert.is(writer.bytes[at + size - 8], serial & 0xff);
  }
});

test.run();
