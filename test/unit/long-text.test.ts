/** Long text is converted in different ways, depending on its characters and on the runtime, with the same result. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { LONG_TEXT, transcodeText } from '../../src/codec/long-text.js';
import { Reader } from '../../src/codec/reader.js';
import { Writer } from '../../src/codec/writer.js';

const test = suite('long text');

/** The body of a string: its length, its UTF-8 and a NUL. */
function bodyOf(text: string): Buffer {
  const utf8 = Buffer.from(text);
  const body = Buffer.alloc(4 + utf8.length + 1);
  body.writeUInt32LE(utf8.length);
  utf8.copy(body, 4);
  return body;
}

function encoded(text: string, writer = new Writer()): Buffer {
  writer.reset();
  encoderFor('s')(writer, [text]);
  return Buffer.from(writer.bytes.subarray(0, writer.position));
}

function decoded(body: Uint8Array): unknown {
  const memory = new ArrayBuffer((body.length + 7) & -8);
  new Uint8Array(memory).fill(0xff);
  new Uint8Array(memory).set(body);
  return decoderFor('s')(new Reader(memory).open(0, body.length))[0];
}

function isSame(text: string, writer?: Writer): void {
  const body = bodyOf(text);
  // Not with assert.equal: its message for texts of a megabyte takes minutes.
  assert.ok(encoded(text, writer).equals(body), `the UTF-8 of ${text.length} characters`);
  assert.ok(decoded(body) === text, `the text of ${text.length} characters`);
}

const kinds: Readonly<Record<string, string>> = {
  ASCII: 'a text of ascii ',
  'Latin-1': 'äöü ÄÖÜ ß é',
  Greek: 'ελληνικά λόγια ',
  Chinese: '漢字仮名',
  emoji: '😀😁',
  'ASCII with a euro sign': `€${'mostly ascii '.repeat(20)}`,
  'ASCII with an umlaut': `${'mostly ascii '.repeat(200)}ä`,
};

for (const [kind, part] of Object.entries(kinds)) {
  test(`${kind} of any length is written and read as the runtime does`, () => {
    const writer = new Writer();
    const whole = part.repeat(Math.ceil((3 * LONG_TEXT) / part.length));
    for (let length = LONG_TEXT - 8; length < LONG_TEXT + 8; length++) isSame(whole.slice(0, length).toWellFormed());
    for (const size of [16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 100_000, 2 ** 20]) {
      const text = part
        .repeat(Math.ceil(size / part.length))
        .slice(0, size)
        .toWellFormed();
      isSame(text);
      isSame(text, writer);
    }
  });
}

test('every character of Unicode is written and read', () => {
  for (let plane = 0; plane <= 0x10; plane++) {
    for (let block = 0; block < 0x10; block++) {
      const first = (plane << 16) | (block << 12);
      const characters = Array.from({ length: 0x1000 }, (_, i) => first + i);
      const valid = characters.filter((code) => code !== 0 && (code < 0xd800 || code > 0xdfff));
      if (valid.length > 0) isSame(valid.map((code) => String.fromCodePoint(code)).join(''));
    }
  }
});

test('a byte order mark is a character like any other', () => {
  isSame(`\ufeff${'漢'.repeat(LONG_TEXT)}`);
  isSame(`\ufeff${'a'.repeat(LONG_TEXT)}\ufeff`);
});

test('a character of two halves is not cut in two, wherever it is', () => {
  for (let before = 16 * 1024 - 4; before <= 16 * 1024 + 1; before++)
    isSame(`${'漢'.repeat(before)}😀😀${'漢'.repeat(9)}`);
});

test('any mixture of characters is written and read as the runtime does', () => {
  const piece = fc.tuple(fc.constantFrom(...Object.values(kinds), 'x', 'é', '€', '😀'), fc.nat({ max: 3000 }));
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
      isSame(pieces.map(([part, count]) => part.repeat(Math.ceil(count / part.length))).join(''));
    }),
    { numRuns: 200 },
  );
});

test('a NUL or a lone surrogate is refused with its index, in text of every kind', () => {
  for (const part of Object.values(kinds)) {
    const text = part
      .repeat(Math.ceil(40_000 / part.length))
      .slice(0, 40_000)
      .toWellFormed();
    for (const at of [0, 1000, 16 * 1024, 16 * 1024 + 2, text.length]) {
      // Not between the halves of a character.
      const index = (text.charCodeAt(at) & 0xfc00) === 0xdc00 ? at + 1 : at;
      for (const [character, what] of [
        ['\0', 'NUL'],
        ['\ud800', 'a lone surrogate'],
        ['\udc00', 'a lone surrogate'],
      ]) {
        const writer = new Writer();
        const wrong = `${text.slice(0, index)}${character}${text.slice(index)}`;
        const refusal = new RegExp(`D-Bus strings cannot contain ${what} \\(index ${index}\\)`);
        assert.throws(() => encoderFor('s')(writer, [wrong]), refusal);
      }
    }
  }
});

test('text that is not ASCII is transcoded where the runtime is slow', () => {
  const major = Number.parseInt(process.versions.node, 10);
  const isNode = process.versions.bun === undefined && process.versions.deno === undefined;
  const parts: Buffer[] = [];
  const isTranscoded = transcodeText('ελληνικά'.repeat(LONG_TEXT), (part) => parts.push(part));
  assert.is(isTranscoded, isNode && major < 26);
  if (isTranscoded) assert.ok(Buffer.concat(parts).equals(Buffer.from('ελληνικά'.repeat(LONG_TEXT))));
  assert.is(
    transcodeText('a'.repeat(LONG_TEXT), () => {}),
    false,
  );
});

test.run();
