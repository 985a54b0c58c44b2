/**
 * What was sent before the process ends, or while it does, is delivered: at `exit`, every open connection writes what it
 * gathered, and from then on whatever is sent is written at once. What the other side does not read in time is told of.
 *
 * One listener serves all connections, and it is only there while there is one.
 */
import { tellUnwritten, type UnwrittenTo } from '../sending/tell-unwritten.js';

interface Flushable extends UnwrittenTo {
  /** Where it leads, in words. */
  readonly where: string;
  /** Bytes that wait to be written. */
  readonly queuedBytes: number;
  /**
   * Writes what was sent, and what was put off for the end of the turn, blocking for at most so long. Returns whether all of it
   * is written.
   */
  flushNow(milliseconds: number): boolean;
}

/** How long an exiting process waits for those that do not read: for all of them together. */
const EXIT_PATIENCE = 1000;

/** How long it waits for one before it looks at the others again. */
const SLICE = 10;

const open = new Set<Flushable>();
/** When an exiting process waits no longer, on the clock of `performance.now`; nothing while it is not exiting. */
let end: number | undefined;

/** Whether the process is exiting: no turn of the event loop, and no microtask, will come any more. */
export function isExiting(): boolean {
  return end !== undefined;
}

function timeLeft(): number {
  return Math.max(0, (end ?? 0) - performance.now());
}

function flushAll(): void {
  end ??= performance.now() + EXIT_PATIENCE;
  // A peer that reads is not to go without because another does not: all have their turn before any is waited for.
  let unwritten = [...open].filter((connection) => !connection.flushNow(0));
  for (let turn = 0; unwritten.length > 0 && timeLeft() >= 1; turn++) {
    unwritten[turn % unwritten.length]?.flushNow(Math.min(SLICE, timeLeft()));
    unwritten = unwritten.filter((connection) => !connection.flushNow(0));
  }
  for (const connection of unwritten) tellGivenUp(connection);
}

/** Writes what was sent while the process exits. */
export function flushWhileExiting(connection: Flushable): void {
  if (!connection.flushNow(timeLeft())) tellGivenUp(connection);
}

function tellGivenUp(connection: Flushable): void {
  const { where, queuedBytes } = connection;
  const text = `${queuedBytes} bytes that were sent to ${where} are lost: the process ends, and the other side does not read`;
  tellUnwritten(text, connection);
}

export function flushAtExit(connection: Flushable): void {
  if (open.size === 0) process.on('exit', flushAll);
  open.add(connection);
}

export function forgetAtExit(connection: Flushable): void {
  if (open.delete(connection) && open.size === 0) process.off('exit', flushAll);
}
