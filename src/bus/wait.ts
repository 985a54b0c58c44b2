/** A wait that a time limit, an abort signal and the end of the connection end. */
import { closedError, type DBusError, TimeoutError } from '../base/errors.js';
import { onAbort } from '../connection/sending/abort-reactions.js';
import { startTimer } from '../connection/time-limit.js';
import type { WaitLimits } from '../connection/wait-limits.js';

/** A connection that may end. */
interface Waiting {
  whenClosed(listener: (reason: DBusError | undefined) => void): () => void;
}

/**
 * @param what what did not happen, for the errors
 * @param begin starts to wait, and returns the function that stops it; it may settle the wait at once
 * @throws (rejects) {@link TimeoutError}, the reason of the abort signal, or {@link ConnectionClosedError}
 */
export function wait<Result>(
  bus: Waiting,
  what: string,
  { timeout, signal }: WaitLimits,
  begin: (resolve: (result: Result) => void, reject: (reason: unknown) => void) => () => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stops: (() => void)[] = [];
    let isOver = false;
    const end = () => {
      isOver = true;
      for (const stop of stops.splice(0)) stop();
    };
    const settle =
      <Value>(how: (value: Value) => void) =>
      (value: Value) => {
        if (isOver) return;
        end();
        how(value);
      };
    const fail = settle(reject);
    stops.push(begin(settle(resolve), fail));
    if (isOver) {
      end();
      return;
    }
    if (timeout !== undefined) {
      stops.push(startTimer(() => fail(new TimeoutError(`${what} within ${timeout} ms`)), timeout));
    }
    if (signal !== undefined) stops.push(onAbort(signal, () => fail(signal.reason)));
    stops.push(bus.whenClosed((reason) => fail(closedError(`${what}: the connection was closed`, reason))));
  });
}
