/**
 * Copies of bodies that outlive their batch. Small copies share memory: an array for each would take longer than all
 * other work for a small message. Code that keeps one copy also keeps the memory of its neighbours, so the shared
 * memory is small.
 */
import type { Reader } from '../../codec/reader.js';

const SHARED_BYTES = 1024;
/** The largest body that is copied to shared memory. */
const SMALL_BYTES = 64;

let memory = new ArrayBuffer(SHARED_BYTES);
let shared = new Uint8Array(memory);
let used = 0;

export interface BodyCopy {
  readonly memory: ArrayBuffer;
  /** Where the body begins: a multiple of 8, as a reader requires. */
  readonly offset: number;
}

/** Copies the body at `offset` in the memory of a reader. */
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
