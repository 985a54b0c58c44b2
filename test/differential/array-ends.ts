/**
 * Finds a fault of GLib in the bytes of a valid message: GLib counts the padding before the first element of an array as
 * part of its length, and so may end the array before the last element.
 */
import { type DictEntryType, parseSignature, type Type } from '../../src/signature/parse.js';

/** The header of every message, as a signature. */
const HEADER = 'yyyyuua(yv)';
const SIGNATURE_FIELD = 8;

/** Whether the last element of an array in the message begins after the end of the array for GLib. */
export function endsWithinPadding(bytes: Buffer): boolean {
  const walk = new Walk(bytes);
  walk.over(HEADER);
  walk.align(8);
  walk.over(walk.bodySignature);
  return walk.found;
}

class Walk {
  /** Whether there was such an array. */
  found = false;
  bodySignature = '';
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  align(to: number): void {
    this.#at = Math.ceil(this.#at / to) * to;
  }

  over(signature: string): void {
    for (const type of parseSignature(signature)) this.#overValue(type);
  }

  #overValue(type: Type | DictEntryType): void {
    this.align(type.alignment);
    switch (type.code) {
      case 'y':
        this.#at += 1;
        break;
      case 'n':
      case 'q':
        this.#at += 2;
        break;
      case 'x':
      case 't':
      case 'd':
        this.#at += 8;
        break;
      case 's':
      case 'o':
        this.#skip(this.#uint32() + 1);
        break;
      case 'g':
        this.#signature();
        break;
      case 'v':
        this.over(this.#signature());
        break;
      case 'a':
        this.#overArray(type.element);
        break;
      case '{':
        this.#overValue(type.key);
        this.#overValue(type.value);
        break;
      case '(':
        this.#overStruct(type.fields);
        break;
      default:
        this.#at += 4;
    }
  }

  #overArray(element: Type | DictEntryType): void {
    const length = this.#uint32();
    const overForGLib = this.#at + length;
    this.align(element.alignment);
    const end = this.#at + length;
    while (this.#at < end) {
      this.found ||= this.#at >= overForGLib;
      this.#overValue(element);
    }
  }

  /** A header field is a structure of a code and a value; the one with the signature is remembered. */
  #overStruct(fields: readonly Type[]): void {
    const start = this.#at;
    for (const field of fields) this.#overValue(field);
    const inHeader = this.bodySignature === '' && fields.length === 2 && fields[1]?.code === 'v';
    if (!inHeader || this.#bytes[start] !== SIGNATURE_FIELD) return;
    // After the code come the variant's signature, "g", and its value.
    const length = this.#bytes[start + 4] as number;
    this.bodySignature = this.#bytes.toString('latin1', start + 5, start + 5 + length);
  }

  #skip(length: number): void {
    this.#at += length;
  }

  #uint32(): number {
    this.align(4);
    const value = this.#bytes[0] === 0x42 ? this.#bytes.readUInt32BE(this.#at) : this.#bytes.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  #signature(): string {
    const length = this.#bytes[this.#at] as number;
    const text = this.#bytes.toString('latin1', this.#at + 1, this.#at + 1 + length);
    this.#at += length + 2;
    return text;
  }
}
