/**
 * Whether more of what the other side has sent is about to come. The socket does not tell: dbus-broker writes 16 messages, waits
 * until some of them are read, and then writes the next ones. So behind a batch as large as that, the socket is looked at for
 * a while longer. Other batches have nothing behind them, and are not waited for.
 */

/** A batch of so many messages may have been cut off; half of what dbus-broker writes at once, because it may be read in two. */
export const CUT_BATCH = 8;

/** When nothing has come for so many turns of the event loop, and so many milliseconds, nothing is about to. */
const QUIET_TURNS = 10;
const QUIET_MILLISECONDS = 20;
/** Where something comes again and again, so many turns are enough to hear of what was sent long before. */
const LOOKS = 100;

/** What has come over a connection. */
export interface Arrivals {
  /** Whether something has come that is not read yet. */
  hasUnread(): boolean;
  received(): {
    /** How many messages were read so far. */
    readonly messages: number;
    /** When a batch of at least {@link CUT_BATCH} messages was read last, on the clock of `performance.now`. */
    readonly cutAt: number;
  };
}

/** What a call that waits knows of it. */
export class Backlog {
  readonly #arrivals: Arrivals;
  #messages = 0;
  #newsAt = Number.NEGATIVE_INFINITY;
  #quietTurns = 0;
  #looks = 0;

  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  /** Asked once a turn of the event loop, until it says no. */
  isComing(): boolean {
    if (this.#arrivals.hasUnread()) return true;
    const { cutAt, messages } = this.#arrivals.received();
    const now = performance.now();
    // What comes behind a batch that was cut off may come one by one.
    if (this.#quietTurns > 0 && messages !== this.#messages) {
      this.#newsAt = now;
      this.#quietTurns = 0;
    }
    this.#messages = messages;
    const isRecent = now - Math.max(this.#newsAt, cutAt) < QUIET_MILLISECONDS;
    const isWatched = this.#quietTurns > 0 && this.#quietTurns < QUIET_TURNS;
    if (this.#looks >= LOOKS || !(isRecent || isWatched)) return false;
    this.#quietTurns++;
    this.#looks++;
    return true;
  }
}
