/**
 * The handlers that run one after the other, and the calls that wait for them. A call is answered before the next one is
 * handled, so that the messages are sent in the order of the program.
 *
 * A call that has to be permitted first waits in the line of its caller meanwhile: calls of one caller are handled in the
 * order in which they arrived, and a caller that has to enter a password makes no other caller wait.
 */
import { LimitsExceededError } from '../../base/error-classes.js';
import { onAbort } from '../../connection/sending/abort-reactions.js';
import { isThenable } from '../thenable.js';
import { LateAnswer, settle } from './late-answer.js';

/** A call that a lane handles. */
export interface Job {
  readonly caller: string;
  /** How many calls of the caller may wait. */
  readonly limit: number;
  /** What is limited, for the text of the error. */
  readonly what: string;
  /** Aborts if the call need not be handled any more. It is read only if the call has to wait. */
  readonly signal: AbortSignal;
  /** Called when the call has to wait. */
  keep(): void;
  /** Checks whether the call is permitted: returns a promise if that takes time. Throws, or rejects, if not. */
  permit(): Promise<void> | undefined;
  /** Runs the handler. */
  run(): unknown;
}

/** Milliseconds for which handlers that are done when they return run without a pause for the event loop. */
const SLICE = 5;

const none: Set<never> = new Set();

/** A call that waits. */
class Ticket {
  readonly job: Job;
  send: (result: unknown) => void = () => {};
  fail: (error: unknown) => void = () => {};
  stopListening: () => void = () => {};
  /** How far the check of its permission is. */
  check: 'none' | 'running' | 'permitted' = 'none';
  isOver = false;

  constructor(job: Job) {
    this.job = job;
  }
}

export class Lane {
  #isBusy = false;
  /** The calls that are permitted, in the order in which they are handled. */
  readonly #ready = new Set<Ticket>();
  /** The calls that are not permitted yet, or wait for one that is not, by caller. The first one is being checked. */
  readonly #lines = new Map<string, Set<Ticket>>();
  /** The number of calls that wait, by caller. */
  readonly #waiting = new Map<string, number>();
  readonly #onIdle: (() => void) | undefined;

  /** @param onIdle called when no call is left */
  constructor(onIdle?: () => void) {
    this.#onIdle = onIdle;
  }

  /** The number of calls that wait. */
  get size(): number {
    let size = this.#ready.size;
    for (const line of this.#lines.values()) size += line.size;
    return size;
  }

  /**
   * Handles a call, at once if it can.
   *
   * @returns the result of the handler, or a {@link LateAnswer}
   * @throws what `permit` or `run` throws, or {@link LimitsExceededError}
   */
  enter(job: Job): unknown {
    try {
      return this.#enter(job);
    } catch (error) {
      // It may have been the only call.
      this.#advance();
      throw error;
    }
  }

  #enter(job: Job): unknown {
    const { caller, limit } = job;
    const line = this.#lines.get(caller);
    const waiting = this.#waiting.get(caller) ?? 0;
    if (waiting >= limit) {
      throw new LimitsExceededError(`${limit} calls of one caller wait for ${job.what}, which is the limit`);
    }
    const permitted = line === undefined ? job.permit() : undefined;
    if (line === undefined && permitted === undefined && !this.#isBusy && this.#ready.size === 0)
      return this.#runNow(job);
    const { signal } = job;
    if (signal.aborted) {
      // Its caller left while the object was found.
      permitted?.catch(() => {});
      throw signal.reason;
    }
    job.keep();
    const ticket = new Ticket(job);
    this.#waiting.set(caller, waiting + 1);
    ticket.stopListening = onAbort(signal, () => this.#drop(ticket, signal.reason));
    if (line !== undefined) line.add(ticket);
    else if (permitted === undefined) this.#ready.add(ticket);
    else {
      this.#lines.set(caller, new Set([ticket]));
      this.#await(ticket, permitted);
    }
    return new LateAnswer((send, fail) => {
      ticket.send = send;
      ticket.fail = fail;
      return undefined;
    });
  }

  #runNow(job: Job): unknown {
    this.#isBusy = true;
    let isLate = false;
    try {
      const result = job.run();
      isLate = isLater(result);
      return isLate ? new LateAnswer((send, fail) => this.#answer(result, send, fail)) : result;
    } finally {
      if (!isLate) this.#leave();
    }
  }

  /** Passes on the result of the running handler, and then handles the next call. */
  #answer(result: unknown, send: (result: unknown) => void, fail: (error: unknown) => void): undefined {
    const andLeave = (pass: (value: unknown) => void) => (value: unknown) => {
      try {
        pass(value);
      } finally {
        this.#leave();
      }
    };
    settle(result, andLeave(send), andLeave(fail));
  }

  #leave(): void {
    this.#isBusy = false;
    this.#advance();
  }

  /** Runs the handlers of calls that are ready, until one takes time. */
  #advance(): void {
    const began = performance.now();
    while (!this.#isBusy) {
      const [ticket] = this.#ready;
      if (ticket === undefined) {
        if (this.#lines.size === 0) this.#onIdle?.();
        return;
      }
      this.#ready.delete(ticket);
      this.#forget(ticket);
      this.#isBusy = true;
      let result: unknown;
      try {
        result = ticket.job.run();
      } catch (error) {
        ticket.fail(error);
        this.#isBusy = false;
        continue;
      }
      if (isLater(result)) this.#answer(result, ticket.send, ticket.fail);
      else {
        ticket.send(result);
        if (performance.now() - began > SLICE) setImmediate(() => this.#leave());
        else this.#isBusy = false;
      }
    }
  }

  #await(ticket: Ticket, permitted: Promise<void>): void {
    ticket.check = 'running';
    permitted.then(
      () => {
        if (ticket.isOver) return;
        ticket.check = 'permitted';
        this.#advanceLine(ticket.job.caller);
      },
      (error) => this.#drop(ticket, error),
    );
  }

  /** Lets the calls of a caller out of its line, up to the first one that is not permitted yet, which is checked. */
  #advanceLine(caller: string): void {
    const line = this.#lines.get(caller) ?? none;
    for (const ticket of line) {
      if (ticket.check === 'running') break;
      if (ticket.check === 'none') {
        const permitted = this.#check(ticket);
        if (permitted === 'refused') continue;
        if (permitted !== undefined) {
          this.#await(ticket, permitted);
          break;
        }
      }
      line.delete(ticket);
      this.#ready.add(ticket);
    }
    if (line.size === 0) this.#lines.delete(caller);
    this.#advance();
  }

  #check(ticket: Ticket): Promise<void> | undefined | 'refused' {
    try {
      return ticket.job.permit();
    } catch (error) {
      this.#lines.get(ticket.job.caller)?.delete(ticket);
      this.#forget(ticket);
      ticket.fail(error);
      return 'refused';
    }
  }

  /** Answers a call with an error before it is handled: it is not permitted, or its caller has left. */
  #drop(ticket: Ticket, error: unknown): void {
    if (ticket.isOver) return;
    const { caller } = ticket.job;
    this.#ready.delete(ticket);
    this.#lines.get(caller)?.delete(ticket);
    this.#forget(ticket);
    ticket.fail(error);
    // A caller that has left may have more calls, which are dropped before this.
    queueMicrotask(() => this.#advanceLine(caller));
  }

  /** Ends the waiting of a call. */
  #forget(ticket: Ticket): void {
    ticket.isOver = true;
    ticket.stopListening();
    const { caller } = ticket.job;
    const left = (this.#waiting.get(caller) ?? 0) - 1;
    if (left > 0) this.#waiting.set(caller, left);
    else this.#waiting.delete(caller);
  }
}

function isLater(result: unknown): boolean {
  return result instanceof LateAnswer || isThenable(result);
}
