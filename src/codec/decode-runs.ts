/**
 * Reads arrays of the most common types. The loop for arbitrary elements calls a function that the JIT compiler cannot
 * predict. Without such a call, and with an array of known length, numbers take less than half of the time.
 */
import type { BasicCode } from '../signature/parse.js';
import type { Reader } from './reader.js';
import type { ValueDecoder } from './value-codec.js';

export const decodeRuns: { readonly [Code in BasicCode]?: ValueDecoder } = {
  i(reader) {
    const end = reader.beginArray(4);
    const count = Math.ceil((end - reader.position) / 4);
    const values = new Array<number>(count);
    for (let index = 0; index < count; index++) values[index] = reader.int32();
    return values;
  },
  u(reader) {
    const end = reader.beginArray(4);
    const count = Math.ceil((end - reader.position) / 4);
    const values = new Array<number>(count);
    for (let index = 0; index < count; index++) values[index] = reader.uint32();
    return values;
  },
  d(reader) {
    const end = reader.beginArray(8);
    const count = Math.ceil((end - reader.position) / 8);
    const values = new Array<number>(count);
    for (let index = 0; index < count; index++) values[index] = reader.double();
    return values;
  },
  s: decodeStrings,
  o: decodeStrings,
};

function decodeStrings(reader: Reader): string[] {
  return reader.strings(reader.beginArray(4));
}
