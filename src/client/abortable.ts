/** A signal subscription that an AbortSignal ends. */

import type { Bus } from '../bus/bus.js';
import { type Subscription, SubscriptionHandle } from '../bus/rules/subscription.js';
import { onAbort } from '../connection/sending/abort-reactions.js';

/**
 * Subscribes until the signal aborts. If the signal has already aborted, nothing is subscribed to, and `ready` rejects
 * with its reason.
 */
export function abortable(bus: Bus, signal: AbortSignal | undefined, subscribe: () => Subscription): Subscription {
  if (signal === undefined) return subscribe();
  if (signal.aborted) return endedFor(signal.reason);
  const subscription = subscribe();
  const stopListening = onAbort(signal, () => end());
  const stopWaiting = bus.whenClosed(() => stopListening());
  const end = () => {
    subscription.end();
    stopListening();
    stopWaiting();
  };
  return new SubscriptionHandle('until its signal aborts', subscription, end);
}

function endedFor(reason: unknown): Subscription {
  const outcome = {
    get ready(): Promise<void> {
      return Promise.reject(reason);
    },
  };
  return new SubscriptionHandle('ended before it began', outcome, () => {});
}
