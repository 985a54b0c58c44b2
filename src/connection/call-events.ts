/**
 * How calls ended, on the diagnostics channel `busbar:call`; those that failed are in the trace too. Settling a call is
 * the hot path: nothing is made for it unless somebody watches, which `watchesCalls` tells.
 */
import { channel } from 'node:diagnostics_channel';
import { trace } from '../diagnostics/problems.js';
import { describeMessage, type HeaderFields } from './message.js';

/**
 * How a call ended:
 *
 * - `reply`: with the values that it asked for
 * - `error`: the peer or the bus answered with a D-Bus error
 * - `unreadable`: an answer came, but its body is not valid or not what was to be made of it
 * - `timeout`: no answer came in time. One that comes later is counted as an unexpected reply
 * - `abort`: its AbortSignal
 * - `unsent`: it never left: a value did not fit, too much was waiting to be written, sd-bus refused it
 * - `closed`: the connection ended first
 */
export type CallOutcome = 'reply' | 'error' | 'unreadable' | 'timeout' | 'abort' | 'unsent' | 'closed';

/** How many calls ended in each way. */
export type CallCounts = Readonly<Record<CallOutcome, number>>;

/** A call that was made here is settled. */
export interface CallEvent extends HeaderFields {
  /** The number of the connection, as in `bus.stats().connection`. */
  readonly connection: number;
  /** The serial of the call's message. */
  readonly serial: number;
  /** How it ended. */
  readonly outcome: CallOutcome;
  /** Why, in words, where the outcome does not tell: for what is `unsent` or `unreadable`. */
  readonly reason?: string | undefined;
  /** What it took; `undefined` where the call was made before anybody watched. */
  readonly milliseconds: number | undefined;
}

const events = channel('busbar:call');
const isTraced = trace.enabled;

/** Whether anybody wants to hear of calls. */
export function watchesCalls(): boolean {
  return events.hasSubscribers || isTraced;
}

/** Tells how a call ended; only to be called where {@link watchesCalls} says so. */
export function publishCall(event: CallEvent): void {
  if (events.hasSubscribers) events.publish(event);
  if (!isTraced || event.outcome === 'reply') return;
  const { connection, serial, outcome, errorName = '', reason, milliseconds } = event;
  const what = outcome === 'error' ? errorName : outcome;
  const time = milliseconds === undefined ? '' : ` after ${milliseconds.toFixed(1)} ms`;
  const why = reason === undefined ? '' : `: ${reason}`;
  trace('#%d call %d: %s%s: %s%s', connection, serial, what, time, describeMessage(event), why);
}
