/**
 * The memory of the answer that is being made: the entries of objects, until the answer is marshalled, which happens
 * before the next one is made. So all answers take turns with one piece, and none becomes garbage.
 */
import { encodeContent } from '../../codec/encode-type.js';
import type { EncodedEntry } from '../../codec/encoded-entries.js';
import { BUS_DEPTH_MAXIMUM } from '../../codec/limits.js';
import { Writer } from '../../codec/writer.js';
import type { PropertyDescription } from '../../interface/description.js';
import { NESTING } from './encode-entry.js';

/** More memory than this is given back when the answer is sent. */
const KEPT_BYTES = 64 * 1024;

const answer = new Writer(BUS_DEPTH_MAXIMUM);
let isEncoding = false;
const settled = Promise.resolve();
const giveBack = () => {
  if (!isEncoding) answer.reset();
};

/** Forgets the entries of the last answer. */
export function beginAnswer(): void {
  if (!isEncoding) answer.rewind(0, 0);
}

/** Called when all entries of an answer are encoded, which is marshalled at once. */
export function endAnswer(): void {
  if (answer.position > KEPT_BYTES) void settled.then(giveBack);
}

/**
 * Encodes several entries, one behind the other as in a dictionary.
 *
 * @param read reads the value of a property, which has neither variants nor descriptors
 * @returns nothing if a value has the wrong type, or could not be read
 */
export function encodeEntries(
  properties: readonly PropertyDescription[],
  read: (name: string) => unknown,
): EncodedEntry | undefined {
  // An accessor that another decorator has replaced, or a getter in a value, may do anything.
  if (isEncoding) return undefined;
  isEncoding = true;
  const start = answer.beginMessage();
  try {
    for (const { name, signature } of properties) {
      const value = read(name);
      answer.align(8);
      answer.string(name);
      answer.depth = 0;
      encodeContent(answer, NESTING, signature, value);
    }
    return { memory: answer.bytes, start, end: answer.position };
  } catch {
    answer.rewind(start, 0);
    return undefined;
  } finally {
    isEncoding = false;
  }
}
