/**
 * What a caller is told when a call fails. Anything can be thrown, also what has no text or throws when it is looked at,
 * and there must be exactly one answer: so there are several to try, each asking less of what was thrown.
 */

import * as published from '../../base/error-classes.js';
import { DBusError, isOfBusbar } from '../../base/errors.js';
import { isErrorName, quoted } from '../../base/names.js';
import { report } from '../../diagnostics/problems.js';

/** The name of an error that has none of its own. */
export const FAILED = 'org.freedesktop.DBus.Error.Failed';

export interface ErrorAnswer {
  readonly errorName: string;
  readonly signature: string;
  readonly body: readonly unknown[];
}

/** The call that fails, for reports: what it is, and the number of its connection. */
interface FailedCall {
  readonly what: string;
  readonly connectionId: number;
  /** Whether a failure comes of the caller's own end: then the handler did nothing wrong, and no answer is wanted. */
  isEndOfCaller(thrown: unknown): boolean;
}

/**
 * The answers to try, one after the other, until one can be sent. A {@link DBusError} that the service made is the
 * answer; anything else is the service's own trouble, which is reported, and of which the caller learns the text. That goes
 * for every error that busbar made: of an argument that the handler gave it, or of a call that the handler made.
 */
export function* errorAnswers(call: FailedCall, thrown: unknown): Generator<ErrorAnswer> {
  const own = ownError(thrown);
  if (own === undefined && !endsWithCaller(call, thrown))
    report('handler', `the handler of ${call.what} failed`, thrown, call.connectionId);
  const errorName = own === undefined ? FAILED : nameOf(call, own);
  if (own?.signature !== undefined) yield { errorName, signature: own.signature, body: own.body };
  const text = textOf(thrown);
  if (text !== undefined) yield { errorName, signature: 's', body: [text] };
  yield { errorName, signature: 's', body: ['the handler failed'] };
}

/** What busbar itself has against a call, before its handler runs, is the caller's mistake: the answer that it gets. */
export function asAnswer(error: unknown): unknown {
  if (!(error instanceof DBusError) || !isOfBusbar(error)) return error;
  return new published.DBusError(error.dbusName, error.message, { cause: error });
}

function endsWithCaller(call: FailedCall, thrown: unknown): boolean {
  try {
    return call.isEndOfCaller(thrown);
  } catch {
    return false;
  }
}

function ownError(thrown: unknown): DBusError | undefined {
  try {
    return thrown instanceof DBusError && !isOfBusbar(thrown) ? thrown : undefined;
  } catch {
    return undefined;
  }
}

function nameOf({ what, connectionId }: FailedCall, { dbusName }: DBusError): string {
  if (typeof dbusName === 'string' && isErrorName(dbusName)) return dbusName;
  report(
    'handler',
    `the handler of ${what} threw an error named ${quoted(String(dbusName))}, which is not an error name: ` +
      'new DBusError() takes the name first, then the text',
    undefined,
    connectionId,
  );
  return FAILED;
}

/** The text, with what no D-Bus string may hold replaced; nothing where there is none. */
function textOf(thrown: unknown): string | undefined {
  try {
    const text = String(thrown instanceof Error ? thrown.message : thrown);
    return text.replaceAll('\0', '\ufffd').toWellFormed();
  } catch {
    return undefined;
  }
}
