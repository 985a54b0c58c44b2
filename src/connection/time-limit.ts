/** For who waits, but not for ever. */

/** What timers of Node.js can wait for at most, in milliseconds: with more they fire at once. */
export const TIMER_MAXIMUM = 2 ** 31 - 1;

/**
 * A promise that settles after a while, and a way to give it up. Where the event loop was held meanwhile, what came before the
 * end is read first.
 */
export function timeLimit(
  milliseconds: number,
  keepsAlive = true,
): { readonly promise: Promise<undefined>; readonly give: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<undefined>((resolve) => {
    if (milliseconds === Number.POSITIVE_INFINITY) return;
    const wait = (then: () => void, delay: number) => {
      timer = setTimeout(then, delay);
      if (!keepsAlive) timer.unref();
    };
    // Timers that are due come before what the sockets have; those of the next turn come after it.
    wait(() => wait(() => resolve(undefined), 1), Math.min(milliseconds, TIMER_MAXIMUM));
  });
  return { promise, give: () => clearTimeout(timer) };
}

/** A limit of time that can be made shorter while it runs. */
export class TimeLimit {
  /** Settles when the time is over. */
  readonly over: Promise<void>;
  #resolve!: () => void;
  #timer: NodeJS.Timeout | undefined;
  #endsAt = Number.POSITIVE_INFINITY;
  #isOver = false;
  #isAtOnce = false;

  /** @param milliseconds may be `Infinity` */
  constructor(milliseconds: number) {
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.shorten(milliseconds);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether there was to be no time, at first or in the end: what is not done then was not meant to be. */
  get isAtOnce(): boolean {
    return this.#isAtOnce;
  }

  /** Ends it so many milliseconds from now, if it would end later. */
  shorten(milliseconds: number): void {
    const endsAt = performance.now() + milliseconds;
    if (this.#isOver || endsAt >= this.#endsAt) return;
    this.#endsAt = endsAt;
    clearTimeout(this.#timer);
    this.#isAtOnce = milliseconds <= 0;
    if (this.#isAtOnce) this.#pass();
    else this.#timer = setTimeout(() => this.#pass(), Math.min(milliseconds, TIMER_MAXIMUM));
  }

  /** It is not needed any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#isOver = true;
  }

  #pass(): void {
    clearTimeout(this.#timer);
    this.#isOver = true;
    this.#resolve();
  }
}
