/**
 * What one user of a connection still has to answer: calls whose handlers have not settled, and calls that its message
 * handlers took. `close` waits for these. What is done when it returns is never counted, so that counting costs most
 * calls nothing.
 */
export class CallsAtWork {
  /** That of all users of the connection, where there are several. */
  readonly #whole: CallsAtWork | undefined;
  #count = 0;
  /** Those who wait until there is none. */
  #waiting: (() => void)[] = [];

  constructor(whole?: CallsAtWork) {
    this.#whole = whole;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  begin(): void {
    this.#count++;
    this.#whole?.begin();
  }

  /** To be called once for each `begin`. */
  end(): void {
    this.#count--;
    if (this.#count === 0 && this.#waiting.length > 0) for (const resolve of this.#waiting.splice(0)) resolve();
    this.#whole?.end();
  }

  /** Resolves when there is none. */
  async done(): Promise<void> {
    // The rest of a batch may have brought more by the time that this goes on.
    while (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
