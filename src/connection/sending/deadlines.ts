/**
 * Deadlines of many calls on one timer. Calls with the same duration expire in the order in which they were made, so
 * each duration has a list, and only the heads of the lists matter; most calls leave their list before they expire.
 * The timer never keeps the process alive: what waits for the reply does.
 *
 * What has a deadline is itself the entry of its list. An object more for each call would be one more to collect, and
 * an array of them would keep those that have settled until it is tidied up.
 */
import { type Arrivals, Backlog } from '../receiving/backlog.js';
import { TIMER_MAXIMUM } from '../time-limit.js';

/** After a deadline, what has come but is not read yet is waited for in so many turns of the event loop, and for so long, at least. */
const LATE_TURNS = 100;
const LATE_MILLISECONDS = 100;

/** So many different durations have a list each. Programs have a few; who makes them up, from a clock for instance, has any. */
const EXACT_MAXIMUM = 64;

/** The next of the durations that are an eighth of a power of two apart: 53 powers have 424 of them. */
function coarse(milliseconds: number): number {
  if (milliseconds <= 8) return Math.ceil(milliseconds);
  const step = 2 ** (Math.floor(Math.log2(milliseconds)) - 3);
  return Math.ceil(milliseconds / step) * step;
}

/** What expires, unless it is removed from its {@link Deadlines} before. All but `expire` is theirs. */
export abstract class Expiring {
  /** Milliseconds on the clock of the list; whole ones, which take no memory of their own. */
  expiresAt = 0;
  list: DeadlineList | undefined = undefined;
  previous: Expiring | undefined = undefined;
  next: Expiring | undefined = undefined;

  /** Called once, when the time is over. */
  abstract expire(): void;
}

export class Deadlines {
  readonly #lists = new Map<number, DeadlineList>();
  readonly #start = performance.now();
  readonly #arrivals: Arrivals;
  /** What the connection still has to say, and since when, and for how many turns, what is due waits for it. */
  #backlog: Backlog | undefined;
  #lateSince = 0;
  #lateTurns = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /**
   * @param arrivals what has come. The timers of an event loop that was held come before what came meanwhile, and what nothing
   * came for shall expire, not what was not looked at
   */
  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  /** How many different durations have a list. */
  get size(): number {
    return this.#lists.size;
  }

  /**
   * Has `entry` expire `milliseconds` from now. Where many different durations are in use, it may be late by an eighth of
   * that: then durations that are nearly the same share a list.
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

  /** Forgets all deadlines. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#lists.clear();
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #setTimer(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    // A deadline beyond that is looked at again then.
    const delay = Math.min(TIMER_MAXIMUM, Math.max(1, at - Math.floor(performance.now() - this.#start)));
    this.#timer = setTimeout(() => this.#expireDue(), delay);
    this.#timer.unref();
  }

  #expireDue(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = performance.now() - this.#start;
    if (this.#hasDue(now) && this.#mayBeUnread(now)) {
      // Reading comes between the timers of this turn and those of the next one.
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

  /** Whether what is due may have come. Where messages never cease to come, that is so for a while only. */
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

/** Entries in the order in which they were appended, linked both ways, so that any can leave at once. */
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
    // An entry that is old would keep the young ones behind it from being collected.
    entry.list = undefined;
    entry.previous = undefined;
    entry.next = undefined;
  }
}
