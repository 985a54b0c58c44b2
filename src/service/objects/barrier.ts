/**
 * What the program did first leaves first. A connection has one barrier: what is gathered until the end of the turn, the
 * changes of a property or an object that was exported, waits here, and leaves before whatever is sent next.
 *
 * So there is one thing that waits, which the program may still be adding to. Anything else, another object's change
 * included, has it leave first.
 */

/** Something that is to be announced. */
export interface Pending {
  /**
   * Sends it. Never throws.
   *
   * @param isOvertaken whether something else is sent right behind it
   * @returns whether that is all of it. What has to leave before the next message, but not yet, stays; not if it is overtaken
   */
  send(isOvertaken: boolean): boolean;
}

/** The connection, as far as the barrier needs it. */
export interface Gate {
  /** Whether a message is being written, so that nothing can be sent. */
  readonly isMarshalling: boolean;
  /** Has something called before the next message, again and again until nothing takes its place. */
  sendFirst(send: (() => void) | undefined): void;
}

/** Getters may change properties when they are read for an announcement, but not for ever before the next message. */
const ROUNDS = 8;

export class Barrier {
  readonly #gate: Gate;
  /** More than one only where they came while nothing could be sent. */
  #queue: Pending[] = [];
  #isArmed = false;
  #isSending = false;
  #isScheduled = false;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** What the program is adding to, if it still is. */
  get last(): Pending | undefined {
    return this.#queue[this.#queue.length - 1];
  }

  /** Something new waits: it leaves at the end of the turn, or before the next message. */
  add(pending: Pending): void {
    if (this.#queue.length > 0) this.#letOut();
    this.#queue.push(pending);
    if (!this.#isArmed) {
      this.#isArmed = true;
      this.#gate.sendFirst(this.#letOut);
    }
    this.schedule();
  }

  /** Something was added to what waits: it leaves at the end of the turn at the latest. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // A getter that changes something whenever it is read must not keep the event loop from going on.
    if (this.#isSending) setImmediate(this.#endTurn);
    else queueMicrotask(this.#endTurn);
  }

  /** Sends what waits: something else is about to happen. */
  letOut(): void {
    this.#letOut();
  }

  /** The connection is over: nothing is sent any more. */
  close(): void {
    this.#queue = [];
    this.#disarm();
  }

  readonly #letOut = (): void => {
    if (this.#isSending || this.#gate.isMarshalling) return;
    for (let round = 0; round < ROUNDS && this.#queue.length > 0; round++) this.#send(true);
    this.#disarm();
  };

  readonly #endTurn = (): void => {
    this.#isScheduled = false;
    if (this.#isSending || this.#queue.length === 0) return;
    this.#send(false);
    this.#disarm();
  };

  /** Sends what is in the queue now. What comes meanwhile comes of being read, and is for the next time. */
  #send(isOvertaken: boolean): void {
    this.#isSending = true;
    try {
      let stays: Pending | undefined;
      for (let left = this.#queue.length; left > 0; left--) {
        const next = this.#queue.shift();
        const isLast = !isOvertaken && this.#queue.length === 0;
        if (next !== undefined && !next.send(!isLast)) stays = next;
      }
      if (stays !== undefined) {
        if (this.#queue.length === 0) this.#queue.push(stays);
        else stays.send(true);
      }
    } finally {
      this.#isSending = false;
    }
  }

  #disarm(): void {
    if (this.#queue.length > 0 || !this.#isArmed) return;
    this.#isArmed = false;
    this.#gate.sendFirst(undefined);
  }
}
