/**
 * What the soak owes: every call has to settle in the way that was meant, every signal that was accepted has to arrive,
 * once and in order. Only counts are kept, so that keeping books leaves nothing on the heap.
 */

export class Ledger {
  calls = 0;
  settled = 0;
  emits = 0;
  arrived = 0;
  /** Refused at once, which tells whoever emits; nothing is lost then. */
  refused = 0;
  /** Of the load: a round of every kind each. */
  cycles = 0;
  /** What came by the diagnostics channel `busbar:problem`. */
  problems = 0;
  /** The first few things that went otherwise than they should; more of them are only counted. */
  readonly surprises: string[] = [];
  surpriseCount = 0;
  #closed = false;

  /** Books a call that is to succeed, and resolves with what it brings. */
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

  /** Books a call that is to fail with an error of this name. */
  async fails(call: PromiseLike<unknown>, name: string): Promise<void> {
    this.calls++;
    try {
      await call;
      this.#settle(`a call succeeded that should fail with ${name}`);
    } catch (error) {
      this.#settle((error as Error).name === name ? undefined : `expected ${name}, got ${String(error)}`);
    }
  }

  /** Books something that has to hold. */
  holds(condition: boolean, what: string): void {
    if (!condition) this.surprise(what);
  }

  surprise(what: string): void {
    if (this.#closed) return;
    this.surpriseCount++;
    if (this.surprises.length < 20) this.surprises.push(what);
  }

  /** Ends the books: what happens only because the connections are closed is no merit and no surprise. */
  close(): void {
    this.#closed = true;
  }

  #settle(surprise?: string): void {
    if (this.#closed) return;
    this.settled++;
    if (surprise !== undefined) this.surprise(surprise);
  }
}
