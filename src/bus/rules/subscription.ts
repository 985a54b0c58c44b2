/** The handle of a subscription to signals. */

import type { Handle } from '../../base/handle.js';

/**
 * A subscription to signals. After it has ended, the listener is not called again, not even for signals that have
 * arrived.
 */
export interface Subscription extends Handle {
  /**
   * Resolves when the bus has accepted the match rule, and rejects if the bus refuses it. You need not await it before
   * a call that causes signals, because the bus handles messages in the order in which they were sent.
   */
  readonly ready: Promise<void>;
}
