/**
 * How long one turn of a connection goes on handling messages.
 *
 * Reading the clock takes a tenth of what a small message takes, so it is read after the first message and then after every
 * few, as many as surely fit what is left of the time.
 */

/** So many messages are handled between two looks at the clock, at most: one that takes long may follow many that do not. */
const STRIDE_MAXIMUM = 8;

/** As it is before a test suite may take the clock into its own hands. */
const now = performance.now.bind(performance);

export class Turn {
  #beganAt = 0;
  #endsAt = 0;
  /** Messages since it began, and until the clock is read. */
  #handled = 0;
  #left = 0;

  begin(milliseconds: number): void {
    this.#beganAt = now();
    this.#endsAt = this.#beganAt + milliseconds;
    this.#handled = 0;
    this.#left = 1;
  }

  /** Asked after each message: whether the turn has taken its time. */
  isOver(): boolean {
    this.#handled++;
    if (--this.#left > 0) return false;
    const at = now();
    if (at >= this.#endsAt) return true;
    const each = (at - this.#beganAt) / this.#handled;
    this.#left = Math.max(1, Math.min(STRIDE_MAXIMUM, this.#handled, Math.floor((this.#endsAt - at) / each)));
    return false;
  }
}
