/**
 * Reports problems that no result or error reaches the program with, and writes one-line traces. Programs subscribe
 * with `node:diagnostics_channel` (`busbar:problem`) or set `NODE_DEBUG=busbar`.
 */
import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { printable, printableStack } from '../base/printable.js';
import { warnAtRate } from './warnings.js';

/** A failure that no exception or promise reports. */
export interface Problem {
  /** The kind of problem. */
  readonly kind: ProblemKind;
  /** A description of what happened. */
  readonly message: string;
  /** The error that caused it, with its stack. It never leaves the process. */
  readonly error?: unknown;
  /**
   * The number of the connection, as in `bus.stats().connection`; `undefined` if the problem concerns no particular
   * connection.
   */
  readonly connection?: number | undefined;
}

/** A bus, whose present connection has a number in diagnostics. */
export interface Numbered {
  readonly connectionId: number;
}

/**
 * The kind of a problem:
 *
 * - `handler`: code of the program threw: a method, a getter, a listener
 * - `misfit`: a received value, or a value of the program, does not match its description
 * - `subscription`: the bus refused a match rule, and no code reads `ready` of the subscription
 * - `message`: a message was dropped, or could not be handled
 * - `introspection`: a part of introspection data cannot be used and is left out
 * - `descriptor`: a file descriptor was dropped, or could not be closed
 * - `name`: the owner of a name cannot be followed
 * - `peer`: a client of a server was refused, or could not be accepted
 * - `send`: a message was not sent
 */
export type ProblemKind =
  | 'handler'
  | 'misfit'
  | 'subscription'
  | 'message'
  | 'introspection'
  | 'descriptor'
  | 'name'
  | 'peer'
  | 'send';

const problems = channel('busbar:problem');

/** Writes a trace line if `NODE_DEBUG` includes `busbar`. */
export const trace = debuglog('busbar');

/**
 * Reports a {@link Problem} on the diagnostics channel `busbar:problem` and in the trace. If the channel has no
 * subscriber, failures of the program's own handlers become process warnings, so that they do not go unnoticed. Callers
 * can cause them, so the rate of warnings is limited. {@link reportMisfit} does the same for values of the program.
 */
export function report(kind: ProblemKind, message: string, error?: unknown, connection?: number): void {
  if (problems.hasSubscribers) problems.publish({ kind, message, error, connection } satisfies Problem);
  else if (kind === 'handler') warnOfFailure('BUSBAR_HANDLER', message, error);
  if (!trace.enabled) return;
  const whose = connection === undefined ? '' : `#${connection} `;
  trace('%s%s: %s%s', whose, kind, printable(message), error === undefined ? '' : `\n${describeError(error).detail}`);
}

/**
 * Reports a received value that was dropped because it does not match its description. To the program it would look as
 * if nothing had been sent, so it is a process warning if the channel has no subscriber.
 */
export function reportDropped(message: string, cure: string, connection: number): void {
  if (!problems.hasSubscribers) warnAtRate('BUSBAR_DROPPED', printable(message), cure);
  report('misfit', message, undefined, connection);
}

/**
 * Runs code of the program whose result no caller waits for, a listener for instance. If it throws or its promise
 * rejects, the failure is reported and affects nothing else.
 */
export function runHandler(what: string, run: () => unknown, connection?: number): void {
  try {
    const result = run();
    if (result instanceof Promise) reportRejection(what, result, connection);
  } catch (error) {
    reportFailure(what, error, connection);
  }
}

/** Reports that code of the program threw. */
export function reportFailure(what: string, error: unknown, connection?: number): void {
  report('handler', `${what} failed`, error, connection);
}

/** Reports the failure if a promise that code of the program returned rejects. */
export function reportRejection(what: string, result: Promise<unknown>, connection?: number): void {
  result.catch((error: unknown) => reportFailure(what, error, connection));
}

/**
 * Reports that a value of the program itself, a result or a property, does not match its description. Like a handler
 * that threw, it can become a process warning, so that the author learns of it: the caller is only told that the call
 * failed, and can do nothing about it.
 */
export function reportMisfit(message: string, error: unknown, connection?: number): void {
  if (!problems.hasSubscribers) warnOfFailure('BUSBAR_MISFIT', message, error);
  report('misfit', message, error, connection);
}

function warnOfFailure(code: string, message: string, error: unknown): void {
  const { text, detail, hasMore } =
    error === undefined ? { text: '', detail: '', hasMore: false } : describeError(error);
  warnAtRate(code, printable(text === '' ? message : `${message}: ${text}`), hasMore ? detail : '');
}

/** A short text of an error. */
export function errorText(error: unknown): string {
  return describeError(error).text;
}

interface ErrorDescription {
  readonly text: string;
  readonly detail: string;
  /** Whether `detail` tells more than `text`: where the error was thrown. */
  readonly hasMore: boolean;
}

/** Describes an error in printable text. Any value may have been thrown, even one that throws when it is read. */
function describeError(error: unknown): ErrorDescription {
  try {
    if (!(error instanceof Error)) {
      const text = printable(String(error));
      return { text, detail: text, hasMore: false };
    }
    const message = String(error.message);
    const stack = String(error.stack ?? message);
    const hasMore = stack !== `${error.name}: ${message}`;
    return { text: printable(message), detail: printableStack(stack, message), hasMore };
  } catch {
    return { text: 'what was thrown cannot be shown', detail: '', hasMore: false };
  }
}
