/** Waiting for one signal. */

import { closedError } from '../base/errors.js';
import type { Bus } from '../bus/bus.js';
import type { Subscription } from '../bus/rules/subscription.js';
import { onAbort } from '../connection/sending/abort-reactions.js';

/** Subscribes. The listener gets the values of each signal, and owns them. */
export type ListenOnce = (listener: (values: unknown[]) => void) => Subscription;

/**
 * Resolves with the values of the next signal. Rejects when the bus refuses the subscription, the abort signal fires,
 * or the connection ends.
 */
export function nextSignal(bus: Bus, listen: ListenOnce, signal: AbortSignal | undefined): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const end = () => {
      subscription.end();
      stopWaiting();
      stopListening?.();
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
    subscription.ready.catch(fail);
    const stopWaiting = bus.whenClosed((reason) => {
      fail(closedError('the connection was closed while waiting for a signal', reason));
    });
  });
}
