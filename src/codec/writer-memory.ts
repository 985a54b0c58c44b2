/**
 * The memory of writers, with the views through which numbers are stored. A writer has some only while there are bytes
 * in it, and the writers of all connections take turns with one: idle connections need none.
 */
import { type RawBuffer, rawBuffer } from './strings.js';

/** Larger memory, which a large message needed, is not kept. */
const RETAINED_BYTES = 2 * 1024 * 1024;

export class WriterMemory {
  readonly u8: RawBuffer;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly u64: BigUint64Array;

  /** The memory is not zeroed: bytes after a writer's position are never sent, and bytes before it were written. */
  constructor(size: number) {
    const memory = Buffer.allocUnsafeSlow(size).buffer as ArrayBuffer;
    this.u8 = rawBuffer(memory);
    this.u16 = new Uint16Array(memory);
    this.u32 = new Uint32Array(memory);
    this.f64 = new Float64Array(memory);
    this.u64 = new BigUint64Array(memory);
  }

  get size(): number {
    return this.u8.length;
  }
}

/** The memory of a writer that is empty. */
export const NO_MEMORY = new WriterMemory(0);

let idle = NO_MEMORY;

/** Returns memory of `size` bytes, or more. */
export function takeMemory(size: number): WriterMemory {
  if (idle.size < size) return new WriterMemory(size);
  const taken = idle;
  idle = NO_MEMORY;
  return taken;
}

/** Takes memory back that its writer does not use any more. */
export function giveMemoryBack(memory: WriterMemory): void {
  if (memory.size > idle.size && memory.size <= RETAINED_BYTES) idle = memory;
}
