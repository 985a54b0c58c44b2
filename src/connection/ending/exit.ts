/**
 * Writes messages that were sent before or during the exit of the process. At `exit`, every open connection writes its
 * gathered messages, and from then on every message is written immediately. The process waits until the other side has
 * read them: a bus that writes to the socket of a process that has ended drops what it has not read. Bytes that could
 * not be written in time are reported.
 *
 * One listener serves all connections, and is registered only while there is a connection.
 */
import { tellUnwritten, type UnwrittenTo } from '../sending/tell-unwritten.js';

interface Flushable extends UnwrittenTo {
  /** A description of the other side. */
  readonly where: string;
  /** Bytes that are queued. */
  readonly queuedBytes: number;
  /**
   * Writes the queued bytes, and messages that were deferred to the end of the tick, and waits until the other side has
   * read them, blocking for at most this long. Returns whether it has read all.
   */
  flushNow(milliseconds: number): boolean;
}

/** How long an exiting process waits for all connections whose other side does not read, in total. */
const EXIT_PATIENCE = 1000;

/** How long it waits for one connection before it tries the others again. */
const SLICE = 10;

const open = new Set<Flushable>();
/** When an exiting process stops waiting, on the clock of `performance.now`; `undefined` while it does not exit. */
let end: number | undefined;

/** Whether the process is exiting: there will be no further tick and no further microtask. */
export function isExiting(): boolean {
  return end !== undefined;
}

function timeLeft(): number {
  return Math.max(0, (end ?? 0) - performance.now());
}

function flushAll(): void {
  end ??= performance.now() + EXIT_PATIENCE;
  // Each connection writes once before the process waits for any of them, so that no peer misses messages because
  // another does not read.
  let unread = [...open].filter((connection) => !connection.flushNow(0));
  for (let slice = 0; unread.length > 0 && timeLeft() >= 1; slice++) {
    unread[slice % unread.length]?.flushNow(Math.min(SLICE, timeLeft()));
    unread = unread.filter((connection) => !connection.flushNow(0));
  }
  for (const connection of unread) reportLost(connection);
}

/** Writes the queued bytes while the process exits. */
export function flushWhileExiting(connection: Flushable): void {
  if (!connection.flushNow(timeLeft())) reportLost(connection);
}

/** Reports bytes that were not written. Bytes that the kernel has may still be read. */
function reportLost(connection: Flushable): void {
  const { where, queuedBytes } = connection;
  if (queuedBytes === 0) return;
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
