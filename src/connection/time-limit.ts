/** For who waits, but not for ever. */

/** What timers of Node.js can wait for at most, in milliseconds: with more they fire at once. */
export const TIMER_MAXIMUM = 2 ** 31 - 1;

/**
 * Calls `then` after so many milliseconds, unless the returned function is called before. Timers that are due come before what
 * the sockets have. So where the event loop was held beyond the end, it goes round for as long as it was late, and for once
 * more the time at most: what came before the end is read, and what that leads to is done.
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
  // A timer of the next turn comes after what the sockets have now.
  wait(() => wait(then, Math.max(1, Math.min(performance.now() - endsAt, delay))), delay);
  return () => clearTimeout(timer);
}

/** A promise that settles after a while, as {@link startTimer} counts it, and a way to give it up. */
export function timeLimit(
  milliseconds: number,
  keepsAlive = true,
): { readonly promise: Promise<undefined>; readonly give: () => void } {
  let give: () => void = () => {};
  const promise = new Promise<undefined>((resolve) => {
    give = startTimer(() => resolve(undefined), milliseconds, keepsAlive);
  });
  return { promise, give };
}

/** A limit of time that can be made shorter while it runs. It ends as {@link startTimer} counts it. */
export class TimeLimit {
  /** Settles when the time is over. */
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

  /** Whether there was to be no time, at first or in the end: what is not done then was not meant to be. */
  get isAtOnce(): boolean {
    return this.#isAtOnce;
  }

  /** Ends it so many milliseconds from now, if it would end later. */
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

  /** It is not needed any more. */
  end(): void {
    this.#stop();
    this.#isOver = true;
  }

  #pass(): void {
    this.#isOver = true;
    this.#resolve();
  }
}
