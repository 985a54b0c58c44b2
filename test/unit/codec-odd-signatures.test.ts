/**
 * Peers choose signatures: a message with unknown signatures, or more of them than the cache holds, costs little more than
 * the same bytes with known ones. Code that is compiled for one use writes and reads the same as code that is kept.
 */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Decoding } from '../../src/codec/decode-options.js';
import { decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Reader } from '../../src/codec/reader.js';
import { skipValues } from '../../src/codec/skip.js';
import { Writer } from '../../src/codec/writer.js';
import { checkSignature, endOfType } from '../../src/signature/grammar.js';
import { parseSignature } from '../../src/signature/parse.js';
import { bodies, signatures } from '../helpers/arbitrary-bodies.js';
import { leastTime } from '../helpers/least-time.js';
import { marshalledValues } from '../helpers/marshalled-values.js';
import { patience } from '../helpers/patience.js';
import { bytesOf } from '../helpers/wire.js';

const test = suite('codec: odd signatures');

/**
 * How much slower the reading of an odd signature may be: it takes 2 to 3 times as long now, and took 25 to 100 times as
 * long before.
 */
const READ_FACTOR = 6 * patience;
/**
 * The same for writing: a variant takes 80 ns with a known type, half a microsecond with an odd one, and took 3 to 10
 * before.
 */
const WRITE_FACTOR = 16 * patience;

const OPTIONS: readonly Decoding[] = [
  {},
  { variants: 'wrap' },
  { variants: 'outermost' },
  { typedArrays: true },
  { variants: 'wrap', typedArrays: true },
  { dictionaries: 'map' },
  { variants: 'wrap', dictionaries: 'map' },
  { variants: 'outermost', typedArrays: true, dictionaries: 'map' },
];

const LETTERS = 'ybnqiuxtdsog';

/** Of 3 million. */
function oddType(index: number): string {
  let letters = '';
  for (let rest = index, count = 0; count < 6; count++, rest = Math.floor(rest / LETTERS.length)) {
    letters += LETTERS[rest % LETTERS.length];
  }
  return letters;
}

function readerOf(body: Buffer): Reader {
  const memory = new ArrayBuffer(Math.ceil(body.length / 8) * 8);
  new Uint8Array(memory).set(body);
  return new Reader(memory).open(0, body.length);
}

const COUNT = 10_000;
const ROUNDS = 8;
let fresh = 0;
/** Which of the signatures a value has: the known ones all fit into every cache. */
const patterns: readonly (readonly [name: string, index: (at: number) => number])[] = [
  ['never met before', () => 5000 + fresh++],
  ['1 200 in rotation', (at) => at % 1200],
  ['5 000 at random', (at) => Math.imul(at, 0x9e3779b1) >>> 19],
  ['each twice', (at) => 1_000_000 + fresh + (at >> 1)],
];
const known = (at: number) => at % 300;

/** Bodies with one value for each index, empty or full, by the container that the odd types are in. */
const shapes: readonly (readonly [name: string, signature: string, body: (index: (at: number) => number) => Buffer])[] =
  [
    [
      'empty arrays of structs',
      'av',
      (index) =>
        bytesOf((bytes) =>
          bytes.array(1, (values) => {
            for (let at = 0; at < COUNT; at++)
              values
                .signature(`a(${oddType(index(at))})`)
                .u32(0)
                .align(8);
          }),
        ),
    ],
    [
      'structs',
      'av',
      (index) =>
        bytesOf((bytes) =>
          bytes.array(1, (values) => {
            for (let at = 0; at < COUNT; at++) {
              const fields = oddType(index(at));
              values.signature(`(${fields})`).align(8);
              for (const code of fields) writeZero(values, code);
            }
          }),
        ),
    ],
    [
      'dictionaries of structs',
      'a{sv}',
      (index) =>
        bytesOf((bytes) =>
          bytes.array(8, (entries) => {
            for (let at = 0; at < COUNT; at++) {
              const fields = oddType(index(at));
              entries.align(8).text('k').signature(`a{y(${fields})}`);
              entries.array(8, (inner) => {
                inner.u8(1).align(8);
                for (const code of fields) writeZero(inner, code);
              });
            }
          }),
        ),
    ],
  ];

function writeZero(bytes: Parameters<Parameters<typeof bytesOf>[0]>[0], code: string): void {
  if (code === 'y') bytes.u8(0);
  else if (code === 'n' || code === 'q') bytes.u16(0);
  else if (code === 'x' || code === 't' || code === 'd') bytes.u64(0n);
  else if (code === 's') bytes.text('');
  else if (code === 'o') bytes.text('/');
  else if (code === 'g') bytes.signature('');
  else bytes.u32(0);
}

/** First the compilers of the runtime settle, for both ways of reading and writing. */
test.before(() => {
  for (let round = 0; round < 10; round++) {
    for (const [, signature, body] of shapes) {
      for (const index of [known, () => 5000 + fresh++]) {
        write(signature, decoderFor(signature, { variants: 'wrap' })(readerOf(body(index))));
      }
    }
  }
});

for (const [shape, signature, body] of shapes) {
  for (const [pattern, index] of patterns) {
    test(`${shape}, ${pattern}: reading and writing take little longer than with known ones`, () => {
      const usual = body(known);
      // Each round has separate signatures where they are meant to be new.
      const odd = Array.from({ length: ROUNDS }, () => body(index));
      for (const options of [{}, { variants: 'wrap' }] as const) {
        let round = 0;
        decoderFor(signature, options)(readerOf(usual));
        const time = leastTime(() => decoderFor(signature, options)(readerOf(odd[round++] as Buffer)), ROUNDS);
        const least = leastTime(() => decoderFor(signature, options)(readerOf(usual)), ROUNDS);
        assert.ok(time < READ_FACTOR * least, `${JSON.stringify(options)}: ${time} ms, and ${least} ms when known`);
      }
      const values = odd.map((each) => decoderFor(signature, { variants: 'wrap' })(readerOf(each)));
      const usualValues = decoderFor(signature, { variants: 'wrap' })(readerOf(usual));
      let round = 0;
      const time = leastTime(() => write(signature, values[round++] as unknown[]), ROUNDS);
      const least = leastTime(() => write(signature, usualValues), ROUNDS);
      assert.ok(time < WRITE_FACTOR * least, `writing: ${time} ms, and ${least} ms when known`);
    });
  }
}

const writer = new Writer();
function write(signature: string, values: readonly unknown[]): Buffer {
  writer.reset();
  writer.beginMessage();
  encoderFor(signature)(writer, values);
  return Buffer.from(writer.bytes.subarray(0, writer.position));
}

test('bodies, signatures as values, paths and skipped variants also cost little more', () => {
  const many = Array.from({ length: COUNT }, (_, at) => 2_000_000 + at);
  const few = many.map((_, at) => at % 300);
  let nextRound = 0;
  const timeOf = (indices: readonly number[], run: (index: number) => void) =>
    leastTime(() => {
      // A number for each round makes all of them new, except those that are repeated.
      const round = indices === many ? nextRound++ * COUNT : 0;
      for (const index of indices) run(index + round);
    }, ROUNDS);
  const empty = readerOf(Buffer.alloc(16));
  const runs: readonly (readonly [name: string, run: (index: number) => void])[] = [
    ['bodies', (index) => decoderFor(`a(${oddType(index)})`)(empty.open(0, 8))],
    ['written bodies', (index) => write(`a(${oddType(index)})`, [[]])],
    ['signatures', (index) => write('g', [oddType(index)])],
    ['paths', (index) => write('o', [`/a/${oddType(index)}`])],
    [
      'skipped',
      (index) => skipValues(readerOf(bytesOf((bytes) => bytes.signature(`a(${oddType(index)})`).u32(0))), 'v', 1),
    ],
  ];
  for (const [name, run] of runs) {
    timeOf(few, run);
    const time = timeOf(many, run);
    const least = timeOf(few, run);
    assert.ok(time < WRITE_FACTOR * least, `${name}: ${time} ms, and ${least} ms when known`);
  }
});

test('code that is compiled for one use reads and writes as code that is kept', () => {
  fc.assert(
    fc.property(bodies, ([signature, values]) => {
      const bytes = marshalledValues(signature, values);
      for (const options of OPTIONS) {
        const first = decoderFor(signature, options)(readerOf(bytes));
        for (let time = 0; time < 10; time++) {
          deepStrictEqual(decoderFor(signature, options)(readerOf(bytes)), first);
        }
      }
      for (let time = 0; time < 10; time++) assert.equal(write(signature, values), bytes);
    }),
    { numRuns: 200, endOnFailure: true },
  );
});

test('the error for values of another type is the same before and after', () => {
  for (const [signature, value] of [
    ['a(is)', [[1, 's'], [1]]],
    ['a{s(ii)}', { k: [1, 's'] }],
    ['(ia{us})', [1, { a: 1 }]],
    ['aai', [[1], 'x']],
  ] as const) {
    const texts = Array.from({ length: 12 }, () => {
      try {
        return write(signature, [value]).toString('hex');
      } catch (error) {
        return (error as Error).message;
      }
    });
    assert.match(texts[0] as string, /expected/);
    assert.equal(new Set(texts).size, 1, texts[0]);
  }
});

test('the check of a signature agrees with the parser', () => {
  const end = (type: { signature: string }, at: number) => at + type.signature.length;
  fc.assert(
    fc.property(signatures, (signature) => {
      const types = parseSignature(signature);
      const { types: count, depth } = checkSignature(signature);
      assert.is(count, types.length);
      assert.is(depth, Math.max(0, ...types.map((type) => type.depth)));
      let at = 0;
      for (const type of types) {
        assert.is(endOfType(signature, at), end(type, at));
        at = end(type, at);
      }
    }),
  );
});

test.run();
