/**
 * The error hierarchy, as programs see it. Everything that busbar throws or rejects with is a `DBusError`: the answers
 * of peers and of the bus, and errors of this process. Programs tell them apart by class, by `code`, and by the name on
 * the wire.
 *
 * `instanceof` holds across copies of the package: the classes recognise their instances by a registered symbol.
 *
 * Errors that busbar throws are made by `errors.ts`, so that busbar can tell them from the errors that a service makes
 * of these classes to answer its callers. The one exception is an answer that busbar gives to a caller for a service:
 * it is made of these classes as well.
 */

import type { Message } from '../connection/message.js';
import { suggestion } from './nearest-name.js';

/** The optional data of an error, besides its name and text. */
export interface DBusErrorOptions extends ErrorOptions {
  /** All values of the error message's body. By convention, the first is the text. */
  readonly body?: readonly unknown[];
  /**
   * The signature of `body`, for a service that answers with more than a text. By convention, the signature begins with
   * `s` and the body with the text, which other libraries read. Without a signature, only the text is sent.
   */
  readonly signature?: string;
}

/**
 * An error with a D-Bus name. A service throws one from a method, getter or setter to answer the caller with it. A
 * caller catches one if its call fails. An error that busbar made, for a failed call or a wrong argument, is never the
 * answer to another call: if a service rethrows it, its caller gets the text as `org.freedesktop.DBus.Error.Failed`.
 *
 * @see D-Bus specification, section "Message Protocol", type ERROR
 */
export class DBusError extends Error {
  /** The error name on the wire, for instance `org.freedesktop.DBus.Error.UnknownMethod`. */
  readonly dbusName: string;
  /**
   * The values of the error reply; empty for errors of this process. File descriptors among them are already closed.
   */
  readonly body: readonly unknown[];
  /** The signature by which a service sends `body`; `undefined` if it sends only the text. */
  readonly signature: string | undefined;
  /** The message that brought the error, with its sender and signature; `undefined` for errors of this process. */
  declare readonly reply: Message | undefined;
  /** A stable identifier of the kind of error, for instance `ERR_DBUS_TIMEOUT`. */
  declare readonly code: string;

  /**
   * @param dbusName the error name on the wire, with two or more elements: `org.example.Error.Busy`
   * @param message the text, which the caller reads
   * @param options values to send besides the text, and a `cause`, which is not sent
   */
  constructor(dbusName: string, message: string, options: DBusErrorOptions = {}) {
    super(message, options);
    if (brands.has(new.target) && typeof options === 'object') checkOptions(options, new.target.prototype.name);
    this.dbusName = dbusName;
    this.body = options.body ?? [];
    this.signature = options.signature;
  }

  /** Whether a value is such an error, made by any copy of this package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    const brand = brands.get(this);
    return brand !== undefined && typeof value === 'object' && value !== null && brand in value;
  }
}

/**
 * Marks errors that busbar made. All copies of this package in a process share the symbol.
 *
 * @internal
 */
export const ofBusbar: unique symbol = Symbol.for('busbar.ofBusbar');

const OPTIONS: { readonly [Key in keyof Required<DBusErrorOptions & NameTakenErrorOptions>]: true } = {
  body: true,
  signature: true,
  cause: true,
  owner: true,
};

/**
 * Refuses unknown options. `KnownOptions` imports this file, so the check cannot use it. Only the classes of this file
 * check their options: a subclass in a program may have options of its own.
 */
function checkOptions(options: object, errorName: string): void {
  const known = Object.keys(OPTIONS).filter((key) => key !== 'owner' || errorName === 'NameTakenError');
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const text = `new ${errorName}() takes no option ${JSON.stringify(key)}${suggestion(key, known)}`;
    throw Object.defineProperty(new InvalidArgumentError(text), ofBusbar, { value: true });
  }
}

const brands = new WeakMap<object, symbol>();

/**
 * Whether a class is one of this file.
 *
 * @internal
 */
export function isClassOfBusbar(errorClass: object): boolean {
  return brands.has(errorClass);
}

const FIELDS = ['dbusName', 'body', 'signature', 'reply'] as const;

/**
 * Gives an error of the program what a received error has: its fields, the mark of busbar, and its brand.
 *
 * @internal
 */
export function takeForDBusError<E extends Error>(error: E, received: DBusError): E {
  for (const field of FIELDS) {
    const own = Object.getOwnPropertyDescriptor(received, field);
    if (own !== undefined) Object.defineProperty(error, field, { ...own, configurable: true });
  }
  if (!('code' in error)) Object.defineProperty(error, 'code', { value: received.code, configurable: true });
  Object.defineProperty(error, brands.get(DBusError) as symbol, { value: true });
  return Object.defineProperty(error, ofBusbar, { value: true });
}

/**
 * Lets a class recognise its instances by the brand of another class.
 *
 * @internal
 */
export function shareBrand(errorClass: typeof DBusError, branded: typeof DBusError): void {
  brands.set(errorClass, brands.get(branded) as symbol);
}

/**
 * Gives a class its name, its code and its brand. They are on the prototype, where minifiers and subclassing do not
 * change them.
 */
function identify(errorClass: typeof DBusError | typeof WellKnownError, name: string, code: string): void {
  const brand = Symbol.for(`busbar.${name}`);
  brands.set(errorClass, brand);
  const hidden = { enumerable: false, configurable: true, writable: true };
  Object.defineProperties(errorClass.prototype, {
    name: { ...hidden, value: name },
    code: { ...hidden, value: code },
    [brand]: { ...hidden, value: true },
  });
}

/** An error of a kind whose name on the wire is fixed by the specification, the bus or busbar. */
export class WellKnownError extends DBusError {
  /** The error name on the wire of all errors of this class. */
  static readonly dbusName: string;
  constructor(message: string, options?: DBusErrorOptions) {
    super(new.target.dbusName, message, options);
  }
}

const standard = (name: string) => `org.freedesktop.DBus.Error.${name}`;

/**
 * The service is not available: no connection owns the name, and no service could be started for it. The bus and the
 * call decide which of two D-Bus names the error has, so this class covers both: `instanceof ServiceUnknownError` is
 * also true for {@link NameHasNoOwnerError}. The call did not reach a service.
 */
export class ServiceUnknownError extends WellKnownError {
  static override readonly dbusName: string = standard('ServiceUnknown');
}
/** No connection owns the name that was queried, or that was called with `autoStart: false`. */
export class NameHasNoOwnerError extends ServiceUnknownError {
  static override readonly dbusName: string = standard('NameHasNoOwner');
}
/**
 * The service left the bus before it answered: it exited, crashed or was restarted. It may or may not have begun to
 * carry out the call. No time limit was involved, so this is not a {@link TimeoutError}.
 */
export class ServiceLeftError extends WellKnownError {
  static override readonly dbusName = standard('NoReply');
}
/** The peer has no object at that path. */
export class UnknownObjectError extends WellKnownError {
  static override readonly dbusName = standard('UnknownObject');
}
/** The object has no such interface. */
export class UnknownInterfaceError extends WellKnownError {
  static override readonly dbusName = standard('UnknownInterface');
}
/** The interface has no such method. */
export class UnknownMethodError extends WellKnownError {
  static override readonly dbusName = standard('UnknownMethod');
}
/** The interface has no such property. */
export class UnknownPropertyError extends WellKnownError {
  static override readonly dbusName = standard('UnknownProperty');
}
/** The property cannot be written. */
export class PropertyReadOnlyError extends WellKnownError {
  static override readonly dbusName = standard('PropertyReadOnly');
}
/** A policy of the bus or of the service denies the request. */
export class AccessDeniedError extends WellKnownError {
  static override readonly dbusName = standard('AccessDenied');
}
/** The service would have to ask the user for permission. Call with `interactive: true` to allow that. */
export class InteractiveAuthorizationRequiredError extends WellKnownError {
  static override readonly dbusName = standard('InteractiveAuthorizationRequired');
}
/** A limit of the bus, the peer or this connection was reached. */
export class LimitsExceededError extends WellKnownError {
  static override readonly dbusName: string = standard('LimitsExceeded');
}
/** More bytes are queued for writing than the connection allows. Await `flush()` and try again. */
export class BackpressureError extends LimitsExceededError {
  static override readonly dbusName: string = standard('LimitsExceeded');
}
/** The peer does not support the request, or the connection does not support the operation. */
export class NotSupportedError extends WellKnownError {
  static override readonly dbusName = standard('NotSupported');
}
/** The bus has no such match rule. */
export class MatchRuleNotFoundError extends WellKnownError {
  static override readonly dbusName = standard('MatchRuleNotFound');
}
/** A value, name, path, signature or option is not valid, or a service refused the arguments of a call. */
export class InvalidArgumentError extends WellKnownError {
  static override readonly dbusName = standard('InvalidArgs');
}
/**
 * No reply arrived in time: the timeout of the call expired, or a time limit of the bus did. A service that leaves the
 * bus without answering causes a {@link ServiceLeftError}. A service that answers with `NoReply` or `Timeout` causes a
 * plain `DBusError` of that name.
 */
export class TimeoutError extends WellKnownError {
  static override readonly dbusName = standard('NoReply');
}
/**
 * The connection is closed: it was lost while the call was waiting, or it was closed before the call. After a loss,
 * `cause` is the reason: the error with which {@link MessageBus.disconnected} resolves.
 */
export class ConnectionClosedError extends WellKnownError {
  static override readonly dbusName = standard('Disconnected');
}
/**
 * The caller of the call that is being handled has left the bus or disconnected. It is the reason of
 * {@link CallContext.signal} in that case. If this connection ended instead, the reason is a
 * {@link ConnectionClosedError}.
 */
export class CallerLeftError extends WellKnownError {
  static override readonly dbusName = standard('Disconnected');
}
/** No connection could be made. The text lists the attempts, how far each one got, and the usual cure. */
export class ConnectError extends WellKnownError {
  static override readonly dbusName = standard('NoServer');
}
/** No socket could be made for peers to connect to. The text lists the attempts and the usual cure. */
export class ListenError extends WellKnownError {
  static override readonly dbusName = standard('BadAddress');
}
/**
 * The other side violated the protocol. The error is the reason of the loss of a connection, or concerns a single
 * message.
 */
export class ProtocolError extends WellKnownError {
  static override readonly dbusName: string = standard('InconsistentMessage');
}
/**
 * A reply arrived and cannot be used: its body is invalid, it does not match the class or definition of a typed proxy,
 * or it is introspection data that cannot be parsed. The call was sent, and may have been carried out.
 */
export class InvalidReplyError extends ProtocolError {}

/** The data of a {@link NameTakenError}, besides its text. */
export interface NameTakenErrorOptions extends DBusErrorOptions {
  /** The unique name of the current owner. */
  readonly owner?: string | undefined;
}

/** Another connection owns the name that was requested. */
export class NameTakenError extends WellKnownError {
  static override readonly dbusName = standard('AddressInUse');
  /** The unique name of the current owner, if it could be determined. */
  readonly owner: string | undefined;
  /** @param options the options of other errors, and the owner */
  constructor(message: string, options?: NameTakenErrorOptions) {
    super(message, options);
    this.owner = options?.owner;
  }
}

/**
 * The wait for a name has ended, because the name was released by {@link OwnedName.release} or `releaseName`, or
 * because the program left its queue.
 */
export class NameReleasedError extends WellKnownError {
  static override readonly dbusName = standard('NameHasNoOwner');
}

identify(DBusError, 'DBusError', 'ERR_DBUS');
Object.defineProperty(DBusError.prototype, 'reply', { value: undefined, configurable: true });
for (const [name, errorClass] of Object.entries({
  ServiceUnknownError,
  NameHasNoOwnerError,
  ServiceLeftError,
  UnknownObjectError,
  UnknownInterfaceError,
  UnknownMethodError,
  UnknownPropertyError,
  PropertyReadOnlyError,
  AccessDeniedError,
  InteractiveAuthorizationRequiredError,
  LimitsExceededError,
  BackpressureError,
  NotSupportedError,
  MatchRuleNotFoundError,
  InvalidArgumentError,
  TimeoutError,
  CallerLeftError,
  ConnectionClosedError,
  ConnectError,
  ListenError,
  ProtocolError,
  InvalidReplyError,
  NameTakenError,
  NameReleasedError,
})) {
  const kind = name.slice(0, -'Error'.length).replace(/(?<=[a-z])(?=[A-Z])/g, '_');
  identify(errorClass, name, `ERR_DBUS_${kind.toUpperCase()}`);
}
