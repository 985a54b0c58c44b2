/**
 * Writes the elements of arrays of the most common types. The loop for arbitrary elements calls a function that the JIT
 * compiler cannot predict. The loops here have no such call, and numbers take 40 % of the time.
 */
import type { BasicCode } from '../signature/parse.js';
import { atIndex } from './misfit.js';
import type { Writer } from './writer.js';

/** Writes elements up to the first one that does not match the type. Returns its index, or the number of elements. */
type RunWriter = (writer: Writer, values: readonly unknown[], count: number) => number;

export const writeRuns: { readonly [Code in BasicCode]?: RunWriter } = {
  i(writer, values, count) {
    let index = 0;
    for (; index < count; index++) {
      const value = values[index];
      if (typeof value !== 'number' || (value | 0) !== value) break;
      writer.uint32(value);
    }
    return index;
  },
  u(writer, values, count) {
    let index = 0;
    for (; index < count; index++) {
      const value = values[index];
      if (typeof value !== 'number' || value >>> 0 !== value) break;
      writer.uint32(value);
    }
    return index;
  },
  d(writer, values, count) {
    let index = 0;
    for (; index < count; index++) {
      const value = values[index];
      if (typeof value !== 'number') break;
      writer.double(value);
    }
    return index;
  },
  s(writer, values, count) {
    let index = 0;
    try {
      for (; index < count; index++) {
        const value = values[index];
        if (typeof value !== 'string') break;
        writer.string(value);
      }
    } catch (error) {
      throw atIndex(index, error);
    }
    return index;
  },
};

export function writeNone(): number {
  return 0;
}
