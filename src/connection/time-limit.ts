/** Time limits for code that waits. */

/** Milliseconds that closing waits for queued bytes to be written. */
export const CLOSE_LIMIT = 1000;

/** The longest delay of a Node.js timer, in milliseconds; a timer with a longer one fires immediately. */
export const TIMER_MAXIMUM = 2 ** 31 - 1;

/**
 * Calls `then` after this many milliseconds, unless the returned function is called before. Timers that are due run
 * before the sockets are read. So if the event loop was blocked beyond the end, `then` waits once more for as long as
 * the loop was late, and at most for the time itself. Meanwhile, messages that arrived before the end are read and
 * handled.
 */
export function startTimer(then: () => void, milliseconds: number, keepsAlive = true): () => void {
  if (milliseconds === Number.POSITIVE_INFINITY) return () => {};
  let timer: NodeJS.Timeout;
  const wait = (callback: () => void, delay: number) => {
    timer = setTimeout(callback, delay);
    if (!keepsAlive) timer.unref();
  };
  const delay = Math.min(milliseconds, TIMER_MAXIMUM);
  const endsAt = performance.now() + delay;
  // A timer of the next iteration runs after the sockets are read.
  wait(() => wait(then, Math.max(1, Math.min(performance.now() - endsAt, delay))), delay);
  return () => clearTimeout(timer);
}

/**
 * Returns a promise that resolves after a time, as {@link startTimer} counts it, and a function that stops the timer.
 */
export function timeLimit(
  milliseconds: number,
  keepsAlive = true,
): { readonly promise: Promise<undefined>; readonly stop: () => void } {
  let stop: () => void = () => {};
  const promise = new Promise<undefined>((resolve) => {
    stop = startTimer(() => resolve(undefined), milliseconds, keepsAlive);
  });
  return { promise, stop };
}

/** A time limit that can be shortened while it runs. It ends as {@link startTimer} counts it. */
export class TimeLimit {
  /** Resolves when the time has passed. */
  readonly over: Promise<void>;
  #resolve!: () => void;
  #stop: () => void = () => {};
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

  /**
   * Whether the limit is 0, from the beginning or after shortening: work that is unfinished then was not meant to be
   * done.
   */
  get isAtOnce(): boolean {
    return this.#isAtOnce;
  }

  /** Shortens the limit to this many milliseconds from now, if it would end later. */
  shorten(milliseconds: number): void {
    if (this.#isOver) return;
    const endsAt = performance.now() + milliseconds;
    const isAtOnce = milliseconds <= 0;
    if (endsAt >= this.#endsAt && !isAtOnce) return;
    this.#endsAt = endsAt;
    this.#stop();
    this.#isAtOnce = isAtOnce;
    if (isAtOnce) this.#pass();
    else this.#stop = startTimer(() => this.#pass(), milliseconds);
  }

  /** Stops a limit that is no longer needed. */
  end(): void {
    this.#stop();
    this.#isOver = true;
  }

  #pass(): void {
    this.#isOver = true;
    this.#resolve();
  }
}
