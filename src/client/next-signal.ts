/** One signal, awaited. */
import type { Bus } from '../bus/bus.js';
import type { Subscription } from '../bus/subscription.js';
import { onAbort } from '../connection/abort-reactions.js';
import { closedError } from '../errors.js';

/** Subscribes; the listener gets the values of each signal, which are its own. */
export type ListenOnce = (listener: (values: unknown[]) => void) => Subscription;

/**
 * The values of the next signal. Rejects when the bus refuses the subscription, the abort signal fires, or the
 * connection ends.
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
