/**
 * Writes the bytes of outgoing messages. One writer holds any number of messages, one after another. Each begins on an
 * 8-byte boundary, so alignment within a message is alignment in memory, and numbers are stored through typed arrays.
 *
 * The writer's memory grows as needed. Views of the memory are valid until the next write or reset. The writer owns no
 * file descriptors: it lists those that the messages carry.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */
import { InvalidArgumentError } from '../base/errors.js';
import type { FileDescriptor } from '../values/file-descriptor.js';
import { ARRAY_BYTES_MAXIMUM, DEPTH_MAXIMUM, MESSAGE_BYTES_MAXIMUM } from './limits.js';
import { LONG_TEXT, transcodeText } from './long-text.js';
import { Misfit } from './misfit.js';
import { type RawBuffer, refuseNul, writeAscii, writeText } from './strings.js';
import { giveMemoryBack, NO_MEMORY, takeMemory, type WriterMemory } from './writer-memory.js';

/** A descriptor that a message carries. */
export interface OutgoingFd {
  readonly fd: number;
  /** The value that the program gave. */
  readonly value: FileDescriptor | number;
  /** Set if its owner handed the descriptor over: it is closed after the message was sent. */
  readonly owned: FileDescriptor | undefined;
  /** The position of its index, if a value of the message refers to it. */
  at?: number;
}

const INITIAL_BYTES = 16 * 1024;

/** More than a string that is not long takes: it is not measured before it is written. */
const UNMEASURED = 3 * LONG_TEXT;

/** A copy of fewer bytes than this takes less time in a loop than through a view. */
const COPIED_BYTE_BY_BYTE = 128;

export class Writer {
  /** The position of the next byte. */
  position = 0;
  /** The descriptors of the messages written so far. */
  readonly fds: OutgoingFd[] = [];
  /**
   * The number of containers around the content of the variant that is being written, including the variant; for the
   * encoders.
   */
  depth = 0;
  /** The number of containers that may be nested. */
  readonly depthMaximum: number;

  #messageStart = 0;
  #messageFds = 0;

  #memory!: WriterMemory;
  /** The views of the memory. */
  #u8!: RawBuffer;
  #u16!: Uint16Array;
  #u32!: Uint32Array;
  #f64!: Float64Array;
  #u64!: BigUint64Array;

  constructor(depthMaximum = DEPTH_MAXIMUM) {
    this.depthMaximum = depthMaximum;
    this.#use(NO_MEMORY);
  }

  /** The memory: the messages are in `[0, position)`. Writing may replace it. */
  get bytes(): Uint8Array {
    return this.#u8;
  }

  /** Begins a message on the next 8-byte boundary, and returns its position. */
  beginMessage(): number {
    this.align(8);
    this.#messageStart = this.position;
    this.#messageFds = this.fds.length;
    return this.position;
  }

  /** Removes everything from `position` on, and all descriptors except the first `fds`. */
  rewind(position: number, fds: number): void {
    this.position = position;
    // Setting the length is a slow store, and most messages have no descriptors.
    if (this.fds.length > fds) this.fds.length = fds;
  }

  /** Empties the writer, and leaves its memory to other writers until the next write. */
  reset(): void {
    this.rewind(0, 0);
    this.#messageStart = 0;
    this.#messageFds = 0;
    giveMemoryBack(this.#memory);
    this.#use(NO_MEMORY);
  }

  /** Writes zeros up to a multiple of `alignment`: memory is reused, and padding must be zero. */
  align(alignment: number): void {
    this.#take(0, alignment);
  }

  byte(value: number): void {
    // The position has to be determined before the memory is read: making room may replace the memory.
    const at = this.#take(1, 1);
    this.#u8[at] = value;
  }

  /** Writes the low 16 bits, so it writes signed numbers as well. */
  uint16(value: number): void {
    const at = this.#take(2, 2);
    this.#u16[at >>> 1] = value;
  }

  /** Writes the low 32 bits, so it writes signed numbers as well. */
  uint32(value: number): void {
    const at = this.#take(4, 4);
    this.#u32[at >>> 2] = value;
  }

  /** Writes the low 64 bits, so it writes signed numbers as well. */
  uint64(value: bigint): void {
    const at = this.#take(8, 8);
    this.#u64[at >>> 3] = value;
  }

  double(value: number): void {
    const at = this.#take(8, 8);
    this.#f64[at >>> 3] = value;
  }

  /**
   * Writes a string or an object path: length, UTF-8, NUL.
   *
   * @throws {@link Misfit} for a NUL or a lone surrogate, which D-Bus strings cannot contain
   */
  string(value: string): void {
    const { length } = value;
    if (length >= LONG_TEXT) {
      this.#longString(value);
      return;
    }
    const lengthAt = this.#take(5 + length * 3, 4);
    const start = lengthAt + 4;
    let end = writeAscii(this.#u8, this.#u32, start, value);
    if (end < 0) end = writeText(this.#u8, start, value);
    this.#endString(lengthAt, end);
  }

  /** Writes a string or an object path of ASCII without NUL, as all names and object paths are: length, text, NUL. */
  ascii(value: string): void {
    const lengthAt = this.#take(5 + value.length, 4);
    const start = lengthAt + 4;
    if (writeAscii(this.#u8, this.#u32, start, value) < 0) this.#u8.latin1Write(value, start);
    this.#endString(lengthAt, start + value.length);
  }

  #longString(value: string): void {
    const lengthAt = this.#take(4, 4);
    const start = lengthAt + 4;
    const isWritten = transcodeText(value, (utf8) => {
      if (utf8.includes(0)) refuseNul(value);
      this.copy(utf8);
    });
    if (isWritten) {
      this.reserve(1);
      this.#endString(lengthAt, this.position);
      return;
    }
    this.position = start;
    // Room for three bytes for each character is far too much for most texts. So a text is measured, unless the room is
    // there.
    if (start + value.length * 3 >= this.#u8.length) this.reserve(Buffer.byteLength(value) + 1);
    this.#endString(lengthAt, writeText(this.#u8, start, value));
  }

  #endString(lengthAt: number, end: number): void {
    this.#u32[lengthAt >>> 2] = end - lengthAt - 4;
    this.#u8[end] = 0;
    this.position = end + 1;
  }

  /** Writes a signature, which must be valid: length in one byte, ASCII, NUL. */
  signature(value: string): void {
    const { length } = value;
    const at = this.#take(length + 2, 1);
    const bytes = this.#u8;
    bytes[at] = length;
    for (let index = 0; index < length; index++) bytes[at + 1 + index] = value.charCodeAt(index);
    bytes[at + 1 + length] = 0;
  }

  /** Writes bytes unchanged, for instance those of typed arrays. */
  copy(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.#u8.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** Writes a part of some memory unchanged. */
  copyPart(memory: Uint8Array, start: number, end: number): void {
    const size = end - start;
    if (size > COPIED_BYTE_BY_BYTE) {
      this.copy(memory.subarray(start, end));
      return;
    }
    const at = this.#take(size, 1);
    const bytes = this.#u8;
    for (let index = 0; index < size; index++) bytes[at + index] = memory[start + index] as number;
  }

  /** Makes room for `size` bytes at a position, and moves the bytes after it. The caller has to write the room. */
  insert(at: number, size: number): void {
    this.reserve(size);
    this.#u8.copyWithin(at + size, at, this.position);
    this.position += size;
  }

  /** Adds a descriptor to the message, and writes its index. */
  fd(outgoing: OutgoingFd): void {
    this.uint32(this.fds.length - this.#messageFds);
    outgoing.at = this.position - 4;
    this.fds.push(outgoing);
  }

  /** Adds a descriptor to the message, and writes its index over the one that was copied to a position. */
  copiedFd(at: number, outgoing: OutgoingFd): void {
    this.patchUint32(at, this.fds.length - this.#messageFds);
    this.fds.push(outgoing);
  }

  /**
   * Begins an array whose elements have an alignment. The elements follow.
   *
   * @returns the position of its length, for {@link endArray}
   */
  beginArray(alignment: number): number {
    const lengthAt = this.#take(4, 4);
    this.align(alignment);
    return lengthAt;
  }

  /**
   * Ends an array. The length does not include the padding before the first element, which is there even if the array
   * is empty.
   *
   * @throws {@link Misfit} for more data than an array may have
   */
  endArray(lengthAt: number, alignment: number): void {
    const start = (lengthAt + 4 + alignment - 1) & -alignment;
    const length = this.position - start;
    checkArrayLength(length);
    this.patchUint32(lengthAt, length);
  }

  /** Overwrites the number at a position that is a multiple of 4. */
  patchUint32(at: number, value: number): void {
    this.#u32[at >>> 2] = value;
  }

  /**
   * Makes room for more bytes.
   *
   * @throws {@link InvalidArgumentError} if the message would be larger than the specification allows
   */
  reserve(size: number): void {
    if (this.position + size > this.#u8.length) this.#grow(size);
  }

  /** Writes zeros up to a multiple of `alignment`, moves past `size` bytes, and returns their position. */
  #take(size: number, alignment: number): number {
    const { position } = this;
    const at = (position + alignment - 1) & -alignment;
    if (at + size > this.#u8.length) this.#grow(at + size - position);
    for (let padding = position; padding < at; padding++) this.#u8[padding] = 0;
    this.position = at + size;
    return at;
  }

  #grow(size: number): void {
    const needed = this.position + size;
    // A string may take less room than is reserved for it. The code that finishes the message checks its exact size.
    const limit = this.#messageStart + MESSAGE_BYTES_MAXIMUM + UNMEASURED;
    if (needed > limit) throw new InvalidArgumentError('the message is larger than the 128 MiB that D-Bus allows');
    let capacity = Math.max(INITIAL_BYTES, this.#u8.length * 2);
    while (capacity < needed) capacity *= 2;
    capacity = Math.min(capacity, limit);
    const used = this.#u8.subarray(0, this.position);
    this.#use(takeMemory(capacity));
    this.#u8.set(used);
  }

  #use(memory: WriterMemory): void {
    this.#memory = memory;
    this.#u8 = memory.u8;
    this.#u16 = memory.u16;
    this.#u32 = memory.u32;
    this.#f64 = memory.f64;
    this.#u64 = memory.u64;
  }
}

/** @throws {@link Misfit} for more data than an array may have */
export function checkArrayLength(bytes: number): void {
  if (bytes > ARRAY_BYTES_MAXIMUM) throw new Misfit(`an array may have at most 64 MiB of data, not ${bytes} bytes`);
}
