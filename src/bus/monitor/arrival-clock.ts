/**
 * The time of arriving messages. The clock of the system has milliseconds, and may be set while a monitor runs. The other
 * clock is finer and never set. So its readings are dated by the system's, until the two disagree.
 */
import type { Arrival } from './monitored-message.js';

/** Milliseconds by which the two may differ: one that is rounded off, and one between the two readings. */
const TOLERANCE = 2;

export class ArrivalClock {
  #origin = performance.timeOrigin;

  now(): Arrival {
    const instant = performance.now();
    const system = Date.now();
    if (Math.abs(system - this.#origin - instant) > TOLERANCE) this.#origin = system - instant;
    return { time: this.#origin + instant, instant };
  }
}
