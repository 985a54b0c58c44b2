/**
 * Counts the calls whose handlers are running, for each caller. On a bus that is a unique name, which is never reused;
 * between peers there is one caller. A handler that is done when it returns is never counted, so most calls cost
 * nothing here.
 */

export class CallsInProgress {
  readonly #limit: number;
  readonly #byCaller = new Map<string | undefined, number>();
  /** The callers at their limit that were reported. */
  readonly #reported = new Set<string | undefined>();
  #total = 0;
  #isOver = false;

  /** @param limit how many calls one caller may have in progress */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The number of calls of all callers. */
  get total(): number {
    return this.#total;
  }

  /** Whether the caller is at its limit. */
  isFull(caller: string | undefined): boolean {
    return this.#total >= this.#limit && (this.#byCaller.get(caller) ?? 0) >= this.#limit;
  }

  /** Whether the limit is exceeded for the first time since the caller was below it. */
  isNews(caller: string | undefined): boolean {
    if (this.#reported.has(caller)) return false;
    this.#reported.add(caller);
    return true;
  }

  begin(caller: string | undefined): void {
    this.#total++;
    this.#byCaller.set(caller, (this.#byCaller.get(caller) ?? 0) + 1);
  }

  /** Must be called once for each `begin`. */
  end(caller: string | undefined): void {
    if (this.#isOver) return;
    this.#total--;
    const left = (this.#byCaller.get(caller) ?? 0) - 1;
    if (left > 0) this.#byCaller.set(caller, left);
    else this.#byCaller.delete(caller);
    if (left < this.#limit / 2) this.#reported.delete(caller);
  }

  /** Ends with the connection: running handlers no longer count. */
  close(): void {
    this.#isOver = true;
    this.#total = 0;
    this.#byCaller.clear();
    this.#reported.clear();
  }
}
