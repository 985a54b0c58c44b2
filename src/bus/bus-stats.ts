/** What `bus.stats()` tells. */
import type { ConnectionState } from '../connection/lifecycle.js';
import type { Traffic } from '../connection/traffic.js';

/** What a connection holds at this moment, and counts of what it did so far. Counting is done anyway; asking is cheap. */
export interface BusStats extends Traffic {
  /** The number by which the diagnostics channels call this connection. */
  readonly connection: number;
  /** How far the connection is in its life. */
  readonly state: ConnectionState;
  /** Calls that wait for their reply. */
  readonly pendingCalls: number;
  /** Rules that are in force at the bus. Equal ones are one. Each well-known name that was called has one (up to 128). */
  readonly matchRules: number;
  /** Who listens by these rules; following the owner of a well-known name counts as well. */
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
