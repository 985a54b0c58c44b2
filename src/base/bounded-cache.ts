/**
 * A map of bounded size that forgets the entries that were not used lately. It holds what is derived from signatures
 * and names.
 *
 * A peer chooses the signatures and names that it sends. It must not be able to fill the memory with them, and it must
 * not be able to force everything to be derived anew by sending more of them than the map holds:
 *
 * - Entries live in two generations. When the young generation is full, it becomes the old one. The entries of the old
 *   one are forgotten unless they are used again before the young one is full once more. So the map keeps at least the
 *   `capacity` entries that were used last, and at most twice as many. A hit costs one look-up, and forgetting costs
 *   nothing by itself.
 * - A costly value is derived for a key only after several misses of the key ({@link isFamiliar}).
 */

/**
 * The number of misses after which a key is familiar. Deriving a value costs about as much as that many uses without
 * it.
 */
const FAMILIAR_AFTER = 8;
/** Misses are counted in sets of places; the hash of a key chooses the set. */
const SETS = 256;
const SET_BITS = 8;
const PLACES = 4;

export class BoundedCache<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  readonly #capacity: number;
  #misses: Misses | undefined;

  /** @param capacity the least number of recently used entries that are kept */
  constructor(capacity = 1024) {
    this.#capacity = capacity;
  }

  /** The number of entries kept. An entry that is in both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    const value = this.#young.get(key);
    return value === undefined && this.#old.size > 0 ? this.#renew(key) : value;
  }

  /** Adds an entry and returns its value. */
  add(key: string, value: V): V {
    if (this.#young.size >= this.#capacity) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
    return value;
  }

  /**
   * Counts a miss of a key, and returns whether the key has been missed often enough to derive its value. Then the
   * count starts again, so deriving costs no more than the misses before it did, however many keys are in use.
   */
  isFamiliar(key: string): boolean {
    this.#misses ??= new Misses();
    return this.#misses.count(key);
  }

  #renew(key: string): V | undefined {
    const value = this.#old.get(key);
    return value === undefined ? undefined : this.add(key, value);
  }
}

/** Counts the misses of keys. A hash stands for the key, so no key is kept. */
class Misses {
  readonly #counts = new Uint8Array(SETS * PLACES);
  readonly #hashes = new Int32Array(SETS * PLACES);
  #hand = 0;

  /**
   * Counts a miss of a key, and returns whether it has been missed often enough. Then the count of the key starts
   * again.
   */
  count(key: string): boolean {
    const hash = hashOf(key);
    const at = this.#placeOf(hash);
    const count = (this.#counts[at] as number) + 1;
    this.#counts[at] = count === FAMILIAR_AFTER ? 0 : count;
    return count === FAMILIAR_AFTER;
  }

  /**
   * Returns the place of a hash in its set. A hash without a place takes one of those with the lowest counts, in turn.
   */
  #placeOf(hash: number): number {
    const first = PLACES * (hash >>> (32 - SET_BITS));
    for (let at = first; at < first + PLACES; at++) if (this.#hashes[at] === hash) return at;
    this.#hand++;
    let least = first + (this.#hand & (PLACES - 1));
    for (let at = first; at < first + PLACES; at++) {
      if ((this.#counts[at] as number) < (this.#counts[least] as number)) least = at;
    }
    this.#hashes[least] = hash;
    this.#counts[least] = 0;
    return least;
  }
}

function hashOf(key: string): number {
  let hash = key.length;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
