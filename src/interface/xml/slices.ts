/**
 * Work that strangers may make long, in slices: a generator yields wherever it may rest, and whoever runs it decides
 * whether the event loop goes round meanwhile.
 */

/** Work that comes to a result, and may rest wherever it yields. */
export type Work<Result> = Generator<void, Result>;

/** Milliseconds of a slice. */
const SLICE = 5;

/** Does all of it now. */
export function atOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Does it in slices of a few milliseconds, between which everything else gets its turn. */
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
