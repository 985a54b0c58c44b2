/** For who waits, but not for ever. */

/** What timers of Node.js can wait for at most, in milliseconds: with more they fire at once. */
export const TIMER_MAXIMUM = 2 ** 31 - 1;

/** A promise that settles after a while, and a way to give it up. */
export function timeLimit(
  milliseconds: number,
  keepsAlive = true,
): { readonly promise: Promise<undefined>; readonly give: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<undefined>((resolve) => {
    if (milliseconds === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(() => resolve(undefined), Math.min(milliseconds, TIMER_MAXIMUM));
    if (!keepsAlive) timer.unref();
  });
  return { promise, give: () => clearTimeout(timer) };
}
