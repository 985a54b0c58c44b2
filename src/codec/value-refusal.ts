/**
 * The errors of values that do not match their signature. If the program passed the value to busbar, the stack leads to
 * the code that passed it. A value that a handler or a getter returned is read after that code has finished. No stack
 * leads to it, so only the text tells where the value is.
 */
import { InvalidArgumentError, isOfBusbar } from '../base/errors.js';
import type { Misfit } from './misfit.js';

interface Refused {
  readonly misfit: Misfit;
  readonly index: number;
}

const refusals = new WeakMap<object, Refused>();

/**
 * @param root a description of the value, which precedes the path within it
 * @param index the index of the value among several
 */
export function valueRefusal(misfit: Misfit, root: string, index = 0): InvalidArgumentError {
  const error = new InvalidArgumentError(`${root}${misfit.message}`);
  refusals.set(error, { misfit, index });
  return error;
}

/**
 * Returns the error to report for a value that code of the program returned, with the name that the value has there. An
 * error that {@link valueRefusal} did not make is returned unchanged: a getter in the value may have thrown it.
 *
 * @param rootOf returns what the value with that index is to its author
 * @param cure what to do about it, if known, for the end of the text
 */
export function refusalOfReturned(error: unknown, rootOf: (index: number) => string, cure = ''): unknown {
  const refused = refusals.get(error as object);
  if (refused === undefined) return error;
  return withoutFrames(new InvalidArgumentError(`${rootOf(refused.index)}${refused.misfit.message}${cure}`));
}

/** Returns what to do about a property without a value, for the error text; an empty string for any other value. */
export function cureOfUnset(value: unknown): string {
  return value === undefined ? ': give it a first value, or assign one before it is read' : '';
}

/**
 * Returns the error of a value that does not match its signature, with the purpose of the value appended to the text.
 *
 * @param rootOf returns the name of the value with that index, if it is not the original one
 */
export function refusalFor(
  error: InvalidArgumentError,
  what: string,
  rootOf?: (index: number) => string | undefined,
): InvalidArgumentError {
  const refused = refusals.get(error);
  const root = refused && rootOf?.(refused.index);
  const text = refused === undefined || root === undefined ? error.message : `${root}${refused.misfit.message}`;
  // An error of busbar as the cause would only repeat the text. Any other error may come from the program, out of a
  // getter.
  const named = new InvalidArgumentError(`${text} (${what})`, isOfBusbar(error) ? {} : { cause: error });
  if (refused !== undefined) refusals.set(named, refused);
  bare.set(named, error);
  return named;
}

const bare = new WeakMap<object, InvalidArgumentError>();

/** Returns the error without the purpose that {@link refusalFor} appended. */
export function withoutPurpose(error: unknown): unknown {
  return bare.get(error as object) ?? error;
}

/** Returns an error of busbar that is reported, and whose stack has no line of the program. */
export function withoutFrames(error: Error): Error {
  error.stack = `${error.name}: ${error.message}`;
  return error;
}
