/**
 * Errors that busbar makes. Their classes are those of `error-classes.ts` but for a mark: a service answers its callers with an
 * error that it made, and never with one that busbar made for the service, of a wrong argument or a call that failed. The
 * mark tells which it is, wherever in busbar an error comes from.
 */
import type { Message } from '../connection/message.js';
import * as published from './error-classes.js';
import { printable } from './printable.js';

export type { DBusErrorOptions } from './error-classes.js';

/** A class as busbar uses it: a subclass of its own that looks the same. */
function marked<ErrorClass extends typeof published.DBusError | typeof published.WellKnownError>(
  errorClass: ErrorClass,
): ErrorClass {
  const base = errorClass as new (...args: never[]) => published.DBusError;
  const { name } = errorClass.prototype;
  const own = { [name]: class extends base {} }[name] as unknown as ErrorClass;
  Object.defineProperties(own.prototype, {
    [published.ofBusbar]: { value: true },
    constructor: { value: errorClass, configurable: true, writable: true },
  });
  published.shareBrand(own as typeof published.DBusError, errorClass as typeof published.DBusError);
  return own;
}

export const DBusError = marked(published.DBusError);
export type DBusError = published.DBusError;

export const ServiceUnknownError = marked(published.ServiceUnknownError);
export type ServiceUnknownError = published.ServiceUnknownError;

export const NameHasNoOwnerError = marked(published.NameHasNoOwnerError);
export type NameHasNoOwnerError = published.NameHasNoOwnerError;

export const ServiceLeftError = marked(published.ServiceLeftError);
export type ServiceLeftError = published.ServiceLeftError;

export const UnknownObjectError = marked(published.UnknownObjectError);
export type UnknownObjectError = published.UnknownObjectError;

export const UnknownInterfaceError = marked(published.UnknownInterfaceError);
export type UnknownInterfaceError = published.UnknownInterfaceError;

export const UnknownMethodError = marked(published.UnknownMethodError);
export type UnknownMethodError = published.UnknownMethodError;

export const UnknownPropertyError = marked(published.UnknownPropertyError);
export type UnknownPropertyError = published.UnknownPropertyError;

export const PropertyReadOnlyError = marked(published.PropertyReadOnlyError);
export type PropertyReadOnlyError = published.PropertyReadOnlyError;

export const AccessDeniedError = marked(published.AccessDeniedError);
export type AccessDeniedError = published.AccessDeniedError;

export const InteractiveAuthorizationRequiredError = marked(published.InteractiveAuthorizationRequiredError);
export type InteractiveAuthorizationRequiredError = published.InteractiveAuthorizationRequiredError;

export const LimitsExceededError = marked(published.LimitsExceededError);
export type LimitsExceededError = published.LimitsExceededError;

export const BackpressureError = marked(published.BackpressureError);
export type BackpressureError = published.BackpressureError;

export const NotSupportedError = marked(published.NotSupportedError);
export type NotSupportedError = published.NotSupportedError;

export const MatchRuleNotFoundError = marked(published.MatchRuleNotFoundError);
export type MatchRuleNotFoundError = published.MatchRuleNotFoundError;

export const InvalidArgumentError = marked(published.InvalidArgumentError);
export type InvalidArgumentError = published.InvalidArgumentError;

export const TimeoutError = marked(published.TimeoutError);
export type TimeoutError = published.TimeoutError;

export const ConnectionClosedError = marked(published.ConnectionClosedError);
export type ConnectionClosedError = published.ConnectionClosedError;

export const CallerLeftError = marked(published.CallerLeftError);
export type CallerLeftError = published.CallerLeftError;

export const ConnectError = marked(published.ConnectError);
export type ConnectError = published.ConnectError;

export const ListenError = marked(published.ListenError);
export type ListenError = published.ListenError;

export const ProtocolError = marked(published.ProtocolError);
export type ProtocolError = published.ProtocolError;

export const InvalidReplyError = marked(published.InvalidReplyError);
export type InvalidReplyError = published.InvalidReplyError;

export const NameTakenError = marked(published.NameTakenError);
export type NameTakenError = published.NameTakenError;

export const NameReleasedError = marked(published.NameReleasedError);
export type NameReleasedError = published.NameReleasedError;

/**
 * The error for what needs a connection that is over.
 *
 * @param text what cannot be, without the reason
 * @param reason why the connection was lost; nothing where it was closed here
 * @internal
 */
export function closedError(text: string, reason: DBusError | undefined): ConnectionClosedError {
  if (reason === undefined) return new ConnectionClosedError(text);
  return new ConnectionClosedError(`${text}: ${reason.message}`, { cause: reason });
}

/**
 * Whether something was not sent because nothing can be, and not because of what it is.
 *
 * @internal
 */
export function isOverOrFull(error: unknown): boolean {
  return error instanceof ConnectionClosedError || error instanceof BackpressureError;
}

/** Whether busbar made an error, and not the program: a service that throws it does not mean it as the answer to its caller. */
export function isOfBusbar(error: DBusError): boolean {
  return published.ofBusbar in error;
}

/** What a received error becomes, by its name on the wire. Kinds that tell of a connection or a call of one's own are none. */
const receivedClasses = new Map(
  [
    ServiceUnknownError,
    NameHasNoOwnerError,
    UnknownObjectError,
    UnknownInterfaceError,
    UnknownMethodError,
    UnknownPropertyError,
    PropertyReadOnlyError,
    AccessDeniedError,
    InteractiveAuthorizationRequiredError,
    LimitsExceededError,
    NotSupportedError,
    MatchRuleNotFoundError,
    InvalidArgumentError,
  ].map((errorClass) => [errorClass.dbusName, errorClass]),
);

/** The names by which a bus says that a call gets no reply. From a service they tell of something that the service did. */
const noReplyNames: ReadonlySet<string> = new Set(
  ['NoReply', 'Timeout', 'TimedOut'].map((name) => `org.freedesktop.DBus.Error.${name}`),
);

/**
 * The class of a received error. Those that tell of a connection or a call of one's own are made here alone: an answer
 * named `Disconnected` tells of a connection of the service's, and a program that reconnects must not believe it.
 */
function receivedClass(
  dbusName: string,
  sender: string | undefined,
  text: string,
): typeof published.WellKnownError | undefined {
  if (sender === 'org.freedesktop.DBus' && noReplyNames.has(dbusName)) {
    // Of the buses only dbus-daemon has a time limit for replies, off by default; its text is all that tells.
    const isLeft = dbusName === ServiceLeftError.dbusName && !/\btime(d ?)?out\b/.test(text);
    return isLeft ? ServiceLeftError : TimeoutError;
  }
  return receivedClasses.get(dbusName);
}

/**
 * The error for an ERROR message. Peers may leave the text out, send something else first, or add values: whatever
 * they sent is in `body`.
 *
 * @param text the first value where it is a string, else nothing. In the message its control characters are escaped: errors
 *   are printed, and whoever answers must not write to the terminal of who called
 * @param body the message's values, or what decodes them when somebody looks
 * @param call what was called, for the text
 * @internal
 */
export function errorFromReply(
  reply: Message,
  text: string,
  body: readonly unknown[] | (() => readonly unknown[]),
  call: string,
): DBusError {
  const { errorName: dbusName = 'org.freedesktop.DBus.Error.Failed' } = reply;
  const error = errorNamed(dbusName, reply.sender, text, typeof body === 'function' ? [] : body, call);
  if (typeof body === 'function') Object.defineProperty(error, 'body', { get: body, enumerable: true });
  // Hidden, so that an error that is printed shows what went wrong and not all of a message.
  return Object.defineProperty(error, 'reply', { value: reply, configurable: true });
}

function errorNamed(
  dbusName: string,
  sender: string | undefined,
  received: string,
  body: readonly unknown[],
  call: string,
): DBusError {
  const told = printable(received.trim());
  const text = told === '' ? dbusName : told;
  const message = call === '' ? text : `${text} (${call})`;
  const known = receivedClass(dbusName, sender, received);
  if (known === undefined) return new DBusError(dbusName, message, { body });
  const error = new known(message, { body });
  if (error.dbusName !== dbusName) Object.defineProperty(error, 'dbusName', { value: dbusName, enumerable: true });
  return error;
}
