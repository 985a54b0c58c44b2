/** The handle of whoever listens to signals. */

import type { Handle } from '../../base/handle.js';

/** A listener in force. When it was ended, the listener is not called again, not even for signals that have arrived. */
export interface Subscription extends Handle {
  /**
   * Resolves when the bus has put the match rule in force, rejects if it refuses to. There is no need to await it
   * before a call whose effect is to be observed: the bus handles messages in the order in which they were sent.
   */
  readonly ready: Promise<void>;
}
