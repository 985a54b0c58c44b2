/**
 * Bytes of D-Bus messages, written by the test and not by the library: valid ones in either byte order, and invalid ones
 * exactly where a test wants them invalid. Nothing here checks anything.
 *
 * @see D-Bus specification, sections "Marshaling (Wire Format)" and "Message Format"
 */

/** The codes of header fields. */
export const Field = {
  Path: 1,
  Interface: 2,
  Member: 3,
  ErrorName: 4,
  ReplySerial: 5,
  Destination: 6,
  Sender: 7,
  Signature: 8,
  UnixFds: 9,
} as const;

/** The bytes of values, one after another, each aligned relative to the beginning. */
export class Bytes {
  readonly #big: boolean;
  #bytes = Buffer.alloc(256);
  #length = 0;

  constructor(big = false) {
    this.#big = big;
  }

  get length(): number {
    return this.#length;
  }

  /** A copy of the written bytes. */
  get buffer(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  /** Fills up to a multiple of `alignment`; with anything but 0 the padding is invalid. */
  align(alignment: number, filler = 0): this {
    while (this.#length % alignment !== 0) this.u8(filler);
    return this;
  }

  raw(bytes: Uint8Array | string): this {
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    this.#reserve(data.length);
    this.#bytes.set(data, this.#length);
    this.#length += data.length;
    return this;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u16(value: number): this {
    return this.#number(2, (at) =>
      this.#big ? this.#bytes.writeUInt16BE(value, at) : this.#bytes.writeUInt16LE(value, at),
    );
  }

  u32(value: number): this {
    return this.#number(4, (at) =>
      this.#big ? this.#bytes.writeUInt32BE(value, at) : this.#bytes.writeUInt32LE(value, at),
    );
  }

  u64(value: bigint): this {
    return this.#number(8, (at) =>
      this.#big ? this.#bytes.writeBigUInt64BE(value, at) : this.#bytes.writeBigUInt64LE(value, at),
    );
  }

  f64(value: number): this {
    return this.#number(8, (at) =>
      this.#big ? this.#bytes.writeDoubleBE(value, at) : this.#bytes.writeDoubleLE(value, at),
    );
  }

  /** A string or an object path. */
  text(value: string | Uint8Array): this {
    const data = typeof value === 'string' ? Buffer.from(value) : value;
    return this.u32(data.length).raw(data).u8(0);
  }

  signature(value: string): this {
    return this.u8(Buffer.byteLength(value)).raw(value).u8(0);
  }

  /** An array: its length, the padding before its first element, and the elements that `write` adds. */
  array(alignment: number, write: (bytes: this) => void): this {
    this.u32(0);
    const lengthAt = this.#length - 4;
    this.align(alignment);
    const start = this.#length;
    write(this);
    const length = this.#length - start;
    if (this.#big) this.#bytes.writeUInt32BE(length, lengthAt);
    else this.#bytes.writeUInt32LE(length, lengthAt);
    return this;
  }

  #number(size: number, write: (at: number) => void): this {
    this.align(size);
    this.#reserve(size);
    write(this.#length);
    this.#length += size;
    return this;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.alloc(2 * (this.#length + count));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** A message: the given header fields, and further settings of a test, valid or not. */
export interface WireMessage {
  readonly type: number;
  readonly flags?: number;
  readonly version?: number;
  readonly serial?: number;
  readonly big?: boolean;
  readonly path?: string | undefined;
  readonly interface?: string | undefined;
  readonly member?: string | undefined;
  readonly errorName?: string | undefined;
  readonly replySerial?: number | undefined;
  readonly destination?: string | undefined;
  readonly sender?: string | undefined;
  readonly signature?: string | undefined;
  readonly unixFds?: number | undefined;
  readonly body?: Uint8Array | undefined;
  /** Adds further fields; called before the other fields are written, each field aligned to 8. */
  readonly moreFields?: (bytes: Bytes) => void;
  /** The bytes between header and body. */
  readonly headerPadding?: number;
  /** The lengths in the header, if they should be wrong. */
  readonly claimedBodyLength?: number;
  readonly claimedFieldsLength?: number;
}

/** The bytes of a message. Without a serial it has the serial 1. */
export function wireMessage(message: WireMessage): Buffer {
  const { big = false, body = new Uint8Array() } = message;
  const fields = new Bytes(big);
  message.moreFields?.(fields);
  for (const [code, type, value] of [
    [Field.Path, 'o', message.path],
    [Field.Interface, 's', message.interface],
    [Field.Member, 's', message.member],
    [Field.ErrorName, 's', message.errorName],
    [Field.ReplySerial, 'u', message.replySerial],
    [Field.Destination, 's', message.destination],
    [Field.Sender, 's', message.sender],
    [Field.Signature, 'g', message.signature],
    [Field.UnixFds, 'u', message.unixFds],
  ] as const) {
    if (value !== undefined) writeField(fields, code, type, value);
  }
  return new Bytes(big)
    .raw(big ? 'B' : 'l')
    .u8(message.type)
    .u8(message.flags ?? 0)
    .u8(message.version ?? 1)
    .u32(message.claimedBodyLength ?? body.length)
    .u32(message.serial ?? 1)
    .u32(message.claimedFieldsLength ?? fields.length)
    .raw(fields.buffer)
    .align(8, message.headerPadding ?? 0)
    .raw(body).buffer;
}

/** One header field: its code and a variant, whatever the type says. */
export function writeField(bytes: Bytes, code: number, type: string, value: string | number): void {
  bytes.align(8).u8(code).signature(type);
  if (typeof value === 'number') bytes.u32(value);
  else if (type === 'g') bytes.signature(value);
  else bytes.text(value);
}

/** The bytes of values. */
export function bytesOf(write: (bytes: Bytes) => unknown, big = false): Buffer {
  const bytes = new Bytes(big);
  write(bytes);
  return bytes.buffer;
}
