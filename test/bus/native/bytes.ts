/** Messages written by hand, byte by byte: independent of the codec, so they can also be invalid. */

/** Bytes with the alignment of D-Bus, little-endian. */
export class Bytes {
  readonly #bytes: number[] = [];

  align(alignment: number): this {
    while (this.#bytes.length % alignment !== 0) this.#bytes.push(0);
    return this;
  }
  u8(...values: number[]): this {
    this.#bytes.push(...values);
    return this;
  }
  u16(value: number): this {
    return this.align(2).u8(value & 255, (value >> 8) & 255);
  }
  u32(value: number): this {
    return this.align(4).u8(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
  }
  u64(value: bigint): this {
    this.align(8);
    for (let i = 0n; i < 8n; i++) this.u8(Number((value >> (i * 8n)) & 255n));
    return this;
  }
  string(text: string): this {
    const bytes = Buffer.from(text);
    return this.u32(bytes.length).u8(...bytes, 0);
  }
  signature(text: string): this {
    return this.u8(text.length, ...Buffer.from(text), 0);
  }
  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

export interface Fields {
  readonly type: number;
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly destination?: string;
  readonly signature?: string;
  readonly fds?: number;
  readonly body?: Uint8Array;
}

export function message(fields: Fields): Uint8Array {
  const body = fields.body ?? new Uint8Array();
  const header = new Bytes();
  const field = (code: number, type: string, text: string | undefined) => {
    if (text === undefined) return;
    header.align(8).u8(code).signature(type);
    if (type === 'g') header.signature(text);
    else header.string(text);
  };
  field(1, 'o', fields.path);
  field(2, 's', fields.interface);
  field(3, 's', fields.member);
  field(6, 's', fields.destination);
  field(8, 'g', fields.signature);
  if (fields.fds !== undefined) header.align(8).u8(9).signature('u').u32(fields.fds);
  const { length } = header.bytes;
  header.align(8);
  const fixed = new Bytes().u8(0x6c, fields.type, 0, 1).u32(body.length).u32(fields.serial).u32(length);
  return Buffer.concat([fixed.bytes, header.bytes, body]);
}

export const HELLO = message({
  type: 1,
  serial: 1,
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
  destination: 'org.freedesktop.DBus',
});
