/**
 * What busbar reports besides results and errors: things that went wrong where nobody waits for an answer, and
 * one-line traces. Subscribe with `node:diagnostics_channel` (`busbar:problem`), or set `NODE_DEBUG=busbar`.
 */
import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { printable, printableStack } from '../base/printable.js';
import { warnAtRate } from './warnings.js';

/** Something that went wrong, or is odd, where nobody waits for an answer. */
export interface Problem {
  /** What kind of problem it is. */
  readonly kind: ProblemKind;
  /** What happened, in words. */
  readonly message: string;
  /** The error behind it, with its stack; it never leaves the process. */
  readonly error?: unknown;
  /** The number of the connection, as in `bus.stats().connection`; `undefined` where it is about none in particular. */
  readonly connection?: number | undefined;
}

/**
 * What kind of problem it is:
 *
 * - `handler`: code of the user's threw: a method, a getter, a listener
 * - `misfit`: what came, or a value of the user's, is not of the type that was described
 * - `subscription`: the bus refused a match rule that nobody asked about
 * - `message`: a message was dropped, or could not be handled
 * - `introspection`: a part of introspection data cannot be used, and is left out
 * - `descriptor`: a file descriptor was dropped, or could not be closed
 * - `name`: the owner of a name cannot be followed
 * - `peer`: a client of a server was turned away, or could not be accepted
 * - `send`: something that was to be sent was not
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

/** Writes a trace line where `NODE_DEBUG` includes `busbar`. */
export const trace = debuglog('busbar');

/**
 * Reports a {@link Problem} on the diagnostics channel `busbar:problem` and in the trace. Where nobody subscribes to
 * the channel, failures of the user's own handlers become process warnings: they must not go unseen. Callers can cause
 * these, so they have a rate. {@link reportMisfit} does the same for values of the user's.
 */
export function report(kind: ProblemKind, message: string, error?: unknown, connection?: number): void {
  if (problems.hasSubscribers) problems.publish({ kind, message, error, connection } satisfies Problem);
  else if (kind === 'handler') warnOfFailure('BUSBAR_HANDLER', message, error);
  if (!trace.enabled) return;
  const whose = connection === undefined ? '' : `#${connection} `;
  trace('%s%s: %s%s', whose, kind, printable(message), error === undefined ? '' : `\n${shown(error).detail}`);
}

/**
 * Reports what came and was dropped, because it is not what was described: what does not come looks as if it had not been
 * sent, so it is a process warning where the channel has no subscriber.
 */
export function reportDropped(message: string, cure: string, connection: number): void {
  if (!problems.hasSubscribers) warnAtRate('BUSBAR_DROPPED', printable(message), cure);
  report('misfit', message, undefined, connection);
}

/**
 * Runs code of the user's that nobody waits for, a listener for instance. That it throws, or its promise rejects, is
 * its own failure: it is reported, and nothing else stops.
 */
export function runHandler(what: string, run: () => unknown, connection?: number): void {
  try {
    const result = run();
    if (result instanceof Promise) reportRejection(what, result, connection);
  } catch (error) {
    reportFailure(what, error, connection);
  }
}

/** Reports that code of the user's threw. */
export function reportFailure(what: string, error: unknown, connection?: number): void {
  report('handler', `${what} failed`, error, connection);
}

/** Reports it if what code of the user's returned rejects. */
export function reportRejection(what: string, result: Promise<unknown>, connection?: number): void {
  result.catch((error: unknown) => reportFailure(what, error, connection));
}

/**
 * Reports that a value of the program's own, a result or a property, is not of the type that it was described with. The author
 * hears of it as of code that threw: the caller is told that something failed, and can do nothing about it.
 */
export function reportMisfit(message: string, error: unknown, connection?: number): void {
  if (!problems.hasSubscribers) warnOfFailure('BUSBAR_MISFIT', message, error);
  report('misfit', message, error, connection);
}

function warnOfFailure(code: string, message: string, error: unknown): void {
  const { text, detail, hasMore } = error === undefined ? { text: '', detail: '', hasMore: false } : shown(error);
  warnAtRate(code, printable(text === '' ? message : `${message}: ${text}`), hasMore ? detail : '');
}

/** An error in a few words. */
export function inWords(error: unknown): string {
  return shown(error).text;
}

interface Shown {
  readonly text: string;
  readonly detail: string;
  /** Whether `detail` tells more than `text`: where the error is from. */
  readonly hasMore: boolean;
}

/** An error in words that can be printed. Anything can be thrown, also what throws when it is looked at. */
function shown(error: unknown): Shown {
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
