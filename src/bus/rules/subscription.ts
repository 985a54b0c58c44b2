/** The handle of a subscription to signals. */

import type { Handle } from '../../base/handle.js';

/** A listener in force. After it was ended, the listener is not called again, not even for signals that have arrived. */
export interface Subscription extends Handle {
  /**
   * Resolves when the bus has put the match rule in force, rejects if the bus refuses it. It need not be awaited before
   * a call whose effect is to be observed, because the bus handles messages in the order in which they were sent.
   */
  readonly ready: Promise<void>;
}
