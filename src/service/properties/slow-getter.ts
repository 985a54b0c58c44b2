/** A time limit for asynchronous getters. Other calls may wait for such a getter, and must not wait indefinitely. */

import { TimeoutError } from '../../base/errors.js';
import { timeLimit } from '../../connection/time-limit.js';

/**
 * Milliseconds that an asynchronous getter has if it is read together with others: a getter that never settles must not
 * block everything else. Twice this time is less than callers wait.
 */
const GETTER_LIMIT = 10_000;

/**
 * Resolves with the value of a getter.
 *
 * @param late called with the value if it is known only after the time limit
 * @throws (rejects) what the getter throws, or {@link TimeoutError}
 */
export async function inTime(value: PromiseLike<unknown>, late: (value: unknown) => void): Promise<unknown> {
  const tooLate = Symbol('too late');
  const promised = Promise.resolve(value);
  const { promise, stop } = timeLimit(GETTER_LIMIT, false);
  const settled = await Promise.race([promised, promise.then(() => tooLate)]).finally(stop);
  if (settled !== tooLate) return settled;
  promised.then(late, () => {});
  throw new TimeoutError(`the getter took longer than ${GETTER_LIMIT} ms`);
}
