/**
 * Bytes of received bodies, read where they are. The memory is lent: whoever opens a body sees to it that it stays
 * as it is until the values are decoded, and values keep no part of it.
 *
 * Bodies were validated before they came here, so reading checks only what keeps it within the body: nonsense becomes
 * an error or wrong values, never somebody else's bytes or an endless loop.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */
import { ProtocolError } from '../errors.js';
import type { FileDescriptor } from '../file-descriptor.js';
import { DEPTH_MAXIMUM } from './limits.js';
import { type RawBuffer, rawBuffer, readKey, readText } from './strings.js';

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

  string(): string {
    const start = this.#takeText(this.uint32());
    return readText(this.#u8, start, this.position - 1);
  }

  /** A string that is likely to come again. */
  key(): string {
    const start = this.#takeText(this.uint32());
    return readKey(this.#u8, start, this.position - 1);
  }

  signature(): string {
    const start = this.#takeText(this.byte());
    return readKey(this.#u8, start, this.position - 1);
  }

  fd(): FileDescriptor {
    const index = this.uint32();
    const descriptor = this.fds[index];
    if (descriptor === undefined) throw new ProtocolError(`the message has no file descriptor ${index}`);
    this.referred.add(descriptor);
    return descriptor;
  }

  /** Reads the length of an array, goes to its first element, and returns where the array ends. */
  beginArray(alignment: number): number {
    const length = this.uint32();
    this.align(alignment);
    const end = this.position + length;
    if (end > this.end) throw truncated();
    return end;
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

  /** Enters a variant; to be followed by {@link leaveVariant}. Bounds the recursion. */
  enterVariant(): void {
    if (++this.#depth > DEPTH_MAXIMUM) throw new ProtocolError(`more than ${DEPTH_MAXIMUM} variants are nested`);
  }

  leaveVariant(): void {
    this.#depth--;
  }

  /** Goes past a text of so many bytes and its NUL, and returns where it begins. */
  #takeText(length: number): number {
    const start = this.position;
    this.position = start + length + 1;
    if (this.position > this.end) throw truncated();
    return start;
  }
}

function truncated(): ProtocolError {
  return new ProtocolError('the body of the message ends within a value');
}
