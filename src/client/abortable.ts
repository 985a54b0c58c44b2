/** A signal subscription that an AbortSignal ends. */

import { withHandle } from '../base/handle.js';
import type { Bus } from '../bus/bus.js';
import type { Subscription } from '../bus/rules/subscription.js';
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
  const outcome = {
    get ready(): Promise<void> {
      return subscription.ready;
    },
  };
  return withHandle(outcome, 'subscription', 'until its signal aborts', end);
}

function endedFor(reason: unknown): Subscription {
  const outcome = {
    get ready(): Promise<void> {
      return Promise.reject(reason);
    },
  };
  return withHandle(outcome, 'subscription', 'ended before it began', () => {});
}
