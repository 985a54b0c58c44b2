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
const MISS_SLOTS = 1024;

export class BoundedCache<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  readonly #capacity: number;
  /** How often keys were missed, by a hash of theirs. Those that share a slot are counted together. */
  readonly #misses = new Uint8Array(MISS_SLOTS);

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
    const slot = slotOf(key);
    const misses = (this.#misses[slot] as number) + 1;
    this.#misses[slot] = misses === FAMILIAR_AFTER ? 0 : misses;
    return misses === FAMILIAR_AFTER;
  }

  #renew(key: string): V | undefined {
    const value = this.#old.get(key);
    return value === undefined ? undefined : this.add(key, value);
  }
}

function slotOf(key: string): number {
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x9e3779b1);
  return hash >>> 22;
}
