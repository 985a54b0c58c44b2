/**
 * The errors that busbar makes. Their classes are those of `error-classes.ts` with a mark. A service answers its
 * callers with the errors that it made itself, and never with one that busbar made for it, for a wrong argument or a
 * failed call. The mark tells the two apart, wherever in busbar an error comes from.
 */
import type { Message } from '../connection/message.js';
import * as published from './error-classes.js';
import { printable } from './printable.js';

export type { DBusErrorOptions } from './error-classes.js';

/** Returns a class for use within busbar: a marked subclass that looks the same to programs. */
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
 * The error for an operation on a connection that has ended.
 *
 * @param text what failed, without the reason
 * @param reason why the connection was lost; `undefined` if the program closed it
 * @internal
 */
export function closedError(text: string, reason: DBusError | undefined): ConnectionClosedError {
  if (reason === undefined) return new ConnectionClosedError(text);
  return new ConnectionClosedError(`${text}: ${reason.message}`, { cause: reason });
}

/**
 * Whether a message was not sent because the connection takes none, and not because of its content.
 *
 * @internal
 */
export function isOverOrFull(error: unknown): boolean {
  return error instanceof ConnectionClosedError || error instanceof BackpressureError;
}

/**
 * Whether busbar made an error, and not the program. A service that throws such an error does not mean it as the answer
 * to its caller.
 */
export function isOfBusbar(error: DBusError): boolean {
  return published.ofBusbar in error;
}

/**
 * The classes of received errors, by name on the wire. The list leaves out the kinds that concern the receiver's own
 * connection or call.
 */
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

/**
 * The names by which a bus says that a call gets no reply. From a service, they concern something that the service did.
 */
const noReplyNames: ReadonlySet<string> = new Set(
  ['NoReply', 'Timeout', 'TimedOut'].map((name) => `org.freedesktop.DBus.Error.${name}`),
);

/**
 * The class of a received error. Classes that concern the receiver's own connection or call are made only in this
 * process. An answer named `Disconnected` concerns a connection of the service, and a program that reconnects must not
 * believe it.
 */
function receivedClass(
  dbusName: string,
  sender: string | undefined,
  text: string,
): typeof published.WellKnownError | undefined {
  if (sender === 'org.freedesktop.DBus' && noReplyNames.has(dbusName)) {
    // Of the buses, only dbus-daemon has a time limit for replies, off by default. Only its text tells which of the two
    // happened.
    const isLeft = dbusName === ServiceLeftError.dbusName && !/\btime(d ?)?out\b/.test(text);
    return isLeft ? ServiceLeftError : TimeoutError;
  }
  return receivedClasses.get(dbusName);
}

/** Whether busbar has a class for errors of this name, or gives it a meaning of its own. */
export function hasClass(dbusName: string): boolean {
  if (noReplyNames.has(dbusName)) return true;
  return Object.values(published).some((each) => (each as { readonly dbusName?: unknown }).dbusName === dbusName);
}

/**
 * The error for an ERROR message. Peers may leave the text out, begin with another value, or add values: `body` has all
 * values that they sent.
 *
 * @param text the first value if it is a string, else an empty string. Its control characters are escaped in the
 *   message: errors are printed, and a peer that answers must not be able to write to the terminal of its caller
 * @param body the values of the message, or a function that decodes them when the program reads them
 * @param call a description of the call, for the text
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
  // Not enumerable: a printed error shows what went wrong, without the whole message.
  return Object.defineProperty(error, 'reply', { value: reply, configurable: true });
}

function errorNamed(
  dbusName: string,
  sender: string | undefined,
  received: string,
  body: readonly unknown[],
  call: string,
): DBusError {
  const escaped = printable(received.trim());
  const text = escaped === '' ? dbusName : escaped;
  const message = call === '' ? text : `${text} (${call})`;
  const known = receivedClass(dbusName, sender, received);
  if (known === undefined) return new DBusError(dbusName, message, { body });
  const error = new known(message, { body });
  if (error.dbusName !== dbusName) Object.defineProperty(error, 'dbusName', { value: dbusName, enumerable: true });
  return error;
}
