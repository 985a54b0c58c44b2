/**
 * How much memory decoded values take in V8: prints, for values of each kind by the thousand, the bytes of heap and of
 * buffers for each, beyond its bytes on the wire. `native/wire/cost.h` has the figures that the validator adds up.
 *
 * Run it with `node --expose-gc --import tsx bench/decoded-size/measure.ts`.
 */

import { decoderFor } from '../../src/codec/decoder.js';
import { Reader } from '../../src/codec/reader.js';
import { Bytes } from '../../test/helpers/wire.js';

type Write = (bytes: Bytes, index: number) => unknown;

interface Kind {
  readonly name: string;
  readonly signature: string;
  readonly alignment: 1 | 2 | 4 | 8;
  readonly write: Write;
  /** Values in one element; the cost is divided by them. */
  readonly per?: number;
}

const letters = (index: number, length: number) => index.toString(36).padStart(length, 'k');

const KINDS: readonly Kind[] = [
  { name: 'empty array', signature: 'aas', alignment: 4, write: (b) => b.align(4).u32(0) },
  { name: 'empty number array', signature: 'aai', alignment: 4, write: (b) => b.align(4).u32(0) },
  { name: 'array of one string', signature: 'aas', alignment: 4, write: (b) => b.array(4, (a) => a.text('')) },
  { name: 'array of one number', signature: 'aai', alignment: 4, write: (b) => b.array(4, (a) => a.u32(1)) },
  {
    name: 'array of 17 numbers',
    signature: 'aai',
    alignment: 4,
    write: (b) =>
      b.array(4, (a) => {
        for (let i = 0; i < 17; i++) a.u32(i);
      }),
  },
  {
    name: 'array of 18 bools',
    signature: 'aab',
    alignment: 4,
    write: (b) =>
      b.array(4, (a) => {
        for (let i = 0; i < 18; i++) a.u32(1);
      }),
  },
  { name: 'empty Buffer', signature: 'aay', alignment: 4, write: (b) => b.align(4).u32(0) },
  {
    name: 'Buffer of 8',
    signature: 'aay',
    alignment: 4,
    write: (b) => b.array(1, (a) => a.u8(1).u8(2).u8(3).u8(4).u8(1).u8(2).u8(3).u8(4)),
  },
  {
    name: 'Buffer of 5000',
    signature: 'aay',
    alignment: 4,
    write: (b) => b.array(1, (a) => a.raw(Buffer.alloc(5000))),
  },
  { name: 'struct of one byte', signature: 'a(y)', alignment: 8, write: (b) => b.align(8).u8(1) },
  { name: 'empty object', signature: 'aa{ss}', alignment: 4, write: (b) => b.array(8, () => {}) },
  {
    name: 'object, one key',
    signature: 'aa{sy}',
    alignment: 4,
    write: (b) => b.array(8, (a) => a.align(8).text('k').u8(1)),
  },
  {
    name: 'object, one distinct key',
    signature: 'aa{sy}',
    alignment: 4,
    write: (b, i) => b.array(8, (a) => a.align(8).text(letters(i, 4)).u8(1)),
  },
  {
    name: 'object, 5 distinct keys',
    signature: 'aa{sy}',
    alignment: 4,
    write: (b, i) =>
      b.array(8, (a) => {
        for (let k = 0; k < 5; k++)
          a.align(8)
            .text(letters(i * 5 + k, 4))
            .u8(1);
      }),
  },
  {
    name: 'object, 12 distinct keys',
    signature: 'aa{sy}',
    alignment: 4,
    write: (b, i) =>
      b.array(8, (a) => {
        for (let k = 0; k < 12; k++)
          a.align(8)
            .text(letters(i * 12 + k, 4))
            .u8(1);
      }),
  },
  {
    name: 'object, 20 distinct keys',
    signature: 'aa{sy}',
    alignment: 4,
    write: (b, i) =>
      b.array(8, (a) => {
        for (let k = 0; k < 20; k++)
          a.align(8)
            .text(letters(i * 20 + k, 4))
            .u8(1);
      }),
  },
  {
    name: 'object, 20 equal keys',
    signature: 'aa{sy}',
    alignment: 4,
    write: (b) =>
      b.array(8, (a) => {
        for (let k = 0; k < 20; k++) a.align(8).text(letters(k, 4)).u8(1);
      }),
  },
  {
    name: 'one object, an entry',
    signature: 'a{sy}',
    alignment: 8,
    write: (b, i) => b.align(8).text(letters(i, 4)).u8(1),
  },
  { name: 'empty Map', signature: 'aa{us}', alignment: 4, write: (b) => b.array(8, () => {}) },
  {
    name: 'Map of 5',
    signature: 'aa{uy}',
    alignment: 4,
    write: (b) =>
      b.array(8, (a) => {
        for (let k = 0; k < 5; k++) a.align(8).u32(k).u8(1);
      }),
  },
  { name: 'one Map, an entry', signature: 'a{uy}', alignment: 8, write: (b, i) => b.align(8).u32(i).u8(1) },
  { name: 'empty string', signature: 'as', alignment: 4, write: (b) => b.text('') },
  { name: 'string of 1', signature: 'as', alignment: 4, write: (b, i) => b.text(String.fromCharCode(97 + (i % 26))) },
  { name: 'string of 4', signature: 'as', alignment: 4, write: (b, i) => b.text(letters(i, 4)) },
  { name: 'string of 12', signature: 'as', alignment: 4, write: (b, i) => b.text(letters(i, 12)) },
  { name: 'string of 14', signature: 'as', alignment: 4, write: (b, i) => b.text(letters(i, 14)) },
  { name: 'string of 100', signature: 'as', alignment: 4, write: (b, i) => b.text(letters(i, 100)) },
  { name: 'latin1 string of 12', signature: 'as', alignment: 4, write: (b, i) => b.text(`é${letters(i, 10)}`) },
  { name: 'two-byte string of 4', signature: 'as', alignment: 4, write: (b, i) => b.text(`ж${letters(i, 4)}`) },
  { name: 'two-byte string of 100', signature: 'as', alignment: 4, write: (b, i) => b.text(`ж${letters(i, 98)}`) },
  { name: 'signature', signature: 'ag', alignment: 1, write: (b) => b.signature('') },
  { name: 'bigint', signature: 'ax', alignment: 8, write: (b, i) => b.u64(BigInt(i) + 2n ** 40n) },
  { name: 'bigint 0', signature: 'ax', alignment: 8, write: (b) => b.u64(0n) },
  { name: 'double in array', signature: 'ad', alignment: 8, write: (b, i) => b.f64(i + 0.5) },
  {
    name: 'double in a struct of 4',
    signature: 'a(dddd)',
    alignment: 8,
    write: (b, i) =>
      b
        .align(8)
        .f64(i + 0.5)
        .f64(i + 0.5)
        .f64(i + 0.5)
        .f64(i + 0.25),
  },
  {
    name: 'double variant',
    signature: 'av',
    alignment: 1,
    write: (b, i) =>
      b
        .signature('d')
        .align(8)
        .f64(i + 0.5),
  },
  {
    name: 'uint32 variant',
    signature: 'av',
    alignment: 1,
    write: (b, i) =>
      b
        .signature('u')
        .align(4)
        .u32(0xffff_0000 + (i & 0xff)),
  },
  { name: 'byte variant', signature: 'av', alignment: 1, write: (b) => b.signature('y').u8(1) },
  { name: 'array in variant', signature: 'av', alignment: 1, write: (b) => b.signature('as').align(4).u32(0) },
  { name: 'small number', signature: 'ai', alignment: 4, write: (b, i) => b.u32(i) },
  { name: 'big uint32', signature: 'au', alignment: 4, write: (b, i) => b.u32(0xffff_0000 + (i & 0xff)) },
  { name: 'short', signature: 'an', alignment: 2, write: (b) => b.align(2).raw(Buffer.of(1, 0)) },
  { name: 'bool', signature: 'ab', alignment: 4, write: (b) => b.u32(1) },
];

const gc = (globalThis as unknown as { gc(): void }).gc;
const used = () => {
  gc();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** Bytes of memory for each element of an array of `count`, when it was decoded and kept. */
function measure(
  { signature, alignment, write }: Kind,
  count: number,
  wrap: boolean,
): { memory: number; wire: number } {
  const bytes = new Bytes();
  bytes.array(alignment, (b) => {
    for (let i = 0; i < count; i++) write(b, i);
  });
  const { buffer } = bytes;
  const memory = new ArrayBuffer((buffer.length + 7) & ~7);
  new Uint8Array(memory).set(buffer);
  const reader = new Reader(memory);
  const decode = decoderFor(signature, wrap ? { variants: 'wrap' } : {});
  const before = used();
  const values = decode(reader.open(0, buffer.length));
  const after = used();
  if (values.length !== 1) throw new Error('one array was expected');
  return { memory: (after - before) / count, wire: buffer.length / count };
}

for (const kind of KINDS) {
  for (const wrap of kind.signature === 'av' ? [false, true] : [false]) {
    // Two sizes, the larger of the figures: growing arrays have room to spare at one and none at the other.
    const found = [2_000, 20_000, 66_000].map((count) => measure(kind, count, wrap));
    const worst = found.reduce((a, b) => (a.memory - a.wire > b.memory - b.wire ? a : b));
    const name = `${kind.name}${wrap ? ', wrapped' : ''}`;
    console.log(
      `${name.padEnd(28)} ${kind.signature.padEnd(8)} ${worst.memory.toFixed(0).padStart(6)} bytes, ` +
        `${worst.wire.toFixed(0).padStart(5)} on the wire, ${(worst.memory - worst.wire).toFixed(0).padStart(5)} more`,
    );
  }
}
