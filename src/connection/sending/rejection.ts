/**
 * Rejects a call with an error whose stack leads to the code that awaits the call, at no cost to calls that succeed:
 * the error is made only when code already awaits the promise of the call.
 *
 * V8 finds that code along promises, so the promise is resolved with another promise that rejects a little later.
 * JavaScriptCore finds it only along async functions. There the error is made in one, which costs every call a little.
 */
import { withStackAbove } from '../../base/stack.js';

const followsPromises = !('bun' in process.versions);

class Rejection {
  readonly reason: () => unknown;
  /** Whether the reason is made by busbar, so that its stack begins above the function that makes it. */
  readonly isMade: boolean;

  constructor(reason: () => unknown, isMade: boolean) {
    this.reason = reason;
    this.isMade = isMade;
  }
}

/**
 * Returns the value to resolve a promise with that shall reject. The stack of an error of busbar begins where the
 * promise is awaited. The program must have received the promise through {@link rejectable}.
 */
export function rejection(makeError: () => unknown): unknown {
  if (!followsPromises) return new Rejection(makeError, true);
  return failingLater(function fail() {
    throw withStackAbove(makeError(), fail);
  });
}

/** Like {@link rejection}, for a reason of any origin, which is not changed. */
export function rejectionWith(reason: () => unknown): unknown {
  if (!followsPromises) return new Rejection(reason, false);
  return failingLater(() => {
    throw reason();
  });
}

function failingLater(fail: () => never): Promise<never> {
  return Promise.resolve()
    .then(() => {})
    .then(fail);
}

/** Returns the promise for the program, for a promise that may be resolved with a {@link rejection}. */
export function rejectable(promise: Promise<unknown>): Promise<unknown> {
  return followsPromises ? promise : rejecting(promise);
}

async function rejecting(promise: Promise<unknown>): Promise<unknown> {
  const result = await promise;
  if (result instanceof Rejection) {
    const reason = result.reason();
    throw result.isMade ? withStackAbove(reason, rejecting) : reason;
  }
  return result;
}
