/** Failures as values, for tests that are about them. */

/** The error of a rejected promise; fails if it resolves. */
export async function rejection(promise: PromiseLike<unknown>): Promise<Error> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
}

/** The error that a function throws; fails if it returns. */
export function thrown(run: () => unknown): Error {
  let value: unknown;
  try {
    value = run();
  } catch (error) {
    return error as Error;
  }
  throw new Error(`expected an exception, got ${JSON.stringify(value)}`);
}
