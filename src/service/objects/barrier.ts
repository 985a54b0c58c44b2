/**
 * Keeps announcements in the order of the program's actions. A connection has one barrier. Changes of properties and
 * exported objects are collected here until the end of the tick, and are sent before the next message.
 *
 * So only one announcement is pending at a time, to which the program may still add. Anything else, including a change
 * of another object, sends it first.
 */

/** An announcement that has not been sent. */
export interface Pending {
  /**
   * Sends it. Never throws.
   *
   * @param isOvertaken whether something else is sent right after it
   * @returns whether all of it was sent. Parts that must be sent before the next message, but not yet, stay, unless it
   * is overtaken
   */
  send(isOvertaken: boolean): boolean;
}

/** The part of a connection that the barrier uses. */
export interface Gate {
  /** Whether a message is being encoded, during which nothing can be sent. */
  readonly isMarshalling: boolean;
  /** Sets a function that is called before the next message, repeatedly until nothing replaces it. */
  sendFirst(send: (() => void) | undefined): void;
}

/**
 * Getters may change properties when they are read for an announcement, but only for so many rounds before the next
 * message.
 */
const ROUNDS = 8;

/** An empty queue. One that gets an announcement is replaced: an array with room for many would be garbage each time. */
const none: Pending[] = [];

/** A microtask by a promise, which allocates less than `queueMicrotask`. */
const settled = Promise.resolve();

export class Barrier {
  readonly #gate: Gate;
  /** Has more than one element only if they were added while nothing could be sent. */
  #queue: Pending[] = none;
  #isArmed = false;
  #isSending = false;
  #isScheduled = false;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** The announcement that the program may still add to, if there is one. */
  get last(): Pending | undefined {
    return this.#queue[this.#queue.length - 1];
  }

  /** Adds an announcement. It is sent at the end of the tick, or before the next message. */
  add(pending: Pending): void {
    if (this.#queue.length > 0) this.#letOut();
    this.#append(pending);
    if (!this.#isArmed) {
      this.#isArmed = true;
      this.#gate.sendFirst(this.#letOut);
    }
    this.schedule();
  }

  /** Ensures that pending announcements are sent at the end of the tick at the latest. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // A getter that changes a property whenever it is read must not block the event loop.
    if (this.#isSending) setImmediate(this.#endTick);
    else void settled.then(this.#endTick);
  }

  /** Sends pending announcements, because something else is about to be sent. */
  letOut(): void {
    this.#letOut();
  }

  /** Ends with the connection: nothing is sent any more. */
  close(): void {
    this.#queue = none;
    this.#disarm();
  }

  #append(pending: Pending): void {
    if (this.#queue.length === 0) this.#queue = [pending];
    else this.#queue.push(pending);
  }

  readonly #letOut = (): void => {
    if (this.#isSending || this.#gate.isMarshalling) return;
    for (let round = 0; round < ROUNDS && this.#queue.length > 0; round++) this.#send(true);
    this.#disarm();
  };

  readonly #endTick = (): void => {
    this.#isScheduled = false;
    if (this.#isSending || this.#queue.length === 0) return;
    this.#send(false);
    this.#disarm();
  };

  /** Sends what is in the queue now. Announcements that reading values adds are for the next round. */
  #send(isOvertaken: boolean): void {
    this.#isSending = true;
    try {
      let stays: Pending | undefined;
      for (let left = this.#queue.length; left > 0; left--) {
        const next = this.#takeFirst();
        const isLast = !isOvertaken && this.#queue.length === 0;
        if (next !== undefined && !next.send(!isLast)) stays = next;
      }
      if (stays !== undefined) {
        if (this.#queue.length === 0) this.#append(stays);
        else stays.send(true);
      }
    } finally {
      this.#isSending = false;
    }
  }

  #takeFirst(): Pending | undefined {
    if (this.#queue.length > 1) return this.#queue.shift();
    const [only] = this.#queue;
    this.#queue = none;
    return only;
  }

  #disarm(): void {
    if (this.#queue.length > 0 || !this.#isArmed) return;
    this.#isArmed = false;
    this.#gate.sendFirst(undefined);
  }
}
