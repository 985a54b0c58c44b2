/**
 * Tells whether more messages of the other side are about to arrive. The socket alone does not tell: dbus-broker writes
 * 16 messages, waits until some of them are read, and then writes the next ones. So after a batch as large as that, the
 * socket is watched for a while longer. After other batches there is nothing to wait for.
 */

/**
 * A batch of this many messages may have been cut off. It is half of what dbus-broker writes at once, because the bytes
 * may be read in two parts.
 */
export const CUT_BATCH = 8;

/**
 * If nothing arrives for this many iterations of the event loop and this many milliseconds, no message is about to
 * arrive.
 */
const QUIET_TURNS = 10;
const QUIET_MILLISECONDS = 20;
/** If messages keep arriving, this many iterations are enough to read messages that were sent long before. */
const LOOKS = 100;

/** The messages that have arrived over a connection. */
export interface Arrivals {
  /** Whether bytes have arrived that are not read yet. */
  hasUnread(): boolean;
  received(): {
    /** The number of messages read so far. */
    readonly messages: number;
    /** When a batch of at least {@link CUT_BATCH} messages was last read, on the clock of `performance.now`. */
    readonly cutAt: number;
  };
}

/** Watches the arrivals for a call that waits. */
export class Backlog {
  readonly #arrivals: Arrivals;
  #messages = 0;
  #newsAt = Number.NEGATIVE_INFINITY;
  #quietTurns = 0;
  #looks = 0;

  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  /** To be called once in each iteration of the event loop, until it returns false. */
  isComing(): boolean {
    if (this.#arrivals.hasUnread()) return true;
    const { cutAt, messages } = this.#arrivals.received();
    const now = performance.now();
    // Messages that follow a batch that was cut off may arrive one by one.
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
