/**
 * Deadlines of many calls on one timer. Calls with the same duration expire in the order in which they were made, so
 * each duration has a list, and only the heads of the lists matter; most calls leave their list before they expire.
 * The timer never keeps the process alive: what waits for the reply does.
 */

/** A deadline in its list; `cancel` it when what it guards has settled. */
export interface Deadline {
  cancel(): void;
}

interface Entry extends Deadline {
  readonly expiresAt: number;
  expire: (() => void) | undefined;
}

/** The longest delay that a timer takes; a longer deadline is looked at again when this has passed. */
const TIMER_MAXIMUM = 2 ** 31 - 1;

export class Deadlines {
  readonly #lists = new Map<number, EntryQueue>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /** Calls `expire` once, `milliseconds` from now, unless the deadline is cancelled before. */
  add(milliseconds: number, expire: () => void): Deadline {
    const expiresAt = performance.now() + milliseconds;
    const entry: Entry = {
      expiresAt,
      expire,
      cancel() {
        this.expire = undefined;
      },
    };
    let list = this.#lists.get(milliseconds);
    if (list === undefined) {
      list = new EntryQueue();
      this.#lists.set(milliseconds, list);
    }
    list.push(entry);
    if (expiresAt < this.#timerAt) this.#setTimer(expiresAt);
    return entry;
  }

  /** Forgets all deadlines. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#lists.clear();
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #setTimer(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const delay = Math.min(TIMER_MAXIMUM, Math.max(1, Math.ceil(at - performance.now())));
    this.#timer = setTimeout(() => this.#expireDue(), delay);
    this.#timer.unref();
  }

  #expireDue(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [duration, list] of this.#lists) {
      for (let head = list.head; head !== undefined; head = list.head) {
        if (head.expire !== undefined && head.expiresAt > now) {
          next = Math.min(next, head.expiresAt);
          break;
        }
        list.shift();
        const { expire } = head;
        head.cancel();
        expire?.();
      }
      if (list.head === undefined) this.#lists.delete(duration);
    }
    if (next < this.#timerAt) this.#setTimer(next);
  }
}

/** First in, first out, without moving what is left; what was taken out is dropped now and then. */
class EntryQueue {
  #entries: Entry[] = [];
  #first = 0;

  get head(): Entry | undefined {
    return this.#entries[this.#first];
  }

  push(entry: Entry): void {
    // Calls that settled long ago must not pile up behind one that waits.
    while (this.head !== undefined && this.head.expire === undefined) this.shift();
    this.#entries.push(entry);
  }

  shift(): void {
    this.#first++;
    if (this.#first > 1024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}
