/** A subscription that an AbortSignal ends. */
import type { Bus } from '../bus/bus.js';
import type { Subscription } from '../bus/subscription.js';
import { onAbort } from '../connection/abort-reactions.js';

/** Subscribes, until the signal aborts. If it has aborted already, nothing is subscribed to, and `ready` rejects with its reason. */
export function abortable(bus: Bus, signal: AbortSignal | undefined, subscribe: () => Subscription): Subscription {
  if (signal === undefined) return subscribe();
  if (signal.aborted) return endedFor(signal.reason);
  const subscription = subscribe();
  const stopListening = onAbort(signal, () => unsubscribe());
  const stopWaiting = bus.whenClosed(() => stopListening());
  const unsubscribe = () => {
    subscription.unsubscribe();
    stopListening();
    stopWaiting();
  };
  return {
    unsubscribe,
    [Symbol.dispose]: unsubscribe,
    get ready() {
      return subscription.ready;
    },
  };
}

function endedFor(reason: unknown): Subscription {
  return {
    unsubscribe() {},
    [Symbol.dispose]() {},
    get ready() {
      return Promise.reject(reason);
    },
  };
}
