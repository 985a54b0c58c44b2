/** The stacks of errors that busbar makes. */
import { DBusError, isOfBusbar } from './errors.js';

/**
 * Returns the error. The stack of an error of busbar then begins with the caller of `called`: the code that made the
 * error is of no use to a program.
 */
export function withStackAbove(error: unknown, called: (...args: never[]) => unknown): unknown {
  if (error instanceof DBusError && isOfBusbar(error)) Error.captureStackTrace(error, called);
  return error;
}
