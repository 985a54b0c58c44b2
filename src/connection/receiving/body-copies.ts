/**
 * Copies of bodies that outlive their batch. Small ones share memory: an array of its own for each would take longer than
 * everything else that is done with a small message. What keeps one of them keeps the memory of its neighbours, too, which
 * therefore is little.
 */
import type { Reader } from '../../codec/reader.js';

const SHARED_BYTES = 1024;
/** The most that a body may have to be copied to shared memory. */
const SMALL_BYTES = 64;

let memory = new ArrayBuffer(SHARED_BYTES);
let shared = new Uint8Array(memory);
let used = 0;

export interface BodyCopy {
  readonly memory: ArrayBuffer;
  /** Where the body begins: a multiple of 8, as a reader needs it. */
  readonly offset: number;
}

/** Copies the body that is at `offset` in the memory of a reader. */
export function copyBody(reader: Reader, offset: number, length: number): BodyCopy {
  if (length > SMALL_BYTES) {
    const own = new ArrayBuffer(length);
    reader.copyTo(new Uint8Array(own), 0, offset, length);
    return { memory: own, offset: 0 };
  }
  if (used + length > SHARED_BYTES) {
    memory = new ArrayBuffer(SHARED_BYTES);
    shared = new Uint8Array(memory);
    used = 0;
  }
  const at = used;
  used += (length + 7) & ~7;
  reader.copyTo(shared, at, offset, length);
  return { memory, offset: at };
}
