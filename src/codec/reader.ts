/**
 * Bytes of received bodies, read where they are. The memory is lent: whoever opens a body sees to it that it stays
 * as it is until the values are decoded, and values keep no part of it.
 *
 * Bodies were validated before they came here, so reading checks only what keeps it within the body: nonsense becomes
 * an error or wrong values, never somebody else's bytes or an endless loop.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */
import { ProtocolError } from '../base/errors.js';
import type { FileDescriptor } from '../values/file-descriptor.js';
import { DEPTH_MAXIMUM } from './limits.js';
import { readKey, readSignature, readText } from './read-text.js';
import { type RawBuffer, rawBuffer } from './strings.js';

/**
 * Strings of an array that are parts of one longer string keep all of it in memory, so it has at most so many bytes:
 * making it takes 100 ns then, a few for each part.
 */
const STRETCH_MAXIMUM = 1024;
/** Below this there would be one or two parts, which are faster made by themselves. */
const STRETCH_MINIMUM = 64;

const noDescriptors: readonly FileDescriptor[] = [];

export class Reader {
  /** Where the next byte comes from. */
  position = 0;
  /** The body's first byte, on an 8-byte boundary, and the byte after its last. */
  start = 0;
  end = 0;
  /** The descriptors that came with the message. */
  fds: readonly FileDescriptor[] = noDescriptors;
  /** Those of the descriptors that a value refers to, as far as values were read. */
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
    // Of a few bytes each by itself: calling for them takes longer.
    if (length > 64) this.#u8.copy(target, at, offset, offset + length);
    else for (let index = 0; index < length; index++) target[at + index] = this.#u8[offset + index] as number;
  }

  /** Goes to a body. `offset` is a multiple of 8. */
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

  /** Goes past `size` bytes that begin at a multiple of it, and returns where they are. */
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

  /** The word that begins so many bytes before the position: 4 or 8, behind what is aligned so. */
  wordBefore(bytes: number): number {
    return this.#u32[(this.position - bytes) >>> 2] as number;
  }

  string(): string {
    const length = this.#takeText();
    return readText(this.#u8, this.#i32, this.position - length - 1, length);
  }

  /** A string that is likely to come again. */
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

  /** Goes past a signature of one letter and returns the letter's code; stays before any other, and returns 0. */
  letter(): number {
    const at = this.position;
    if (this.#u8[at] !== 1 || at + 3 > this.end) return 0;
    const letter = this.#u8[at + 1] as number;
    // A NUL is no letter: it counts as any other signature, and is refused as such.
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

  /** The length of the array that comes next. */
  arrayLength(): number {
    const { position } = this;
    const length = this.uint32();
    this.position = position;
    return length;
  }

  /** Reads the length of an array, goes to its first element, and returns where the array ends. */
  beginArray(alignment: number): number {
    const length = this.uint32();
    this.align(alignment);
    const end = this.position + length;
    if (end > this.end) throw truncated();
    return end;
  }

  /**
   * The strings up to `end`. A stretch of ASCII becomes one string, by one call into the runtime, and its strings parts
   * of that: an array of them takes 40 to 55 % of the time that a call for each would.
   */
  strings(end: number): string[] {
    const values: string[] = [];
    let ascii = true;
    while (this.position < end) {
      const from = this.position;
      const to = Math.min(from + STRETCH_MAXIMUM, end);
      if (ascii && to - from >= STRETCH_MINIMUM) ascii = this.#parts(from, to, values);
      // Text that is not ASCII seldom comes alone, and a stretch tried in vain costs as much as its strings.
      if (!ascii || this.position === from) values.push(this.string());
    }
    return values;
  }

  /**
   * Reads the strings that are in a stretch as a whole, if the stretch is ASCII.
   *
   * @returns whether it is
   */
  #parts(from: number, to: number, values: string[]): boolean {
    const stretch = this.#u8.utf8Slice(from, to);
    // Whatever is no ASCII has fewer characters than bytes.
    if (stretch.length !== to - from) return false;
    for (;;) {
      const start = ((this.position + 3) & -4) + 4;
      const behind = start + (this.#u32[(start - 4) >>> 2] as number);
      if (!(behind < to)) return true;
      values.push(stretch.slice(start - from, behind - from));
      this.position = behind + 1;
    }
  }

  /** A copy of the bytes up to `end`, which may share memory with other small buffers, as those of Node do. */
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

  /** Goes past a number of `size` bytes. */
  skip(size: 1 | 2 | 4 | 8): void {
    this.#take(size);
  }

  /** Goes past a string. */
  skipText(): void {
    this.#takeText();
  }

  /** Enters a variant; to be followed by {@link leaveVariant}. Bounds the recursion. */
  enterVariant(): void {
    if (++this.#depth > DEPTH_MAXIMUM) throw new ProtocolError(`more than ${DEPTH_MAXIMUM} variants are nested`);
  }

  leaveVariant(): void {
    this.#depth--;
  }

  /** Goes past a string, and returns its length: it ends with a NUL before the position. */
  #takeText(): number {
    const start = ((this.position + 3) & -4) + 4;
    const length = this.#u32[(start - 4) >>> 2] as number;
    this.position = start + length + 1;
    // What is read behind the memory is no number, and then this is false as well.
    if (!(this.position <= this.end)) throw truncated();
    return length;
  }
}

function truncated(): ProtocolError {
  return new ProtocolError('the body of the message ends within a value');
}
