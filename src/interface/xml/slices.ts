/**
 * Runs work of a length that a peer decides in slices. A generator yields wherever it may pause, and its caller decides
 * whether the event loop runs then.
 */

/** Work with a result, which may pause wherever it yields. */
export type Work<Result> = Generator<void, Result>;

/** Milliseconds of a slice. */
const SLICE = 5;

/** Does all the work now. */
export function atOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Does the work in slices of a few milliseconds. The event loop runs in between. */
export async function inSlices<Result>(work: Work<Result>): Promise<Result> {
  for (;;) {
    const end = performance.now() + SLICE;
    do {
      const step = work.next();
      if (step.done === true) return step.value;
    } while (performance.now() < end);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
