/** What `bus.stats()` tells. */
import type { ConnectionState } from '../connection/connection-events.js';
import type { Traffic } from '../connection/traffic.js';

/** What a connection holds at this moment, and counts of what it did so far. Counting is done anyway; asking is cheap. */
export interface BusStats extends Traffic {
  /** The number by which the diagnostics channels call this connection. */
  readonly connection: number;
  /** How far the connection is in its life. */
  readonly state: ConnectionState;
  /** Calls that wait for their reply. */
  readonly pendingCalls: number;
  /**
   * Match rules at the bus for what the program subscribed to and watches. Equal ones are one. A subscription to a
   * well-known name has one more, which follows the owner of the name.
   */
  readonly matchRules: number;
  /**
   * Well-known names that were called, whose owners are followed from the first call on: up to 128. Each has a match rule,
   * which is busbar's own and not among `matchRules`.
   */
  readonly calledNames: number;
  /** Subscriptions to signals, and watchers of names, that the program has not ended. */
  readonly subscriptions: number;
  /** Well-known names that the connection owns or waits for. */
  readonly ownedNames: number;
  /** Bytes that were sent but not yet taken by the kernel. */
  readonly queuedBytes: number;
  /** Whether nothing is read, because too many bytes of answers wait to be written: see `limits.queuedBytes`. */
  readonly readingPaused: boolean;
  /** Signals that somebody listens to, and that were dropped because their bodies were not valid. */
  readonly droppedSignals: number;
  /**
   * Signals that nobody listens to: of a rule that has just been removed, or from somebody who does not own the name that
   * they were wanted from.
   */
  readonly unmatchedSignals: number;
}
