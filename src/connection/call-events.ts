/**
 * Publishes the outcomes of calls on the diagnostics channel `busbar:call`; failed calls also go to the trace. Settling
 * a call is the hot path: nothing is allocated for it without a subscriber, which `watchesCalls` tells.
 */
import { channel } from 'node:diagnostics_channel';
import { trace } from '../diagnostics/problems.js';
import { describeMessage, type HeaderFields } from './message.js';

/**
 * How a call ended:
 *
 * - `reply`: with the values of the reply
 * - `error`: the peer or the bus answered with a D-Bus error
 * - `unreadable`: a reply arrived, but its body is invalid or not what the call expected
 * - `timeout`: no reply arrived in time. A later one counts as an unexpected reply
 * - `abort`: its AbortSignal aborted
 * - `unsent`: it was not sent: a value did not match, too many bytes were queued, or sd-bus refused it
 * - `closed`: the connection ended first
 */
export type CallOutcome = 'reply' | 'error' | 'unreadable' | 'timeout' | 'abort' | 'unsent' | 'closed';

/** The number of calls with each outcome. */
export type CallCounts = Readonly<Record<CallOutcome, number>>;

/** A call of this process was settled. */
export interface CallEvent extends HeaderFields {
  /** The number of the connection, as in `bus.stats().connection`. */
  readonly connection: number;
  /** The serial of the call's message. */
  readonly serial: number;
  /** How the call ended. */
  readonly outcome: CallOutcome;
  /** A description of the reason, for `unsent` and `unreadable`. */
  readonly reason?: string | undefined;
  /** The duration; `undefined` if the call was made before there was a subscriber. */
  readonly milliseconds: number | undefined;
}

const events = channel('busbar:call');
const isTraced = trace.enabled;

/** Whether there is a subscriber or a trace of calls. */
export function watchesCalls(): boolean {
  return events.hasSubscribers || isTraced;
}

/** Publishes the outcome of a call; only to be called if {@link watchesCalls} returns true. */
export function publishCall(event: CallEvent): void {
  if (events.hasSubscribers) events.publish(event);
  if (!isTraced || event.outcome === 'reply') return;
  const { connection, serial, outcome, errorName = '', reason, milliseconds } = event;
  const what = outcome === 'error' ? errorName : outcome;
  const time = milliseconds === undefined ? '' : ` after ${milliseconds.toFixed(1)} ms`;
  const why = reason === undefined ? '' : `: ${reason}`;
  trace('#%d call %d: %s%s: %s%s', connection, serial, what, time, describeMessage(event), why);
}
