/** Converts the result of a signal's method into the values that are sent. */
import { InvalidArgumentError } from '../../base/errors.js';

type AnyFunction = (...args: never[]) => unknown;

/** By the function that emits a signal when it is called: the function of the class, which only returns the values. */
const valuesFunctions = new WeakMap<AnyFunction, AnyFunction>();

export function noteValuesFunction(emit: AnyFunction, values: AnyFunction): void {
  valuesFunctions.set(emit, values);
}

/** The function of the class for a signal's values, without their emission; `undefined` for another function. */
export function valuesFunctionOf(emit: unknown): AnyFunction | undefined {
  return valuesFunctions.get(emit as AnyFunction);
}

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
