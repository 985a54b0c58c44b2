/** The stacks of errors that busbar makes. */
import { DBusError, isOfBusbar } from './errors.js';

/** The error; if it is ours, its stack begins with the caller of `called`. How it was made tells a program nothing. */
export function withStackAbove(error: unknown, called: (...args: never[]) => unknown): unknown {
  if (error instanceof DBusError && isOfBusbar(error)) Error.captureStackTrace(error, called);
  return error;
}
