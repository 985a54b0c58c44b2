/**
 * The one error hierarchy, as programs see it. Everything that busbar throws or rejects with is a `DBusError`: what a peer or
 * the bus answered, and what arose here. They are told apart by class, by `code`, and by the name on the wire.
 *
 * `instanceof` holds across copies of the package: classes know their instances by a registered symbol.
 *
 * What busbar itself throws is made by `errors.ts`, so that it can be told from what a service makes of these classes to
 * answer its callers. Only an answer to a caller that busbar gives for a service is made of these as well.
 */

import type { Message } from '../connection/message.js';
import { suggestion } from './nearest-name.js';

/** What an error may carry besides its name and text. */
export interface DBusErrorOptions extends ErrorOptions {
  /** All values of the error message's body; the first is the text where the sender followed the convention. */
  readonly body?: readonly unknown[];
  /**
   * The signature of `body`, for a service that answers with more than a text: begin it with `s` and the body with the
   * text, which is what others look for. Without a signature only the text is sent.
   */
  readonly signature?: string;
}

/**
 * An error with a D-Bus name. Throw one that you made from a method, getter or setter of a service to answer the caller
 * with it; catch one from a call to learn what the peer answered. One that busbar made, of a call that failed or an argument
 * that is wrong, is no answer to another call, wherever it is thrown on: the caller gets its text as
 * `org.freedesktop.DBus.Error.Failed`.
 *
 * @see D-Bus specification, section "Message Protocol", type ERROR
 */
export class DBusError extends Error {
  /** The error name on the wire, for instance `org.freedesktop.DBus.Error.UnknownMethod`. */
  readonly dbusName: string;
  /** The values of the error reply; empty for errors that arose here. File descriptors among them are closed already. */
  readonly body: readonly unknown[];
  /** The signature by which a service sends `body`; `undefined` where it sends the text alone. */
  readonly signature: string | undefined;
  /** The message that brought the error: who sent it, by which signature; `undefined` for errors that arose here. */
  declare readonly reply: Message | undefined;
  /** A stable identifier of the kind of error, for instance `ERR_DBUS_TIMEOUT`. */
  declare readonly code: string;

  /**
   * @param dbusName the error name on the wire, two or more elements: `org.example.Error.Busy`
   * @param message the text, which the caller reads
   * @param options values to send besides, and a `cause` that stays here
   */
  constructor(dbusName: string, message: string, options: DBusErrorOptions = {}) {
    super(message, options);
    if (brands.has(new.target) && typeof options === 'object') checkOptions(options, new.target.prototype.name);
    this.dbusName = dbusName;
    this.body = options.body ?? [];
    this.signature = options.signature;
  }

  /** Whether a value is such an error, of any copy of this package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    const brand = brands.get(this);
    return brand !== undefined && typeof value === 'object' && value !== null && brand in value;
  }
}

/**
 * Marks what busbar made; shared by all copies of this package in a process.
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
 * Refuses options that do not exist. `KnownOptions` stands on this file, so it is done here; and only for the classes here,
 * because subclasses of a program may have options of their own.
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
 * Has a class know its instances by the brand of another one.
 *
 * @internal
 */
export function shareBrand(errorClass: typeof DBusError, branded: typeof DBusError): void {
  brands.set(errorClass, brands.get(branded) as symbol);
}

/** Gives a class its name and code (on the prototype, where minifiers and subclassing leave them alone) and its brand. */
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

/** An error of a kind that the specification, the bus or busbar gives a fixed name on the wire. */
export class WellKnownError extends DBusError {
  /** The error name on the wire that errors of this class have. */
  static readonly dbusName: string;
  constructor(message: string, options?: DBusErrorOptions) {
    super(new.target.dbusName, message, options);
  }
}

const standard = (name: string) => `org.freedesktop.DBus.Error.${name}`;

/**
 * The service is not there: no connection owns the name, and none could be started for it. Which of the two D-Bus names the
 * error has depends on the bus and on the call, so this class is common to both: `instanceof ServiceUnknownError` is true for
 * {@link NameHasNoOwnerError} as well. The call did not reach a service.
 */
export class ServiceUnknownError extends WellKnownError {
  static override readonly dbusName: string = standard('ServiceUnknown');
}
/** No connection owns the name that was asked about, or that was called with `autoStart: false`. */
export class NameHasNoOwnerError extends ServiceUnknownError {
  static override readonly dbusName: string = standard('NameHasNoOwner');
}
/**
 * The service left the bus before it answered: it ended, crashed or was restarted. Whether it had begun to do what the call
 * asked for is not known. Time has nothing to do with it, so it is no {@link TimeoutError}.
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
/** A policy of the bus or the service forbids it. */
export class AccessDeniedError extends WellKnownError {
  static override readonly dbusName = standard('AccessDenied');
}
/** The service would ask the user for permission; call with `interactive: true` to allow that. */
export class InteractiveAuthorizationRequiredError extends WellKnownError {
  static override readonly dbusName = standard('InteractiveAuthorizationRequired');
}
/** A limit of the bus, the peer or this connection was reached. */
export class LimitsExceededError extends WellKnownError {
  static override readonly dbusName: string = standard('LimitsExceeded');
}
/** More bytes wait to be written than the connection allows; await `flush()` and try again. */
export class BackpressureError extends LimitsExceededError {
  static override readonly dbusName: string = standard('LimitsExceeded');
}
/** The peer does not support what was asked. */
export class NotSupportedError extends WellKnownError {
  static override readonly dbusName = standard('NotSupported');
}
/** The bus knows no such match rule. */
export class MatchRuleNotFoundError extends WellKnownError {
  static override readonly dbusName = standard('MatchRuleNotFound');
}
/** A value, name, path or signature is not what the specification or the signature asks for. */
export class InvalidArgumentError extends WellKnownError {
  static override readonly dbusName = standard('InvalidArgs');
}
/**
 * No reply came in time: the call's own timeout passed, or a time limit of the bus did. A service that leaves the bus without
 * answering is a {@link ServiceLeftError}. A service that answers `NoReply` or `Timeout` is heard by a plain `DBusError` of
 * that name.
 */
export class TimeoutError extends WellKnownError {
  static override readonly dbusName = standard('NoReply');
}
/**
 * The connection is closed, was lost while the call was waiting, or was closed before the call was made. After a loss, `cause`
 * is the reason: the error that {@link MessageBus.disconnected} resolves with.
 */
export class ConnectionClosedError extends WellKnownError {
  static override readonly dbusName = standard('Disconnected');
}
/**
 * The caller whose call is being answered has left the bus, or hung up: the reason of {@link CallContext.signal} then. Where it
 * is the connection itself that ended, the reason is a {@link ConnectionClosedError}.
 */
export class CallerLeftError extends WellKnownError {
  static override readonly dbusName = standard('Disconnected');
}
/** No connection could be made; the text lists what was tried, how far it came, and what usually cures it. */
export class ConnectError extends WellKnownError {
  static override readonly dbusName = standard('NoServer');
}
/** No socket could be made for peers to connect to; the text lists what was tried, and what usually cures it. */
export class ListenError extends WellKnownError {
  static override readonly dbusName = standard('BadAddress');
}
/** The other side sent what the protocol does not allow: the reason of a loss, or what came with one message. */
export class ProtocolError extends WellKnownError {
  static override readonly dbusName: string = standard('InconsistentMessage');
}
/**
 * A reply came and cannot be used: its body is not valid, it is not what the class or definition of a typed proxy says, or it
 * is introspection data that cannot be read. The call was sent, and may have been carried out.
 */
export class InvalidReplyError extends ProtocolError {}

/** What a {@link NameTakenError} carries besides. */
export interface NameTakenErrorOptions extends DBusErrorOptions {
  /** The unique name of the present owner. */
  readonly owner?: string | undefined;
}

/** Another connection owns the name that was requested. */
export class NameTakenError extends WellKnownError {
  static override readonly dbusName = standard('AddressInUse');
  /** The unique name of the present owner, where it could be learnt. */
  readonly owner: string | undefined;
  /** @param options what other errors have, and the owner */
  constructor(message: string, options?: NameTakenErrorOptions) {
    super(message, options);
    this.owner = options?.owner;
  }
}

/**
 * A name is not waited for any more, because it was given back: by {@link OwnedName.release}, `releaseName`, or because its
 * queue was left.
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
