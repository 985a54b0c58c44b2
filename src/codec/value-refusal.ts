/**
 * The error of a value that does not fit. Where a value was passed to busbar, its stack leads to the code that passed it. A
 * value that a handler or a getter returned is looked at when that code has gone: no stack leads to it, so it is told by its
 * place alone.
 */
import { InvalidArgumentError, isOfBusbar } from '../base/errors.js';
import type { Misfit } from './misfit.js';

interface Refused {
  readonly misfit: Misfit;
  readonly index: number;
}

const refusals = new WeakMap<object, Refused>();

/**
 * @param root what the value is, before the path within it
 * @param index which one it is of several
 */
export function valueRefusal(misfit: Misfit, root: string, index = 0): InvalidArgumentError {
  const error = new InvalidArgumentError(`${root}${misfit.message}`);
  refusals.set(error, { misfit, index });
  return error;
}

/**
 * What to report of a value that code of the program's returned: the error with the value's name there. Other errors than those
 * of {@link valueRefusal} stay as they are: they may come from within the value, out of a getter.
 *
 * @param rootOf what the value with that index is to its author
 * @param cure what to do, where that can be told
 */
export function refusalOfReturned(error: unknown, rootOf: (index: number) => string, cure = ''): unknown {
  const refused = refusals.get(error as object);
  if (refused === undefined) return error;
  return withoutFrames(new InvalidArgumentError(`${rootOf(refused.index)}${refused.misfit.message}${cure}`));
}

/** What to do where a property has no value. */
export function cureOfUnset(value: unknown): string {
  return value === undefined ? ': give it a first value, or assign one before it is read' : '';
}

/**
 * The error of a value that does not fit, with what it was for behind its text.
 *
 * @param rootOf what the value with that index is called, if not as it was
 */
export function refusalFor(
  error: InvalidArgumentError,
  what: string,
  rootOf?: (index: number) => string | undefined,
): InvalidArgumentError {
  const refused = refusals.get(error);
  const root = refused && rootOf?.(refused.index);
  const text = refused === undefined || root === undefined ? error.message : `${root}${refused.misfit.message}`;
  // Busbar's own would only be the same text again. Code of the program's may have thrown it, out of a getter.
  const named = new InvalidArgumentError(`${text} (${what})`, isOfBusbar(error) ? {} : { cause: error });
  if (refused !== undefined) refusals.set(named, refused);
  bare.set(named, error);
  return named;
}

const bare = new WeakMap<object, InvalidArgumentError>();

/** The error without what {@link refusalFor} put behind its text. */
export function withoutPurpose(error: unknown): unknown {
  return bare.get(error as object) ?? error;
}

/** An error of busbar's that is reported, and whose stack has no line of the program. */
export function withoutFrames(error: Error): Error {
  error.stack = `${error.name}: ${error.message}`;
  return error;
}
