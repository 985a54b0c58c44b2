/**
 * Reads values of a signature that is new or rare, by walking through the text of the signature. A compiled decoder
 * reads faster, but compiling takes ten times as long as one value, and peers choose signatures.
 */
import { endOfType } from '../signature/grammar.js';
import { alignments } from '../signature/parse.js';
import { defineProto } from './decode-container.js';
import type { Reader } from './reader.js';
import type { ValueDecoder } from './value-codec.js';

/** The decoders that are the same for compiled signatures. */
interface Compiled {
  /** Whether dictionaries with string keys become a `Map` as well. */
  readonly maps: boolean;
  readonly variant: ValueDecoder;
  /** The decoder of the array whose element type begins at `at`. */
  array(signature: string, at: number): ValueDecoder;
}

/** An array whose size is at least this many times the length of its signature is worth compiling. */
const WORTH_COMPILING = 32;

export class OnceDecoder {
  readonly #compiled: Compiled;
  /** The end of the type that was read last, in its signature. */
  #behind = 0;

  constructor(compiled: Compiled) {
    this.#compiled = compiled;
  }

  /** Reads a value of the type that begins at `at` in a valid signature. */
  read(reader: Reader, signature: string, at: number): unknown {
    this.#behind = at + 1;
    switch (signature.charCodeAt(at)) {
      case 0x79: // y
        return reader.byte();
      case 0x62: // b
        return reader.boolean();
      case 0x6e: // n
        return reader.int16();
      case 0x71: // q
        return reader.uint16();
      case 0x69: // i
        return reader.int32();
      case 0x75: // u
        return reader.uint32();
      case 0x78: // x
        return reader.int64();
      case 0x74: // t
        return reader.uint64();
      case 0x64: // d
        return reader.double();
      case 0x73: // s
      case 0x6f: // o
        return reader.string();
      case 0x67: // g
        return reader.signature();
      case 0x68: // h
        return reader.fd();
      case 0x28: // (
        return this.#readStruct(reader, signature, at + 1);
      case 0x61: // a
        return this.#readArray(reader, signature, at + 1);
      default: {
        const value = this.#compiled.variant(reader);
        this.#behind = at + 1;
        return value;
      }
    }
  }

  #readStruct(reader: Reader, signature: string, first: number): unknown[] {
    reader.align(8);
    const values: unknown[] = [];
    let at = first;
    for (; signature.charCodeAt(at) !== 0x29; at = this.#behind) values.push(this.read(reader, signature, at));
    this.#behind = at + 1;
    return values;
  }

  /** @param at where the type of the elements begins */
  #readArray(reader: Reader, signature: string, at: number): unknown {
    const behind = endOfType(signature, at);
    const value = this.#readElements(reader, signature, at);
    this.#behind = behind;
    return value;
  }

  #readElements(reader: Reader, signature: string, at: number): unknown {
    const code = signature[at] as keyof typeof alignments;
    const isText = code === '{' && 'sog'.includes(signature[at + 1] as string);
    const isSmall = reader.arrayLength() <= WORTH_COMPILING * signature.length;
    if (!isSmall || (code !== '(' && code !== 'a' && code !== 'v' && !isText)) {
      return this.#compiled.array(signature, at)(reader);
    }
    const end = reader.beginArray(alignments[code]);
    if (!isText) return this.#readAll(reader, signature, at, end);
    return this.#compiled.maps
      ? this.#readMap(reader, signature, at + 1, end)
      : this.#readObject(reader, signature, at + 1, end);
  }

  #readAll(reader: Reader, signature: string, at: number, end: number): unknown[] {
    // A literal of its own, as in `decodeArray`.
    if (reader.position >= end) return [];
    const values: unknown[] = [];
    while (reader.position < end) values.push(this.read(reader, signature, at));
    return values;
  }

  #readObject(reader: Reader, signature: string, at: number, end: number): object {
    const object: Record<string, unknown> = {};
    while (reader.position < end) {
      const key = readKey(reader, signature, at);
      const value = this.read(reader, signature, at + 1);
      if (key === '__proto__') defineProto(object, value);
      else object[key] = value;
    }
    return object;
  }

  #readMap(reader: Reader, signature: string, at: number, end: number): Map<string, unknown> {
    const map = new Map<string, unknown>();
    while (reader.position < end) {
      const key = readKey(reader, signature, at);
      map.set(key, this.read(reader, signature, at + 1));
    }
    return map;
  }
}

/** Reads the key of an entry, which is a string. */
function readKey(reader: Reader, signature: string, at: number): string {
  reader.align(8);
  return signature[at] === 'g' ? reader.signature() : reader.key();
}
