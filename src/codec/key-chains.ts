/**
 * Keeps a `Map` of numbers from degenerating. V8 hashes numbers with known functions that have no seed (strings and
 * objects have one), so a peer can choose keys that all share one chain of the hash table. Then each insertion walks
 * past all earlier keys: 32 000 keys in 256 KiB take seconds. A hash table of busbar's own would not help, because
 * receivers get a `Map`. So this module counts the chains as V8 builds them. It refuses a dictionary with a chain that
 * is longer than chance makes it.
 *
 * The functions are those of V8 11 to 14 (Node.js 20 to 26, Deno). A test fails if a later version has other ones.
 */
import { LimitsExceededError } from '../base/errors.js';

/**
 * The number of keys that may share a chain. The average chain has at most 8. No chain of ordinary keys (counters,
 * multiples of powers of two and ten, addresses, times) has more than 30.
 */
const CHAIN_MAXIMUM = 64;

/** The bytes of an entry: entries begin at multiples of 8. */
const ENTRY_BYTES_MINIMUM = 8;
const AVERAGE_CHAIN = 8;

const scratch = new Float64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);

/** Counts the keys of one dictionary by their hash. */
export class KeyChains {
  readonly #lengths: Uint8Array;
  readonly #mask: number;

  /** @param bytes the size of the dictionary */
  constructor(bytes: number) {
    const chains = 2 ** Math.ceil(Math.log2(bytes / ENTRY_BYTES_MINIMUM / AVERAGE_CHAIN));
    this.#lengths = new Uint8Array(chains);
    this.#mask = chains - 1;
  }

  /**
   * Counts a key that was added.
   *
   * @throws {@link LimitsExceededError} if too many keys share its chain
   */
  add(hash: number): void {
    const chain = hash & this.#mask;
    const length = (this.#lengths[chain] as number) + 1;
    if (length > CHAIN_MAXIMUM) {
      throw new LimitsExceededError(
        `a dictionary has more than ${CHAIN_MAXIMUM} number keys that share one chain of a hash table: ` +
          'such keys can block the event loop, so the message is not decoded',
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

/** The low bits of the hash of a 64-bit bigint that is not negative, from its two words. */
export function hashOfWords(low: number, high: number): number {
  // Products of the low word have at most 50 bits, so a double is exact.
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
