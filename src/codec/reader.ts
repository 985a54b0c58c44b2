/**
 * Reads the bytes of received bodies in place. The memory is lent: the code that opens a body must keep the memory
 * unchanged until the values are decoded. Values do not refer to the memory.
 *
 * Bodies were validated before they come here, so the reader checks only that it stays within the body. Invalid data
 * causes an error or wrong values, but never exposes the bytes of another message and never causes an endless loop.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */
import { ProtocolError } from '../base/errors.js';
import type { FileDescriptor } from '../values/file-descriptor.js';
import { DEPTH_MAXIMUM } from './limits.js';
import { readKey, readSignature, readText } from './read-text.js';
import { type RawBuffer, rawBuffer } from './strings.js';

/**
 * The longest stretch that is read as one string. Strings that are parts of a longer string keep all of it in memory. A
 * stretch takes 100 ns, and a few for each part.
 */
const STRETCH_MAXIMUM = 1024;
/** A shorter stretch would have one or two parts, which are faster to make one by one. */
const STRETCH_MINIMUM = 64;

const noDescriptors: readonly FileDescriptor[] = [];

export class Reader {
  /** The position of the next byte. */
  position = 0;
  /** The first byte of the body, on an 8-byte boundary, and the byte after its last. */
  start = 0;
  end = 0;
  /** The descriptors of the message. */
  fds: readonly FileDescriptor[] = noDescriptors;
  /** The descriptors that the values read so far refer to. */
  readonly referred = new Set<FileDescriptor>();

  #depth = 0;
  readonly #memory: ArrayBuffer;
  readonly #u8: RawBuffer;
  readonly #i16: Int16Array;
  readonly #u16: Uint16Array;
  readonly #i32: Int32Array;
  readonly #u32: Uint32Array;
  readonly #f64: Float64Array;
  readonly #i64: BigInt64Array;
  readonly #u64: BigUint64Array;

  /** @param memory holds any number of bodies; see {@link open} */
  constructor(memory: ArrayBuffer) {
    const { byteLength } = memory;
    this.#memory = memory;
    this.#u8 = rawBuffer(memory);
    this.#i16 = new Int16Array(memory, 0, byteLength >>> 1);
    this.#u16 = new Uint16Array(memory, 0, byteLength >>> 1);
    this.#i32 = new Int32Array(memory, 0, byteLength >>> 2);
    this.#u32 = new Uint32Array(memory, 0, byteLength >>> 2);
    this.#f64 = new Float64Array(memory, 0, byteLength >>> 3);
    this.#i64 = new BigInt64Array(memory, 0, byteLength >>> 3);
    this.#u64 = new BigUint64Array(memory, 0, byteLength >>> 3);
  }

  /** Copies a body to other memory. */
  copyTo(target: Uint8Array, at: number, offset: number, length: number): void {
    // A loop is faster than the call for a few bytes.
    if (length > 64) this.#u8.copy(target, at, offset, offset + length);
    else for (let index = 0; index < length; index++) target[at + index] = this.#u8[offset + index] as number;
  }

  /** Opens a body. `offset` is a multiple of 8. */
  open(offset: number, length: number, fds: readonly FileDescriptor[] = noDescriptors): this {
    if (offset % 8 !== 0 || offset < 0 || length < 0 || offset + length > this.#u8.length) {
      throw new RangeError(`no body of ${length} bytes can be at ${offset} in ${this.#u8.length} bytes`);
    }
    this.start = offset;
    this.position = offset;
    this.end = offset + length;
    this.fds = fds;
    if (this.referred.size > 0) this.referred.clear();
    this.#depth = 0;
    return this;
  }

  align(alignment: number): void {
    this.position = (this.position + alignment - 1) & -alignment;
  }

  /** Moves past an aligned value of `size` bytes, and returns its position. */
  #take(size: 1 | 2 | 4 | 8): number {
    const at = (this.position + size - 1) & -size;
    this.position = at + size;
    if (this.position > this.end) throw truncated();
    return at;
  }

  byte(): number {
    return this.#u8[this.#take(1)] as number;
  }
  int16(): number {
    return this.#i16[this.#take(2) >>> 1] as number;
  }
  uint16(): number {
    return this.#u16[this.#take(2) >>> 1] as number;
  }
  int32(): number {
    return this.#i32[this.#take(4) >>> 2] as number;
  }
  uint32(): number {
    return this.#u32[this.#take(4) >>> 2] as number;
  }
  int64(): bigint {
    return this.#i64[this.#take(8) >>> 3] as bigint;
  }
  uint64(): bigint {
    return this.#u64[this.#take(8) >>> 3] as bigint;
  }
  double(): number {
    return this.#f64[this.#take(8) >>> 3] as number;
  }
  boolean(): boolean {
    return this.uint32() !== 0;
  }

  /** The word that begins this many bytes before the position: 4 or 8, after a value that is aligned to as many. */
  wordBefore(bytes: number): number {
    return this.#u32[(this.position - bytes) >>> 2] as number;
  }

  string(): string {
    const length = this.#takeText();
    return readText(this.#u8, this.#i32, this.position - length - 1, length);
  }

  /** Reads a string that is likely to be repeated. */
  key(): string {
    const length = this.#takeText();
    return readKey(this.#u8, this.#i32, this.position - length - 1, length);
  }

  signature(): string {
    const start = this.position + 1;
    const length = this.#u8[start - 1] as number;
    this.position = start + length + 1;
    if (!(this.position <= this.end)) throw truncated();
    return readSignature(this.#u8, start, length);
  }

  /**
   * Moves past a signature of one letter, and returns the code of the letter. Before any other signature it does not
   * move, and returns 0.
   */
  letter(): number {
    const at = this.position;
    if (this.#u8[at] !== 1 || at + 3 > this.end) return 0;
    const letter = this.#u8[at + 1] as number;
    // A NUL is not a letter. It is left for the check of signatures, which refuses it.
    if (letter !== 0) this.position = at + 3;
    return letter;
  }

  fd(): FileDescriptor {
    const index = this.uint32();
    const descriptor = this.fds[index];
    if (descriptor === undefined) throw new ProtocolError(`the message has no file descriptor ${index}`);
    this.referred.add(descriptor);
    return descriptor;
  }

  /** Returns the length of the next array without moving. */
  arrayLength(): number {
    const { position } = this;
    const length = this.uint32();
    this.position = position;
    return length;
  }

  /** Reads the length of an array, moves to its first element, and returns where the array ends. */
  beginArray(alignment: number): number {
    const length = this.uint32();
    this.align(alignment);
    const end = this.position + length;
    if (end > this.end) throw truncated();
    return end;
  }

  /**
   * Reads the strings up to `end`. A stretch of ASCII becomes one string, by one call into the runtime, and its strings
   * are parts of that. This takes 40 to 55 % of the time of a call for each string.
   */
  strings(end: number): string[] {
    // A literal of its own, as in `decodeArray`.
    if (this.position >= end) return [];
    const values: string[] = [];
    let ascii = true;
    while (this.position < end) {
      const from = this.position;
      const to = Math.min(from + STRETCH_MAXIMUM, end);
      if (ascii && to - from >= STRETCH_MINIMUM) ascii = this.#readParts(from, to, values);
      // Other strings usually follow a string that is not ASCII, and a failed attempt at a stretch costs as much as its
      // strings.
      if (!ascii || this.position === from) values.push(this.string());
    }
    return values;
  }

  /**
   * Reads the strings that are entirely within a stretch, if the stretch is ASCII.
   *
   * @returns whether it is
   */
  #readParts(from: number, to: number, values: string[]): boolean {
    const stretch = this.#u8.utf8Slice(from, to);
    // UTF-8 that is not ASCII has fewer characters than bytes.
    if (stretch.length !== to - from) return false;
    for (;;) {
      const start = ((this.position + 3) & -4) + 4;
      const behind = start + (this.#u32[(start - 4) >>> 2] as number);
      if (!(behind < to)) return true;
      values.push(stretch.slice(start - from, behind - from));
      this.position = behind + 1;
    }
  }

  /** A copy of the bytes up to `end`. It may share memory with other small buffers, as buffers of Node.js do. */
  bytes(end: number): Buffer {
    const { position } = this;
    this.position = end;
    const copy = Buffer.allocUnsafe(end - position);
    this.#u8.copy(copy, 0, position, end);
    return copy;
  }

  /** A copy of the values of `size` bytes up to `end`, in memory of its own. */
  memory(end: number, size: number): ArrayBuffer {
    const { position } = this;
    if ((end - position) % size !== 0) throw truncated();
    this.position = end;
    return this.#memory.slice(position, end);
  }

  /** Moves past a number of `size` bytes. */
  skip(size: 1 | 2 | 4 | 8): void {
    this.#take(size);
  }

  /** Moves past a string. */
  skipText(): void {
    this.#takeText();
  }

  /** Enters a variant; {@link leaveVariant} must follow. Limits the recursion. */
  enterVariant(): void {
    if (++this.#depth > DEPTH_MAXIMUM) throw new ProtocolError(`more than ${DEPTH_MAXIMUM} variants are nested`);
  }

  leaveVariant(): void {
    this.#depth--;
  }

  /** Moves past a string, and returns its length. The string ends with a NUL before the position. */
  #takeText(): number {
    const start = ((this.position + 3) & -4) + 4;
    const length = this.#u32[(start - 4) >>> 2] as number;
    this.position = start + length + 1;
    // A read beyond the memory yields `undefined`, which makes this comparison false as well.
    if (!(this.position <= this.end)) throw truncated();
    return length;
  }
}

function truncated(): ProtocolError {
  return new ProtocolError('the body of the message ends within a value');
}
