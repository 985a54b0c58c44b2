/** Getters that take time, and that must not keep others waiting for ever. */

import { TimeoutError } from '../../base/errors.js';
import { timeLimit } from '../../connection/time-limit.js';

/**
 * Milliseconds that an asynchronous getter has where it is not read for its own sake: one that never settles must not keep
 * everything else back. Waiting twice for that is less than callers wait.
 */
const GETTER_LIMIT = 10_000;

/**
 * The value that a getter comes to.
 *
 * @param late is given what it comes to when nobody waits for it any more
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
