/**
 * A map that forgets its oldest entries. What is derived from signatures and names is kept in one of these, because a peer
 * chooses those that it sends, and must not be able to fill the memory with them.
 */

export class BoundedCache<V> {
  readonly #entries = new Map<string, V>();
  readonly #capacity: number;

  constructor(capacity = 1024) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  /** Adds an entry and returns its value; the oldest entry goes where there are too many. */
  add(key: string, value: V): V {
    if (this.#entries.size >= this.#capacity) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    this.#entries.set(key, value);
    return value;
  }
}
