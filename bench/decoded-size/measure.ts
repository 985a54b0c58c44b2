/**
 * The memory of decoded values: prints, for thousands of values of each kind, the bytes of heap and of buffers for
 * each, beyond its bytes on the wire. `native/wire/cost.h` has the figures that the validator adds up.
 *
 * Run it with `node --expose-gc --import tsx bench/decoded-size/measure.ts`. For JavaScriptCore, bundle it with esbuild
 * and run the bundle with `bun --expose-gc`.
 */
import { decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Reader } from '../../src/codec/reader.js';
import { Writer } from '../../src/codec/writer.js';
import { Variant } from '../../src/values/variant.js';

const letters = (index: number, length: number) => index.toString(36).padStart(length, 'k');
const keys = (count: number, first: number) =>
  new Map(Array.from({ length: count }, (_, k) => [letters(first + k, 4), 1] as const));

/** A name, the signature of an array of such values, and one of them. */
const KINDS: readonly (readonly [name: string, signature: string, value: (index: number) => unknown])[] = [
  ['empty array', 'aas', () => []],
  // An engine may make room for as many elements as earlier arrays had.
  ['empty array after a long one', 'aas', (i) => (i === 0 ? Array(30).fill('') : [])],
  ['empty number array', 'aai', () => []],
  ['array of one string', 'aas', () => ['']],
  ['array of one number', 'aai', () => [1]],
  ['array of 17 numbers', 'aai', () => Array.from({ length: 17 }, (_, i) => i)],
  ['array of 18 bools', 'aab', () => Array(18).fill(true)],
  ['empty Buffer', 'aay', () => Buffer.alloc(0)],
  ['Buffer of 8', 'aay', () => Buffer.of(1, 2, 3, 4, 1, 2, 3, 4)],
  ['Buffer of 5000', 'aay', () => Buffer.alloc(5000)],
  ['struct of one byte', 'a(y)', () => [1]],
  ['empty object', 'aa{ss}', () => new Map()],
  ['object, one key', 'aa{sy}', () => new Map([['k', 1]])],
  ['object, one distinct key', 'aa{sy}', (i) => keys(1, i)],
  ['object, 5 distinct keys', 'aa{sy}', (i) => keys(5, 5 * i)],
  ['object, 12 distinct keys', 'aa{sy}', (i) => keys(12, 12 * i)],
  ['object, 20 distinct keys', 'aa{sy}', (i) => keys(20, 20 * i)],
  ['object, 20 equal keys', 'aa{sy}', () => keys(20, 0)],
  ['one object, an entry', 'a{sy}', (i) => [letters(i, 4), 1]],
  ['empty Map', 'aa{us}', () => new Map()],
  ['Map of 1', 'aa{uy}', () => new Map([[0, 1]])],
  ['Map of 5', 'aa{uy}', () => new Map([0, 1, 2, 3, 4].map((key) => [key, 1]))],
  ['Map of 17', 'aa{uy}', () => new Map(Array.from({ length: 17 }, (_, key) => [key, 1]))],
  ['one Map, an entry', 'a{uy}', (i) => [i, 1]],
  ['empty string', 'as', () => ''],
  ['string of 1', 'as', (i) => String.fromCharCode(97 + (i % 26))],
  ['string of 4', 'as', (i) => letters(i, 4)],
  ['string of 12', 'as', (i) => letters(i, 12)],
  ['string of 14', 'as', (i) => letters(i, 14)],
  ['string of 100', 'as', (i) => letters(i, 100)],
  ['latin1 string of 12', 'as', (i) => `é${letters(i, 10)}`],
  ['two-byte string of 4', 'as', (i) => `ж${letters(i, 4)}`],
  ['two-byte string of 100', 'as', (i) => `ж${letters(i, 98)}`],
  ['signature', 'ag', () => ''],
  ['bigint', 'ax', (i) => BigInt(i) + 2n ** 40n],
  ['bigint 0', 'ax', () => 0n],
  ['double in array', 'ad', (i) => i + 0.5],
  ['double in a struct of 4', 'a(dddd)', (i) => [i + 0.5, i + 0.5, i + 0.5, i + 0.25]],
  ['double variant', 'av', (i) => new Variant('d', i + 0.5)],
  ['uint32 variant', 'av', (i) => new Variant('u', 0xffff_0000 + (i & 0xff))],
  ['byte variant', 'av', () => new Variant('y', 1)],
  ['array in variant', 'av', () => new Variant('as', [])],
  ['small number', 'ai', (i) => i],
  ['big uint32', 'au', (i) => 0xffff_0000 + (i & 0xff)],
  ['short', 'an', () => 1],
  ['bool', 'ab', () => true],
];

const gc = (globalThis as unknown as { gc(): void }).gc;
const used = () => {
  gc();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  // In Bun, the heap includes the memory of buffers and strings that is external to it.
  return process.versions.bun === undefined ? heapUsed + external : heapUsed;
};

/** An array of this many elements, as it arrives. */
function arrayOf(
  signature: string,
  value: (index: number) => unknown,
  count: number,
): { memory: ArrayBuffer; length: number } {
  const elements = Array.from({ length: count }, (_, index) => value(index));
  const writer = new Writer();
  encoderFor(signature)(writer, [signature.startsWith('a{') ? new Map(elements as [unknown, unknown][]) : elements]);
  const length = writer.position;
  const memory = new ArrayBuffer((length + 7) & ~7);
  new Uint8Array(memory).set(writer.bytes.subarray(0, length));
  return { memory, length };
}

/** Bytes of memory for each element of an array of `count`, once it is decoded and kept. */
function measure({ memory, length }: ReturnType<typeof arrayOf>, signature: string, count: number, wrap: boolean) {
  const reader = new Reader(memory);
  const decode = decoderFor(signature, wrap ? { variants: 'wrap' } : {});
  const before = used();
  const values = decode(reader.open(0, length));
  const after = used();
  if (values.length !== 1) throw new Error('one array was expected');
  return { memory: (after - before) / count, wire: length / count };
}

/** Growing arrays have spare capacity at one size and none at another. */
const COUNTS = [2_000, 20_000, 66_000];
/** An array has 64 MiB at most. */
const LARGEST = 2 ** 26;

for (const [kind, signature, value] of KINDS) {
  for (const wrap of signature === 'av' ? [false, true] : [false]) {
    const single = value(0);
    const size = single instanceof Buffer ? single.length : 0;
    const found = COUNTS.filter((count) => count * size < LARGEST).map((count) =>
      measure(arrayOf(signature, value, count), signature, count, wrap),
    );
    const { memory, wire } = found.reduce((a, b) => (a.memory - a.wire > b.memory - b.wire ? a : b));
    const [bytes, own, more] = [memory, wire, memory - wire].map((size) => size.toFixed(0).padStart(6));
    console.log(
      `${`${kind}${wrap ? ', wrapped' : ''}`.padEnd(28)} ${signature.padEnd(8)} ${bytes} bytes, ${own} on the wire, ${more} more`,
    );
  }
}
