/**
 * The answers to a call that fails. Any value can be thrown, including one without text or one that throws when it is
 * read, and there must be exactly one answer. So there are several candidates, each of which reads less of the thrown
 * value.
 */

import * as published from '../../base/error-classes.js';
import { DBusError, isOfBusbar } from '../../base/errors.js';
import { isErrorName, quoted } from '../../base/names.js';
import { registeredName } from '../../base/registered-errors.js';
import { report } from '../../diagnostics/problems.js';

/** The name of an error without a name of its own. */
export const FAILED = 'org.freedesktop.DBus.Error.Failed';

export interface ErrorAnswer {
  readonly errorName: string;
  readonly signature: string;
  readonly body: readonly unknown[];
}

/** The failed call, for reports: its description, and the number of its connection. */
interface FailedCall {
  readonly what: string;
  readonly connectionId: number;
  /**
   * Whether the failure follows from the end of the caller: then the handler is not at fault, and no answer is wanted.
   */
  isEndOfCaller(thrown: unknown): boolean;
}

/**
 * The candidates for the answer, to try in order until one can be sent. A {@link DBusError} that the service made is
 * the answer, and so is an error of a registered class. Any other error is reported, and the caller gets its text. That includes errors made by busbar: about an
 * argument of the handler, or about a call that the handler made.
 */
export function* errorAnswers(call: FailedCall, thrown: unknown): Generator<ErrorAnswer> {
  const own = ownError(thrown);
  const registered = own === undefined ? nameOfRegistered(thrown) : undefined;
  if (own === undefined && registered === undefined && !endsWithCaller(call, thrown))
    report('handler', `the handler of ${call.what} failed`, thrown, call.connectionId);
  const errorName = own === undefined ? (registered ?? FAILED) : nameOf(call, own);
  if (own?.signature !== undefined) yield { errorName, signature: own.signature, body: own.body };
  const text = textOf(thrown);
  if (text !== undefined) yield { errorName, signature: 's', body: [text] };
  yield { errorName, signature: 's', body: ['the handler failed'] };
}

/** An error of busbar about a call, before its handler runs, is the caller's mistake. Returns the answer for it. */
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

/** The name of an error of a class that the program has registered. */
function nameOfRegistered(thrown: unknown): string | undefined {
  try {
    return registeredName(thrown);
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

/** The text, with characters replaced that D-Bus strings cannot contain; nothing if there is no text. */
function textOf(thrown: unknown): string | undefined {
  try {
    const text = String(thrown instanceof Error ? thrown.message : thrown);
    return text.replaceAll('\0', '\ufffd').toWellFormed();
  } catch {
    return undefined;
  }
}
