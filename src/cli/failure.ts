/** How commands fail: the exit codes, and the text for each kind of error. */
import { printable } from '../base/printable.js';
import { library } from './library.js';

/** The exit codes. docs/guide/command-line.md has the same table. */
export const ExitCode = {
  /** Everything was done. */
  Ok: 0,
  /** The peer or the bus answered with an error, something was not found, or a check found something. */
  Failed: 1,
  /** The command line is wrong. Nothing was sent. */
  Usage: 2,
  /** There is no connection, or it was lost. */
  NoConnection: 3,
  /** No answer arrived in time: as `timeout(1)`. */
  TimedOut: 124,
  /** Interrupted by Ctrl+C: 128 and the number of the signal, as in shells. */
  Interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** A failure of which the text is everything that the user has to know. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;

  /** @param text what happened; further lines are hints */
  constructor(text: string, exitCode: ExitCode = ExitCode.Failed) {
    super(text);
    this.exitCode = exitCode;
  }
}

/** A mistake in the command line. */
export class UsageFailure extends CommandFailure {
  constructor(text: string) {
    super(text, ExitCode.Usage);
  }
}

/** What a function returns; `undefined` if it throws a {@link CommandFailure}. */
export function succeeds<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof CommandFailure) return undefined;
    throw error;
  }
}

/** The text and the exit code for an error that a command threw; `undefined` for a fault of busbar itself. */
export function explain(error: unknown): { readonly text: string; readonly exitCode: ExitCode } | undefined {
  if (error instanceof CommandFailure) return { text: error.message, exitCode: error.exitCode };
  if (library === undefined || !(error instanceof library.DBusError)) return ofSystem(error);
  return { text: textOf(error), exitCode: codeOf(error) };
}

/** What the system refuses, such as a file that cannot be written: its reason, and the path if Node.js tells it. */
function ofSystem(error: unknown) {
  const { syscall, code, path, message } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || syscall === undefined || code === undefined) return undefined;
  const reason = message.replace(`${code}: `, '').replace(/, \w+( '.*')?$/s, '');
  return { text: printable(`${path ?? syscall}: ${reason} (${code})`), exitCode: ExitCode.Failed };
}

function codeOf(error: unknown): ExitCode {
  const { ConnectError, ConnectionClosedError, InvalidArgumentError, NotSupportedError, TimeoutError } = library;
  if (error instanceof TimeoutError) return ExitCode.TimedOut;
  if (error instanceof ConnectError || error instanceof ConnectionClosedError) return ExitCode.NoConnection;
  // A service may answer with this error as well.
  const isOwn = (error as { readonly reply?: unknown }).reply === undefined;
  if (isOwn && (error instanceof InvalidArgumentError || error instanceof NotSupportedError)) return ExitCode.Usage;
  return ExitCode.Failed;
}

/** An answer has the name of the error, by which it is documented. */
function textOf(error: InstanceType<typeof library.DBusError>): string {
  if (error.reply !== undefined) {
    // The library adds the place of the call to the text, which the command line has already.
    const [text] = error.body;
    return `${printable(error.dbusName)}: ${printable(typeof text === 'string' ? text : error.message)}`;
  }
  return error.message.split('\n').map(printable).join('\n');
}
