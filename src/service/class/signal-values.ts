/** Converts the result of a signal's method into the values that are sent. */
import { InvalidArgumentError } from '../../base/errors.js';

/**
 * The values of a signal's arguments: none, the returned value, or the elements of the returned tuple.
 *
 * @param count how many arguments the signal has
 * @throws {@link InvalidArgumentError} if there are several, and the method returned another number of values
 */
export function signalValues(name: string, count: number, returned: unknown): readonly unknown[] {
  if (count === 0) return [];
  if (count === 1) return [returned];
  if (Array.isArray(returned) && returned.length === count) return returned;
  throw new InvalidArgumentError(`the signal ${name} must return its ${count} arguments as an array of that length`);
}
