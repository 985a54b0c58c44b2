/**
 * What keeps a `Map` of numbers from degenerating. V8 hashes numbers by functions that everybody knows and nothing seeds
 * (strings and objects are seeded), so a peer can choose keys that all share one chain of the hash table, and then each
 * insertion walks past all keys before it: 32 000 keys in 256 KiB take seconds. No table of our own would help, because
 * receivers get a `Map`. So the chains are counted as V8 makes them, and where one becomes longer than chance makes it,
 * the dictionary is refused.
 *
 * The functions are those of V8 11 to 14 (Node.js 20 to 26, Deno); a test finds out if a later one has others.
 */
import { LimitsExceededError } from '../base/errors.js';

/**
 * Keys that may share a chain. There are at most 8 in the average chain, and of honest keys (counters, multiples of
 * powers of two and ten, addresses, times) never more than 30 in any.
 */
const CHAIN_MAXIMUM = 64;

/** Bytes of an entry: entries begin at multiples of 8. */
const ENTRY_BYTES_MINIMUM = 8;
const AVERAGE_CHAIN = 8;

const scratch = new Float64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);

/** Counts the keys of one dictionary by their hash. */
export class KeyChains {
  readonly #lengths: Uint8Array;
  readonly #mask: number;

  /** @param bytes how many bytes the dictionary has */
  constructor(bytes: number) {
    const chains = 2 ** Math.ceil(Math.log2(bytes / ENTRY_BYTES_MINIMUM / AVERAGE_CHAIN));
    this.#lengths = new Uint8Array(chains);
    this.#mask = chains - 1;
  }

  /**
   * Counts a key that was added.
   *
   * @throws {@link LimitsExceededError} if too many share its chain
   */
  add(hash: number): void {
    const chain = hash & this.#mask;
    const length = (this.#lengths[chain] as number) + 1;
    if (length > CHAIN_MAXIMUM) {
      throw new LimitsExceededError(
        `a dictionary has more than ${CHAIN_MAXIMUM} number keys that share one chain of a hash table: ` +
          'keys like these are made to stop the event loop, and the message that has them is not decoded',
      );
    }
    this.#lengths[chain] = length;
  }
}

/** The low bits of the hash of a number. */
export function hashOfNumber(value: number): number {
  if ((value | 0) === value) return hashOfInteger(value);
  scratch[0] = value;
  return hashOfWords(scratchWords[0] as number, scratchWords[1] as number);
}

/** The low bits of the hash of a bigint of 64 bits that is not negative, by its words. */
export function hashOfWords(low: number, high: number): number {
  // Products of the low word have at most 50 bits, so that a double holds them.
  let product = low * 0x3ffff - 1;
  let h = (Math.imul(high, 0x3ffff) + Math.floor(product / 2 ** 32)) | 0;
  let l = product >>> 0;
  l = (l ^ ((h << 1) | (l >>> 31))) >>> 0;
  h ^= h >>> 31;
  product = l * 21;
  h = (Math.imul(h, 21) + Math.floor(product / 2 ** 32)) | 0;
  l = product >>> 0;
  l = (l ^ ((h << 21) | (l >>> 11))) >>> 0;
  h ^= h >>> 11;
  product = l * 65;
  h = (Math.imul(h, 65) + Math.floor(product / 2 ** 32)) | 0;
  l = product >>> 0;
  return l ^ ((h << 10) | (l >>> 22));
}

function hashOfInteger(key: number): number {
  let hash = ~key + (key << 15);
  hash ^= hash >>> 12;
  hash += hash << 2;
  hash ^= hash >>> 4;
  hash = Math.imul(hash, 2057);
  return hash ^ (hash >>> 16);
}
