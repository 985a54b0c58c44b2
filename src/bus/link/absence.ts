/**
 * What stands for the connection of a link while there is none. It keeps the process alive for the users of the link, as
 * the connection did, and ends the attempts to connect again.
 */
import { KeepAlive } from '../../connection/keep-alive.js';
import { onAbort } from '../../connection/sending/abort-reactions.js';
import { startTimer, TIMER_MAXIMUM } from '../../connection/time-limit.js';

export class Absence {
  readonly keepAlive: KeepAlive;
  readonly #timer = setInterval(() => {}, TIMER_MAXIMUM).unref();
  readonly #abort = new AbortController();

  /** @param isBusy whether the process is kept alive without a hold of a user */
  constructor(isBusy: () => boolean) {
    const timer = this.#timer;
    this.keepAlive = new KeepAlive({ ref: () => timer.ref(), unref: () => timer.unref() }, isBusy);
  }

  /** Aborts at the end of the absence. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Waits until the time has passed or the absence ends. The wait itself does not keep the process alive. */
  pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        stopTimer();
        stopListening();
        resolve();
      };
      const stopTimer = startTimer(end, milliseconds, false);
      const stopListening = onAbort(this.signal, end);
    });
  }

  end(): void {
    clearInterval(this.#timer);
    this.keepAlive.end();
    this.#abort.abort();
  }
}
