/**
 * Tells when a service has been idle for a time. Calls are counted anyway, so nothing runs for a call: the count is looked
 * at now and then.
 */
import { startTimer } from '../connection/time-limit.js';

/** How often in the time the service is looked at: it is told to be idle later by at most this part of the time. */
const LOOKS = 8;

interface Activity {
  /** The number of calls that have arrived so far. */
  readonly calls: number;
  /** Whether something goes on that is not idle, however long it takes. */
  readonly isBusy: boolean;
}

export class Idleness {
  readonly #time: number;
  readonly #look: () => Activity;
  readonly #tell: () => void;
  #calls = -1;
  #since = 0;
  #stop: () => void = () => {};

  /**
   * @param time milliseconds
   * @param tell called once, when the service has been idle for so long
   */
  constructor(time: number, look: () => Activity, tell: () => void) {
    this.#time = time;
    this.#look = look;
    this.#tell = tell;
    this.#lookLater(time);
  }

  #lookLater(left: number): void {
    this.#stop = startTimer(() => this.#check(), Math.max(1, Math.min(left, this.#time / LOOKS)), false);
  }

  #check(): void {
    const { calls, isBusy } = this.#look();
    const now = performance.now();
    if (isBusy || calls !== this.#calls) this.#since = now;
    this.#calls = calls;
    const left = this.#since + this.#time - now;
    if (left <= 0 && !isBusy) this.#tell();
    else this.#lookLater(left);
  }

  end(): void {
    this.#stop();
  }
}
