/**
 * Deadlines of many calls on one timer. Calls with the same duration expire in the order in which they were made, so
 * each duration has a list, and only the heads of the lists matter. Most calls leave their list before they expire. The
 * timer never keeps the process alive: the code that waits for the reply does.
 *
 * An object with a deadline is itself the entry of its list. A separate object for each call would have to be
 * garbage-collected too, and an array would keep settled calls until it is cleaned up.
 */
import { type Arrivals, Backlog } from '../receiving/backlog.js';
import { TIMER_MAXIMUM } from '../time-limit.js';

/**
 * After a deadline, the list waits for messages that have arrived but are not read yet, for at least this many
 * iterations of the event loop and this long.
 */
const LATE_TURNS = 100;
const LATE_MILLISECONDS = 100;

/**
 * This many different durations have a list each. Programs use a few, except those that compute them, from a clock for
 * instance.
 */
const EXACT_MAXIMUM = 64;

/** Rounds up to durations that are an eighth of a power of two apart: 53 powers have 424 of them. */
function coarse(milliseconds: number): number {
  if (milliseconds <= 8) return Math.ceil(milliseconds);
  const step = 2 ** (Math.floor(Math.log2(milliseconds)) - 3);
  return Math.ceil(milliseconds / step) * step;
}

/**
 * An object that expires unless it is removed from its {@link Deadlines} before. All members but `expire` belong to
 * those.
 */
export abstract class Expiring {
  /** Milliseconds on the clock of the list; an integer, which needs no memory of its own. */
  expiresAt = 0;
  list: DeadlineList | undefined = undefined;
  previous: Expiring | undefined = undefined;
  next: Expiring | undefined = undefined;

  /** Called once, when the time has passed. */
  abstract expire(): void;
}

export class Deadlines {
  readonly #lists = new Map<number, DeadlineList>();
  readonly #start = performance.now();
  readonly #arrivals: Arrivals;
  /**
   * The messages of the connection that entries that are due wait for, the time since when they wait, and the
   * iterations of the event loop.
   */
  #backlog: Backlog | undefined;
  #lateSince = 0;
  #lateTurns = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /**
   * @param arrivals the messages that have arrived. After the event loop was blocked, timers run before the messages
   *   that arrived meanwhile. A call expires only if its reply has not arrived, not if the reply has not been read
   */
  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  /** The number of different durations that have a list. */
  get size(): number {
    return this.#lists.size;
  }

  /**
   * Lets `entry` expire `milliseconds` from now. If many different durations are in use, similar durations share a
   * list, and the entry may expire late by an eighth of its duration.
   */
  add(duration: number, entry: Expiring): void {
    let milliseconds = duration;
    let list = this.#lists.get(milliseconds);
    if (list === undefined && this.#lists.size >= EXACT_MAXIMUM) {
      milliseconds = coarse(duration);
      list = this.#lists.get(milliseconds);
    }
    if (list === undefined) {
      list = new DeadlineList();
      this.#lists.set(milliseconds, list);
    }
    entry.expiresAt = Math.ceil(performance.now() - this.#start + milliseconds);
    list.append(entry);
    if (entry.expiresAt < this.#timerAt) this.#setTimer(entry.expiresAt);
  }

  /** Takes `entry` out of its list, if it is in one. */
  remove(entry: Expiring): void {
    entry.list?.remove(entry);
  }

  /** Removes all deadlines. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#lists.clear();
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #setTimer(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    // A later deadline is checked again when this timer expires.
    const delay = Math.min(TIMER_MAXIMUM, Math.max(1, at - Math.floor(performance.now() - this.#start)));
    this.#timer = setTimeout(() => this.#expireDue(), delay);
    this.#timer.unref();
  }

  #expireDue(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = performance.now() - this.#start;
    if (this.#hasDue(now) && this.#mayBeUnread(now)) {
      // The sockets are read between the timers of this iteration and those of the next.
      this.#setTimer(Math.floor(now) + 1);
      return;
    }
    this.#backlog = undefined;
    let next = Number.POSITIVE_INFINITY;
    for (const [duration, list] of this.#lists) {
      for (let head = list.head; head !== undefined; head = list.head) {
        if (head.expiresAt > now) {
          next = Math.min(next, head.expiresAt);
          break;
        }
        list.remove(head);
        head.expire();
      }
      if (list.head === undefined) this.#lists.delete(duration);
    }
    if (next < this.#timerAt) this.#setTimer(next);
  }

  #hasDue(now: number): boolean {
    for (const { head } of this.#lists.values()) if (head !== undefined && head.expiresAt <= now) return true;
    return false;
  }

  /**
   * Whether replies to entries that are due may have arrived. If messages never cease to arrive, that is assumed for a
   * limited time.
   */
  #mayBeUnread(now: number): boolean {
    if (this.#backlog === undefined) {
      this.#backlog = new Backlog(this.#arrivals);
      this.#lateSince = now;
      this.#lateTurns = 0;
    }
    if (!this.#backlog.isComing()) return false;
    return ++this.#lateTurns <= LATE_TURNS || now - this.#lateSince < LATE_MILLISECONDS;
  }
}

/**
 * Entries in the order in which they were appended, doubly linked, so that any of them can be removed in constant time.
 */
class DeadlineList {
  head: Expiring | undefined;
  #tail: Expiring | undefined;

  append(entry: Expiring): void {
    entry.list = this;
    entry.previous = this.#tail;
    if (this.#tail === undefined) this.head = entry;
    else this.#tail.next = entry;
    this.#tail = entry;
  }

  remove(entry: Expiring): void {
    const { previous, next } = entry;
    if (previous === undefined) this.head = next;
    else previous.next = next;
    if (next === undefined) this.#tail = previous;
    else next.previous = previous;
    // An old entry would otherwise keep younger entries behind it from being garbage-collected.
    entry.list = undefined;
    entry.previous = undefined;
    entry.next = undefined;
  }
}
