/** The handle of a subscription to signals. */

import { EndHandle, type Handle } from '../../base/handle.js';

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

export class SubscriptionHandle extends EndHandle implements Subscription {
  readonly #outcome: Pick<Subscription, 'ready'>;

  /**
   * @param which the rule, as it is printed
   * @param outcome has the promise of the bus's answer; it is read when the program reads it
   * @param end may be called more than once
   */
  constructor(which: string, outcome: Pick<Subscription, 'ready'>, end: () => void) {
    super('subscription', which, end);
    this.#outcome = outcome;
  }

  get ready(): Promise<void> {
    return this.#outcome.ready;
  }
}
