/**
 * A bounded set of names that are called. To make room, it examines the names one after the other, and gives
 * each a second chance: a name that was called since it was last examined stays. So neither a call nor making room costs
 * more with more names.
 */

/** A called name, as far as the pool needs it. */
export interface PooledCallee {
  readonly name: string;
  /** Whether it was called since it was last examined. */
  wasCalled: boolean;
  /** The number of calls that wait for its answer. */
  readonly waiting: number;
}

export class CalleePool<Callee extends PooledCallee> {
  /** The number of names with waiting calls, which the names count. */
  busy = 0;
  /** By name, in the order in which they will be examined. */
  readonly #callees = new Map<string, Callee>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#callees.size;
  }

  get all(): Iterable<Callee> {
    return this.#callees.values();
  }

  get isFull(): boolean {
    return this.#callees.size >= this.#capacity;
  }

  get(name: string): Callee | undefined {
    return this.#callees.get(name);
  }

  add(callee: Callee): void {
    this.#callees.set(callee.name, callee);
  }

  /** Removes a name that is in the pool. */
  remove(callee: Callee): void {
    this.#callees.delete(callee.name);
    if (callee.waiting > 0) this.busy--;
  }

  clear(): void {
    this.#callees.clear();
    this.busy = 0;
  }

  /** A name without a waiting call that was not called lately; `undefined` if calls wait for all of them. */
  leastUsed(): Callee | undefined {
    if (this.busy >= this.#callees.size) return undefined;
    for (const callee of this.#callees.values()) {
      if (callee.waiting === 0 && !callee.wasCalled) return callee;
      callee.wasCalled = false;
      // Behind the others, where this loop meets it again.
      this.#callees.delete(callee.name);
      this.#callees.set(callee.name, callee);
    }
    return undefined;
  }
}
