/**
 * Going past values without making them: to what stands behind them in a body. Arrays tell their length, so this takes
 * time by the number of values that are not in arrays, and no memory.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */
import { type BasicCode, parseSingle, type Type } from '../signature/parse.js';
import type { Reader } from './reader.js';

/** Goes past one value of each type. */
export function skipValues(reader: Reader, types: readonly Type[], count = types.length): void {
  for (let index = 0; index < count; index++) skipValue(reader, types[index] as Type);
}

function skipValue(reader: Reader, type: Type): void {
  switch (type.code) {
    case 'a':
      reader.position = reader.beginArray(type.element.alignment);
      return;
    case '(':
      reader.align(8);
      skipValues(reader, type.fields);
      return;
    case 'v': {
      const content = parseSingle(reader.signature());
      reader.enterVariant();
      skipValue(reader, content);
      reader.leaveVariant();
      return;
    }
    default:
      skipBasic[type.code](reader);
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
