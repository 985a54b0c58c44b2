/**
 * The calls that one user of a connection still has to answer: calls whose handlers have not settled, and calls that
 * its message handlers took. `close` waits for them. A handler that is done when it returns is never counted, so most
 * calls cost nothing here.
 */
import type { Callers } from './callers/callers.js';

export class CallsAtWork {
  /** The callers of these calls that the user waits for. */
  readonly callers: Callers | undefined;
  /** The count for all users of the connection, if there are several. */
  readonly #whole: CallsAtWork | undefined;
  /** A list of this count alone, for what has one user. */
  readonly alone: readonly CallsAtWork[] = [this];
  #count = 0;
  /** Waiting `close` calls, resolved when no call is left. */
  #waiting: (() => void)[] = [];

  constructor(whole?: CallsAtWork, callers?: Callers) {
    this.#whole = whole;
    this.callers = callers;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  begin(): void {
    this.#count++;
    this.#whole?.begin();
  }

  /** Must be called once for each `begin`. */
  end(): void {
    this.#count--;
    if (this.#count === 0 && this.#waiting.length > 0) for (const resolve of this.#waiting.splice(0)) resolve();
    this.#whole?.end();
  }

  /** Resolves when no call is left. */
  async done(): Promise<void> {
    // The rest of a batch may have brought more calls before this continues.
    while (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
