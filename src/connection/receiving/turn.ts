/**
 * Decides how many messages one turn of a connection delivers before the event loop serves everything else.
 *
 * The time that handlers take is measured as it passes. Reading the clock takes a tenth of the time of a small message.
 * So it is read only after as many messages as surely fit, judged by recent turns, but always after a few. Microtasks
 * that handlers leave run after the turn. Their time is measured then, and the next turn has as many messages as would
 * have fit.
 */

/** The length of a turn if reading took no time: `kTurnMicroseconds` in native/napi/connection_object.cc. */
const WHOLE_MILLISECONDS = 1;
/** The largest number of messages between two readings of the clock: slow messages may follow quick ones. */
const STRIDE_MAXIMUM = 16;
/** The least number of readings of the clock in a turn of uniform messages. */
const LOOKS = 4;
/** The number of messages of the first turn, when it is not known yet what they leave to microtasks. */
const FIRST = 16;
/** The number of rows of a batch: `ROWS` in inbox.ts. */
const MOST = 256;
/** Of the turns with quick messages, only one in this many is measured to its end. */
const MEASURED = 4;

/** Read here, before a test suite may replace it with a clock of its own. */
const systemClock = performance.now.bind(performance);
const fulfilled = Promise.resolve();

/**
 * Converts to an integer that V8 treats as one when it indexes rows; the result of `Math.floor` stays a floating-point
 * number.
 */
function toInteger(number: number): number {
  return number | 0;
}

export class Turn {
  readonly #now: () => number;
  #beganAt = 0;
  #milliseconds = 0;
  /** The number of messages that a turn may have, and the number that is handled before the clock is first read. */
  #most = FIRST;
  #stride = 1;
  #handled = 0;
  #unmeasured = 0;
  readonly #settle = () => this.#measure();

  constructor(now: () => number = systemClock) {
    this.#now = now;
  }

  /** Returns how many messages to handle before calling {@link more}. */
  begin(milliseconds: number): number {
    this.#beganAt = this.#now();
    this.#milliseconds = milliseconds;
    return milliseconds === 0 ? 1 : Math.min(this.#stride, this.#most);
  }

  /** Returns how many more messages to handle after these; 0 if the next one belongs to another turn. */
  more(handled: number): number {
    const elapsed = this.#now() - this.#beganAt;
    const left = this.#milliseconds - elapsed;
    if (left <= 0 || handled >= this.#most) return 0;
    const fittingCount = (left / elapsed) * handled;
    return Math.max(1, toInteger(Math.min(STRIDE_MAXIMUM, handled, fittingCount, this.#most - handled)));
  }

  /** Called when the turn has ended, with the number of messages that it handled. */
  end(handled: number): void {
    const isQuick = this.#stride === STRIDE_MAXIMUM && handled < this.#most;
    if (isQuick && ++this.#unmeasured < MEASURED) return;
    this.#unmeasured = 0;
    this.#handled = handled;
    fulfilled.then(this.#settle);
  }

  /** Measures after the microtasks that the messages left, but not after the ones that those leave. */
  #measure(): void {
    const elapsed = this.#now() - this.#beganAt;
    const fittingCount = Math.max(1, toInteger(Math.min(MOST, (this.#handled * WHOLE_MILLISECONDS) / elapsed)));
    this.#stride = Math.max(1, Math.min(STRIDE_MAXIMUM, toInteger(fittingCount / LOOKS)));
    if (elapsed > WHOLE_MILLISECONDS) this.#most = fittingCount;
    else if (this.#handled >= this.#most)
      this.#most = Math.min(2 * this.#most, Math.max(this.#most, fittingCount), MOST);
  }
}
