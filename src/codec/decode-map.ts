/**
 * Reads dictionaries that become a `Map`: those whose keys are not strings, because a property name would lose the type
 * of the key, and all dictionaries if the receiver asks for it. If a key occurs several times, the last entry counts.
 */
import type { BasicCode } from '../signature/parse.js';
import { hashOfNumber, hashOfWords, KeyChains } from './key-chains.js';
import type { Reader } from './reader.js';
import type { ValueDecoder } from './value-codec.js';

/** A dictionary of at most this many bytes has too few entries to degenerate. */
const SMALL_BYTES = 1024;

/** The hash of the key that was read last. Keys of other types have few values, or seeded hashes. */
const hashes: { readonly [Code in BasicCode]?: (reader: Reader, key: unknown) => number } = {
  n: hashOfKey,
  q: hashOfKey,
  i: hashOfKey,
  u: hashOfKey,
  d: hashOfKey,
  x(reader) {
    const low = reader.wordBefore(8);
    const high = reader.wordBefore(4);
    // V8 hashes bigints without their sign.
    return high >> 31 === 0 ? hashOfWords(low, high) : hashOfWords(-low >>> 0, ~high + Number(low === 0));
  },
  t: (reader) => hashOfWords(reader.wordBefore(8), reader.wordBefore(4)),
};

function hashOfKey(_reader: Reader, key: unknown): number {
  return hashOfNumber(key as number);
}

/** @throws (the decoder) {@link LimitsExceededError} for keys that were made to collide */
export function decodeMap(code: BasicCode, readKey: ValueDecoder, readValue: ValueDecoder): ValueDecoder {
  const hashOf = hashes[code];
  return (reader) => {
    const end = reader.beginArray(8);
    const bytes = end - reader.position;
    if (hashOf !== undefined && bytes > SMALL_BYTES) {
      return readCounted(reader, end, readKey, readValue, hashOf, new KeyChains(bytes));
    }
    const map = new Map<unknown, unknown>();
    while (reader.position < end) {
      reader.align(8);
      map.set(readKey(reader), readValue(reader));
    }
    return map;
  };
}

function readCounted(
  reader: Reader,
  end: number,
  readKey: ValueDecoder,
  readValue: ValueDecoder,
  hashOf: (reader: Reader, key: unknown) => number,
  chains: KeyChains,
): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  while (reader.position < end) {
    reader.align(8);
    const key = readKey(reader);
    const hash = hashOf(reader, key);
    const value = readValue(reader);
    const { size } = map;
    map.set(key, value);
    // A repeated key does not make a chain longer.
    if (map.size > size) chains.add(hash);
  }
  return map;
}
