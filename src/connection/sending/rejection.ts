/**
 * How a call fails with an error whose stack leads to the code that awaits the call, at no cost while calls succeed: the
 * error is made only when somebody follows the call's promise already.
 *
 * V8 looks for who that is along promises, so the promise is resolved with another one that fails a little later.
 * JavaScriptCore looks along async functions alone; there the error is made in one, which costs every call a little.
 */
import { withStackAbove } from '../../base/stack.js';

const followsPromises = !('bun' in process.versions);

class Rejection {
  readonly reason: () => unknown;

  constructor(reason: () => unknown) {
    this.reason = reason;
  }
}

/**
 * What to resolve a promise with that is to fail. The stack of an error of ours begins where the promise is awaited.
 * Whoever handed the promise out did so by {@link rejectable}.
 */
export function rejection(makeError: () => unknown): unknown {
  if (!followsPromises) return new Rejection(makeError);
  return failingLater(function fail() {
    throw withStackAbove(makeError(), fail);
  });
}

/** As {@link rejection}, with a reason that may be anybody's, and is left as it is. */
export function rejectionWith(reason: () => unknown): unknown {
  if (!followsPromises) return new Rejection(reason);
  return failingLater(() => {
    throw reason();
  });
}

function failingLater(fail: () => never): Promise<never> {
  return Promise.resolve()
    .then(() => {})
    .then(fail);
}

/** A promise to hand out, of one that may be resolved with a {@link rejection}. */
export function rejectable(promise: Promise<unknown>): Promise<unknown> {
  return followsPromises ? promise : rejecting(promise);
}

async function rejecting(promise: Promise<unknown>): Promise<unknown> {
  const result = await promise;
  if (result instanceof Rejection) throw result.reason();
  return result;
}
