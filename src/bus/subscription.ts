/** The handle of whoever listens to signals. */

/** A listener in force. Disposing it (`using`), or `unsubscribe`, ends it exactly once; more often does nothing. */
export interface Subscription extends Disposable {
  /** Ends the subscription: the listener is not called again, not even for signals that have arrived. */
  unsubscribe(): void;
  /**
   * Resolves when the bus has put the match rule in force, rejects if it refuses to. There is no need to await it
   * before a call whose effect is to be observed: the bus handles messages in the order in which they were sent.
   */
  readonly ready: Promise<void>;
}
