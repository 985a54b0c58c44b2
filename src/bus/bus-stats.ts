/** The result of `bus.stats()`. */
import type { ConnectionCounts } from '../connection/traffic.js';
import type { BusState } from './link/link.js';

/**
 * The present state of a bus in numbers, and counts of the traffic of all its connections. Reading them costs little.
 */
export interface BusStats extends ConnectionCounts {
  /** The number of the present connection on the diagnostics channels; of the last one while there is none. */
  readonly connection: number;
  /** The state of the connection. */
  readonly state: BusState;
  /**
   * Match rules at the bus for the program's subscriptions and watchers. Equal rules count once. A subscription to a
   * well-known name has one more, which follows the owner of the name.
   */
  readonly matchRules: number;
  /**
   * Well-known names that were called, whose owners are followed from the first call on: up to 1152. Their match rules
   * are internal to busbar and not counted in `matchRules`: one for each of 128 names, and up to 16 that the other names
   * share.
   */
  readonly calledNames: number;
  /**
   * Callers that are followed until they leave, or until their calls are answered, because a handler tracks them or has
   * read a signal of them. Their match rules are internal, too: one for each of 64 callers, and one that all others share.
   */
  readonly followedCallers: number;
  /** Subscriptions to signals and watchers of names that the program has not ended. */
  readonly subscriptions: number;
  /** Well-known names that the connection owns or is queued for. */
  readonly ownedNames: number;
  /** Signals with a listener that were dropped because their bodies were not valid. */
  readonly droppedSignals: number;
  /**
   * Signals without a listener: those of a rule that has just been removed, and those whose sender does not own the
   * name that was subscribed to.
   */
  readonly unmatchedSignals: number;
}
