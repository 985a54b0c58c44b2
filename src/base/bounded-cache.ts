/**
 * A map that forgets what was not used lately. What is derived from signatures and names is kept in one of these, because a
 * peer chooses those that it sends, and must not be able to fill the memory with them, nor to have everything made anew
 * by sending more than there is room for:
 *
 * - Entries live in two generations. When the young one is full it becomes the old one, whose entries are forgotten unless
 *   they are used again before the young one is full once more. So at least `capacity` entries that were used last are
 *   kept, at most twice as many; a hit costs one look-up, and forgetting costs nothing by itself.
 * - What is costly to make is made for a key only when the key was missed several times ({@link isFamiliar}).
 */

/** So often a key is met before something is made of it that costs as much as doing without so often. */
const FAMILIAR_AFTER = 8;
/** Keys that were missed are counted in sets of places; a hash chooses the set. */
const SETS = 256;
const SET_BITS = 8;
const PLACES = 4;

export class BoundedCache<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  readonly #capacity: number;
  #misses: Misses | undefined;

  /** @param capacity how many of the entries used last are kept at least */
  constructor(capacity = 1024) {
    this.#capacity = capacity;
  }

  /** How many entries are kept; one of both generations counts twice. */
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
   * Counts a key that was missed, and tells whether it was often enough to make what is kept for it. After that it is
   * counted anew: however many keys are in use, making costs no more than having done without before.
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

/** How often keys were missed. Which, is told by a hash, so that no key is kept for that. */
class Misses {
  readonly #counts = new Uint8Array(SETS * PLACES);
  readonly #hashes = new Int32Array(SETS * PLACES);
  #hand = 0;

  /** Counts a key, and tells whether that was often enough; then it is counted anew. */
  count(key: string): boolean {
    const hash = hashOf(key);
    const at = this.#placeOf(hash);
    const count = (this.#counts[at] as number) + 1;
    this.#counts[at] = count === FAMILIAR_AFTER ? 0 : count;
    return count === FAMILIAR_AFTER;
  }

  /** The place of a hash in its set; where there is none, one of those that were counted least, each in turn. */
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
