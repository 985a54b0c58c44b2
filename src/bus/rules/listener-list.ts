/**
 * The listeners of a match rule, in the order of subscription. Signals are dispatched while listeners are added and
 * ended. Neither costs more with more listeners: an ended one stays in the list until half of them have ended.
 */

/** A list of at most this many listeners keeps none that has ended. */
const SHORT = 8;

interface Ending {
  /** Set before the list is told. */
  readonly ended: boolean;
}

export class ListenerList<Listener extends Ending> {
  #all: Listener[] = [];
  #ended = 0;

  /**
   * The listeners, and some that have ended. An array that was once returned only changes by additions, so code that
   * iterates over it has to determine its length first.
   */
  get all(): readonly Listener[] {
    return this.#all;
  }

  /** The number of listeners that have not ended. */
  get size(): number {
    return this.#all.length - this.#ended;
  }

  add(listener: Listener): void {
    // The array of one listener has room for one: most rules have no more.
    if (this.#all.length === 0) this.#all = [listener];
    else this.#all.push(listener);
  }

  /** Called when one more listener of the list has ended. */
  forgetEnded(): void {
    this.#ended++;
    if (this.#all.length > SHORT && 2 * this.#ended <= this.#all.length) return;
    this.#all = this.#all.filter(({ ended }) => !ended);
    this.#ended = 0;
  }

  clear(): void {
    this.#all = [];
    this.#ended = 0;
  }
}
