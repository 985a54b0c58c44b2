/** When a bus that has lost its connection connects again. */

import { InvalidArgumentError } from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import { checkTimeout } from '../../base/parameters.js';

/** The delays before attempts to connect again, and their number. */
export interface ReconnectOptions {
  /** Milliseconds before the first attempt. 100 by default. Each delay is a random time between half of it and all of it. */
  readonly minDelay?: number | undefined;
  /** The delay doubles with each failed attempt, up to this many milliseconds. 30 000 by default. */
  readonly maxDelay?: number | undefined;
  /**
   * How many attempts in a row may fail before the bus gives up. No limit by default. Attempts that are made early, because
   * the file of the socket has changed, do not count.
   */
  readonly attempts?: number | undefined;
}

/** The options with their defaults. */
export type CompleteReconnect = { readonly [Key in keyof ReconnectOptions]-?: number };

const MIN_DELAY = 100;
const MAX_DELAY = 30_000;

const reconnectOptions = new KnownOptions<ReconnectOptions>('reconnect', {
  minDelay: checkDelay,
  maxDelay: checkDelay,
  attempts: checkAttempts,
});

function checkDelay(value: unknown, name: string): void {
  checkTimeout(value, name);
  if (value !== Number.POSITIVE_INFINITY) return;
  throw new InvalidArgumentError(`${name}: expected a finite number of milliseconds, got Infinity`);
}

function checkAttempts(value: unknown, name: string): void {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return;
  if (Number.isInteger(value) && (value as number) >= 1) return;
  throw new InvalidArgumentError(`${name}: expected a positive integer, or Infinity, got ${String(value)}`);
}

/** @throws {@link InvalidArgumentError} unless it is a boolean, `undefined`, or valid options */
export function checkReconnect(value: unknown, name: string): void {
  if (value === undefined || typeof value === 'boolean') return;
  if (typeof value !== 'object' || value === null) {
    throw new InvalidArgumentError(
      `${name}: expected a boolean or an object, got ${value === null ? 'null' : typeof value}`,
    );
  }
  reconnectOptions.check(value as ReconnectOptions, name);
  completeReconnect(value as ReconnectOptions);
}

/** @throws {@link InvalidArgumentError} if the delays contradict each other */
export function completeReconnect(options: ReconnectOptions | boolean | undefined): CompleteReconnect | undefined {
  if (options === undefined || options === false) return undefined;
  const given = options === true ? {} : options;
  const { minDelay = Math.min(MIN_DELAY, given.maxDelay ?? MIN_DELAY), attempts = Number.POSITIVE_INFINITY } = given;
  const { maxDelay = Math.max(MAX_DELAY, minDelay) } = given;
  if (minDelay <= maxDelay) return { minDelay, maxDelay, attempts };
  throw new InvalidArgumentError(`minDelay: expected at most maxDelay (${maxDelay}), got ${minDelay}`);
}

/** The delays before attempts. They grow by doubling, and their random part keeps the clients of a bus apart. */
export class Delays {
  readonly #options: CompleteReconnect;
  #next: number;

  constructor(options: CompleteReconnect) {
    this.#options = options;
    this.#next = options.minDelay;
  }

  /** Milliseconds before the next attempt. */
  take(): number {
    const { maxDelay } = this.#options;
    const delay = this.#next;
    // From 0 it grows as well.
    this.#next = Math.min(maxDelay, Math.max(1, 2 * delay));
    return delay * (0.5 + Math.random() / 2);
  }

  /** Begins again with the shortest delay if a connection lasted longer than the delays so far. */
  reset(lasted: number): void {
    if (lasted > this.#next) this.#next = this.#options.minDelay;
  }
}
