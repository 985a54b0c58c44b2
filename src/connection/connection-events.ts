/**
 * What a connection reports of its life, on the diagnostics channel `busbar:connection` and in the trace: each change of
 * its state, and at the end why. It is rare, so it may cost something.
 */
import { channel } from 'node:diagnostics_channel';
import type { DBusError } from '../base/errors.js';
import { trace } from '../diagnostics/problems.js';
import type { ConnectionPhase, TransportKind } from '../native/binding.js';

/** How far a connection is in its life. It goes one way only: a connection that is `closed` stays so. */
export type ConnectionState = 'connecting' | 'open' | 'closing' | 'closed';

/**
 * A connection changed its state. The first one of each connection is `connecting`, the last one `closed`.
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
  /** Counts the connections of this process (of this thread), from 1. `bus.stats()` and the other channels have it too. */
  readonly connection: number;
  /** The state that it has now. */
  readonly state: ConnectionState;
  /** The address that was tried; empty for a client that a server accepted. */
  readonly address: string;
  /** What moves the bytes. */
  readonly transport: TransportKind;
  /** Why it never opened; only where `state` is `closed` and it did not. */
  readonly failure?: ConnectionFailure | undefined;
  /** Why an open connection ended; `undefined` where it was closed here. */
  readonly reason?: DBusError | undefined;
}

/** How far an attempt to connect came, and what stopped it there. */
export interface ConnectionFailure {
  /** How far it had come. */
  readonly phase: ConnectionPhase;
  /** The symbol of the errno, `ENOENT` for instance; `ETIMEDOUT` or `ECANCELED` where this side gave up. */
  readonly text: string;
  /** What the other side said that breaks the protocol, if that was it; else empty. */
  readonly detail: string;
}

const events = channel('busbar:connection');

/** Tells of a change of state. */
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
