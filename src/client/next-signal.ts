/** Waiting for one signal. */

import { closedError, TimeoutError } from '../base/errors.js';
import type { Bus } from '../bus/bus.js';
import type { Subscription } from '../bus/rules/subscription.js';
import { onAbort } from '../connection/sending/abort-reactions.js';
import { startTimer } from '../connection/time-limit.js';

/** Subscribes. The listener gets the values of each signal, and owns them. */
export type ListenOnce = (listener: (values: unknown[]) => void) => Subscription;

/** Which signal, and how long to wait for it. */
interface Wanted {
  /** The signal, for the text of an error. */
  readonly which: string;
  /** Milliseconds; no limit by default. */
  readonly timeout: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Resolves with the values of the next signal. Rejects when the bus refuses the subscription, the time has passed, the
 * abort signal fires, or the connection ends.
 */
export function nextSignal(bus: Bus, listen: ListenOnce, { timeout, signal, which }: Wanted): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const end = () => {
      subscription.end();
      stopWaiting();
      stopListening?.();
      stopTimer?.();
    };
    const fail = (reason: unknown) => {
      end();
      reject(reason);
    };
    const abort = () => fail(signal?.reason);
    const subscription = listen((values) => {
      end();
      resolve(values);
    });
    const stopListening = signal && onAbort(signal, abort);
    const late = () => fail(new TimeoutError(`no signal ${which} within ${timeout} ms`));
    const stopTimer = timeout === undefined ? undefined : startTimer(late, timeout);
    subscription.ready.catch(fail);
    const stopWaiting = bus.whenClosed((reason) => {
      fail(closedError('the connection was closed while waiting for a signal', reason));
    });
  });
}
