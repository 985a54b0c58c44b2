/**
 * Publishes each change of a connection's state, and the reason of its end, on the diagnostics channel
 * `busbar:connection` and in the trace. These events are rare, so their cost does not matter.
 */
import { channel } from 'node:diagnostics_channel';
import type { DBusError } from '../base/errors.js';
import { trace } from '../diagnostics/problems.js';
import type { ConnectionPhase, TransportKind } from '../native/binding.js';

/** The state of a connection. It never goes back: a `closed` connection stays closed. */
export type ConnectionState = 'connecting' | 'open' | 'closing' | 'closed';

/**
 * A connection changed its state. The first state of each connection is `connecting`, the last one `closed`.
 *
 * @example
 * ```ts
 * diagnosticsChannel.subscribe('busbar:connection', (event) => {
 *   const { connection, state, failure, reason } = event as ConnectionEvent;
 *   console.log(connection, state, failure?.text ?? reason?.message);
 * });
 * ```
 */
export interface ConnectionEvent {
  /**
   * The number of the connection in this process or worker thread, from 1. `bus.stats()` and the other channels have
   * the same number.
   */
  readonly connection: number;
  /** The new state. */
  readonly state: ConnectionState;
  /** The address of the attempt; empty for a client that a server accepted. */
  readonly address: string;
  /** The transport of the connection. */
  readonly transport: TransportKind;
  /** Why the connection never opened; only if `state` is `closed` and it did not open. */
  readonly failure?: ConnectionFailure | undefined;
  /** Why an open connection ended; `undefined` if this side closed it. */
  readonly reason?: DBusError | undefined;
}

/** How far an attempt to connect got, and the error that ended it. */
export interface ConnectionFailure {
  /** The phase in which it failed. */
  readonly phase: ConnectionPhase;
  /** The symbol of the errno, for instance `ENOENT`; `ETIMEDOUT` or `ECANCELED` if this side gave up. */
  readonly text: string;
  /** How the other side broke the protocol, if that was the reason; otherwise empty. */
  readonly detail: string;
}

const events = channel('busbar:connection');

/** Publishes a change of state. */
export function publishState(event: ConnectionEvent): void {
  if (events.hasSubscribers) events.publish(event);
  if (trace.enabled) trace('#%d %s', event.connection, line(event));
}

function line({ state, address, transport, failure, reason }: ConnectionEvent): string {
  if (state === 'connecting') return `connecting to ${address === '' ? 'a client' : address} (${transport})`;
  if (failure !== undefined) {
    const { phase, text, detail } = failure;
    return `closed: failed to ${phase}: ${text}${detail === '' ? '' : `: ${detail}`}`;
  }
  return reason === undefined ? state : `${state}: ${reason.message}`;
}
