/**
 * Skips values without making them, to reach those after them in a body. The length of an array is known, so skipping
 * takes time in proportion to the number of values outside arrays, and no memory.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */
import { endOfType } from '../signature/grammar.js';
import { alignments, type BasicCode, checkSingle } from '../signature/parse.js';
import type { Reader } from './reader.js';

/** Skips the values of the first `count` types of a valid signature. */
export function skipValues(reader: Reader, signature: string, count: number): void {
  for (let at = 0, left = count; left > 0; left--) at = skipValue(reader, signature, at);
}

/** Skips a value of the type that begins at `at`, and returns where the next type begins. */
function skipValue(reader: Reader, signature: string, at: number): number {
  const code = signature[at] as BasicCode | 'a' | '(' | 'v';
  switch (code) {
    case 'a':
      reader.position = reader.beginArray(alignments[signature[at + 1] as keyof typeof alignments]);
      return endOfType(signature, at);
    case '(': {
      reader.align(8);
      let field = at + 1;
      while (signature[field] !== ')') field = skipValue(reader, signature, field);
      return field + 1;
    }
    case 'v': {
      const content = reader.signature();
      checkSingle(content);
      reader.enterVariant();
      skipValue(reader, content, 0);
      reader.leaveVariant();
      return at + 1;
    }
    default:
      skipBasic[code](reader);
      return at + 1;
  }
}

const skipBasic: Readonly<Record<BasicCode, (reader: Reader) => void>> = {
  y: (reader) => reader.skip(1),
  b: (reader) => reader.skip(4),
  n: (reader) => reader.skip(2),
  q: (reader) => reader.skip(2),
  i: (reader) => reader.skip(4),
  u: (reader) => reader.skip(4),
  x: (reader) => reader.skip(8),
  t: (reader) => reader.skip(8),
  d: (reader) => reader.skip(8),
  s: (reader) => reader.skipText(),
  o: (reader) => reader.skipText(),
  g: (reader) => void reader.signature(),
  h: (reader) => reader.skip(4),
};
