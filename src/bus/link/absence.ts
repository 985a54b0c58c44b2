/**
 * What stands for the connection of a link while there is none. It keeps the process alive for the users of the link, as
 * the connection did, holds the calls that wait, and ends the attempts to connect again.
 */
import { ConnectionClosedError } from '../../base/errors.js';
import type { Connection } from '../../connection/connection.js';
import { KeepAlive } from '../../connection/keep-alive.js';
import { WaitingCalls } from '../../connection/sending/waiting-calls.js';
import { TIMER_MAXIMUM } from '../../connection/time-limit.js';

/**
 * Attempts are aborted with this reason; the program never gets it. It is one error for all absences, because the stack of
 * an error keeps its absence in memory for as long as the next connection has the signal.
 */
const OVER = new ConnectionClosedError('the bus has a connection again, or is closed');

export class Absence {
  readonly keepAlive: KeepAlive;
  readonly waiting: WaitingCalls;
  #lost: Connection | undefined;
  readonly #timer = setInterval(() => {}, TIMER_MAXIMUM).unref();
  readonly #abort = new AbortController();

  constructor(lost: Connection) {
    const timer = this.#timer;
    this.#lost = lost;
    this.waiting = new WaitingCalls(lost, lost.limits.queuedBytes, () => this.keepAlive.update());
    const isBusy = () => this.waiting.size > 0;
    this.keepAlive = new KeepAlive({ ref: () => timer.ref(), unref: () => timer.unref() }, isBusy);
    this.keepAlive.takeUsersOf(lost.keepAlive);
    lost.calls.waitingRoom = this.waiting;
  }

  /** Aborts at the end of the absence. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends it. The calls that wait are sent, or rejected, by the caller. */
  end(): void {
    if (this.#lost !== undefined) this.#lost.calls.waitingRoom = undefined;
    this.#lost = undefined;
    clearInterval(this.#timer);
    this.keepAlive.end();
    this.#abort.abort(OVER);
  }
}
