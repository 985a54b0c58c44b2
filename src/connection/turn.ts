/**
 * How many messages one turn of a connection hands over before everything else that the event loop serves gets its turn.
 *
 * What the handlers of messages do is measured as it happens. Reading the clock takes a tenth of what a small message takes,
 * so it is read after the first message and then after every few, as many as surely fit what is left of the time. What
 * handlers leave to microtasks runs when the turn is over: it is measured then, and the next turn has as many messages as
 * would have fit.
 */

/** What a turn has, where reading took nothing of it: `kTurnMicroseconds` in native/napi/connection_object.cc. */
const WHOLE_MILLISECONDS = 1;
/** So many messages are handled between two looks at the clock, at most: one that takes long may follow many that do not. */
const STRIDE_MAXIMUM = 8;
/** Messages of a first turn, of which it is not known yet what they leave to microtasks. */
const FIRST = 16;
/** More than any batch has. */
const MOST = 1024;

/** As it is before a test suite may take the clock into its own hands. */
const systemClock = performance.now.bind(performance);
const fulfilled = Promise.resolve();

export class Turn {
  readonly #now: () => number;
  #beganAt = 0;
  #milliseconds = 0;
  /** Messages since it began, and until the clock is read. */
  #handled = 0;
  #left = 0;
  /** Messages that a turn may have. */
  #most = FIRST;
  readonly #settle = () => this.#measure();

  constructor(now: () => number = systemClock) {
    this.#now = now;
  }

  begin(milliseconds: number): void {
    this.#beganAt = this.#now();
    this.#milliseconds = milliseconds;
    this.#handled = 0;
    this.#left = 1;
  }

  /** Asked between two messages: whether the next one is for another turn. */
  isOver(): boolean {
    if (++this.#handled >= this.#most) return true;
    if (--this.#left > 0) return false;
    const elapsed = this.#now() - this.#beganAt;
    const left = this.#milliseconds - elapsed;
    if (left <= 0) return true;
    const fitting = Math.floor((left / elapsed) * this.#handled);
    this.#left = Math.max(1, Math.min(STRIDE_MAXIMUM, this.#handled, fitting));
    return false;
  }

  /** The last message was handled. */
  end(): void {
    fulfilled.then(this.#settle);
  }

  /** Behind the microtasks that the messages left, though not behind what those leave in turn. */
  #measure(): void {
    const elapsed = this.#now() - this.#beganAt;
    // After the last one it is not asked.
    const handled = this.#handled + 1;
    if (elapsed > WHOLE_MILLISECONDS) {
      this.#most = Math.max(1, Math.floor((handled * WHOLE_MILLISECONDS) / elapsed));
    } else if (handled >= this.#most) {
      this.#most = Math.min(2 * this.#most, MOST);
    }
  }
}
