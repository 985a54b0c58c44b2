/**
 * How many messages one turn of a connection hands over before everything else that the event loop serves gets its turn.
 *
 * What the handlers of messages do is measured as it happens. Reading the clock takes a tenth of what a small message takes,
 * so it is read after as many messages as surely fit, by what those of the last turns took, but after a few at most. What
 * handlers leave to microtasks runs when the turn is over: it is measured then, and the next turn has as many messages as
 * would have fit.
 */

/** What a turn has, where reading took nothing of it: `kTurnMicroseconds` in native/napi/connection_object.cc. */
const WHOLE_MILLISECONDS = 1;
/** So many messages are handled between two looks at the clock, at most: those that take long may follow those that do not. */
const STRIDE_MAXIMUM = 16;
/** Looks at the clock in a turn of messages that are all alike, at least. */
const LOOKS = 4;
/** Messages of a first turn, of which it is not known yet what they leave to microtasks. */
const FIRST = 16;
/** As many as a batch has: `ROWS` in inbox.ts. */
const MOST = 256;
/** Of turns with quick messages only one in so many is measured to its end. */
const MEASURED = 4;

/** As it is before a test suite may take the clock into its own hands. */
const systemClock = performance.now.bind(performance);
const fulfilled = Promise.resolve();

/** Also in the eyes of V8, which indexes rows with it: what `Math.floor` returns goes on as a floating-point number. */
function toInteger(number: number): number {
  return number | 0;
}

export class Turn {
  readonly #now: () => number;
  #beganAt = 0;
  #milliseconds = 0;
  /** Messages that a turn may have, and those that are handled before the first look at the clock. */
  #most = FIRST;
  #stride = 1;
  #handled = 0;
  #unmeasured = 0;
  readonly #settle = () => this.#measure();

  constructor(now: () => number = systemClock) {
    this.#now = now;
  }

  /** Returns how many messages to handle before asking for more. */
  begin(milliseconds: number): number {
    this.#beganAt = this.#now();
    this.#milliseconds = milliseconds;
    return milliseconds === 0 ? 1 : Math.min(this.#stride, this.#most);
  }

  /** How many more messages to handle when these have been handled; 0 where the next one is for another turn. */
  more(handled: number): number {
    const elapsed = this.#now() - this.#beganAt;
    const left = this.#milliseconds - elapsed;
    if (left <= 0 || handled >= this.#most) return 0;
    const fitting = (left / elapsed) * handled;
    return Math.max(1, toInteger(Math.min(STRIDE_MAXIMUM, handled, fitting, this.#most - handled)));
  }

  /** The turn is over, and has handled these. */
  end(handled: number): void {
    const isQuick = this.#stride === STRIDE_MAXIMUM && handled < this.#most;
    if (isQuick && ++this.#unmeasured < MEASURED) return;
    this.#unmeasured = 0;
    this.#handled = handled;
    fulfilled.then(this.#settle);
  }

  /** Behind the microtasks that the messages left, though not behind what those leave in turn. */
  #measure(): void {
    const elapsed = this.#now() - this.#beganAt;
    const fitting = Math.max(1, toInteger(Math.min(MOST, (this.#handled * WHOLE_MILLISECONDS) / elapsed)));
    this.#stride = Math.max(1, Math.min(STRIDE_MAXIMUM, toInteger(fitting / LOOKS)));
    if (elapsed > WHOLE_MILLISECONDS) this.#most = fitting;
    else if (this.#handled >= this.#most) this.#most = Math.min(2 * this.#most, Math.max(this.#most, fitting), MOST);
  }
}
