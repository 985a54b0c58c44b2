/** Limits of a wait that the program begins: a time, and an AbortSignal. What is waited for goes on after either. */
import { TimeoutError } from '../base/errors.js';
import type { OptionTable } from '../base/known-options.js';
import { checkSignal, checkTimeout } from '../base/parameters.js';
import { onAbort } from './sending/abort-reactions.js';
import { startTimer } from './time-limit.js';

/** How long to wait. */
export interface WaitLimits {
  /** Milliseconds until the promise rejects with a {@link TimeoutError}. Without it there is no limit. */
  readonly timeout?: number | undefined;
  /** Aborting rejects the promise with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export const waitLimitsTable: OptionTable<WaitLimits> = { timeout: checkTimeout, signal: checkSignal };

/**
 * Settles as `wait` does, or rejects earlier, at the time limit or by the AbortSignal.
 *
 * @param late the beginning of the error's text, which the time limit follows
 */
export async function withinLimits<Value>(wait: Promise<Value>, limits: WaitLimits, late: string): Promise<Value> {
  const { timeout = Number.POSITIVE_INFINITY, signal } = limits;
  // A wait that is given up must not cause an unhandled rejection.
  wait.catch(() => {});
  signal?.throwIfAborted();
  let stopTimer = () => {};
  let stopListening = () => {};
  const limit = new Promise<never>((_, reject) => {
    stopTimer = startTimer(() => reject(new TimeoutError(`${late} within ${timeout} ms`)), timeout);
    if (signal !== undefined) stopListening = onAbort(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([wait, limit]);
  } finally {
    stopTimer();
    stopListening();
  }
}
