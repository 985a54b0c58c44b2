/**
 * The calls whose handlers are at work, counted for each caller: on a bus by unique name, which nobody has again, between peers
 * there is one. A handler that is done when it returns is never counted, so that counting costs most calls nothing.
 */

export class CallsInProgress {
  readonly #limit: number;
  readonly #byCaller = new Map<string | undefined, number>();
  /** Of those that are at their limit, whom that was reported of. */
  readonly #reported = new Set<string | undefined>();
  #total = 0;
  #isOver = false;

  /** @param limit how many calls of one caller there may be at a time */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many there are, of all callers. */
  get total(): number {
    return this.#total;
  }

  /** Whether one more of this caller would be too many. */
  isFull(caller: string | undefined): boolean {
    return this.#total >= this.#limit && (this.#byCaller.get(caller) ?? 0) >= this.#limit;
  }

  /** Whether it is the first time, since the caller had fewer, that it has too many. */
  isNews(caller: string | undefined): boolean {
    if (this.#reported.has(caller)) return false;
    this.#reported.add(caller);
    return true;
  }

  begin(caller: string | undefined): void {
    this.#total++;
    this.#byCaller.set(caller, (this.#byCaller.get(caller) ?? 0) + 1);
  }

  /** To be called once for each `begin`. */
  end(caller: string | undefined): void {
    if (this.#isOver) return;
    this.#total--;
    const left = (this.#byCaller.get(caller) ?? 0) - 1;
    if (left > 0) this.#byCaller.set(caller, left);
    else this.#byCaller.delete(caller);
    if (left < this.#limit / 2) this.#reported.delete(caller);
  }

  /** The connection is over: whatever handlers still do, they do for nobody. */
  close(): void {
    this.#isOver = true;
    this.#total = 0;
    this.#byCaller.clear();
    this.#reported.clear();
  }
}
