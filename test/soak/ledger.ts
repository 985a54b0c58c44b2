/**
 * The counts of the soak: every call has to settle as expected, every accepted signal has to arrive, once and in order.
 * Only counts are kept, so that the bookkeeping leaves nothing on the heap.
 */

export class Ledger {
  calls = 0;
  settled = 0;
  emits = 0;
  arrived = 0;
  /** Refused at once, with an error for the emitter; nothing is lost then. */
  refused = 0;
  /** Cycles of the load, each with a round of every kind. */
  cycles = 0;
  /** Problems on the diagnostics channel `busbar:problem`. */
  problems = 0;
  /** The first few unexpected results; more of them are only counted. */
  readonly surprises: string[] = [];
  surpriseCount = 0;
  #closed = false;

  /** Counts a call that is expected to succeed, and resolves with its result. */
  async succeeds<T>(call: PromiseLike<T>): Promise<T | undefined> {
    this.calls++;
    try {
      const value = await call;
      this.#settle();
      return value;
    } catch (error) {
      this.#settle(`a call failed: ${String(error)}`);
      return undefined;
    }
  }

  /** Counts a call that is expected to fail with an error of this name. */
  async fails(call: PromiseLike<unknown>, name: string): Promise<void> {
    this.calls++;
    try {
      await call;
      this.#settle(`a call succeeded that should fail with ${name}`);
    } catch (error) {
      this.#settle((error as Error).name === name ? undefined : `expected ${name}, got ${String(error)}`);
    }
  }

  /** Checks a condition. */
  holds(condition: boolean, what: string): void {
    if (!condition) this.surprise(what);
  }

  surprise(what: string): void {
    if (this.#closed) return;
    this.surpriseCount++;
    if (this.surprises.length < 20) this.surprises.push(what);
  }

  /** Ends the counting: results that come only because the connections are closed are neither successes nor failures. */
  close(): void {
    this.#closed = true;
  }

  #settle(surprise?: string): void {
    if (this.#closed) return;
    this.settled++;
    if (surprise !== undefined) this.surprise(surprise);
  }
}
