/**
 * The error classes of the program that stand for D-Bus errors. A service answers with the name of a class when a handler
 * throws an instance of it, and a client gets an instance when it receives the name.
 *
 * The register belongs to this copy of the package: a program that loads two (one by `import`, one by `require` or in a
 * bundle) registers its classes with the copy that makes the calls, or exports the objects.
 */
import { isClassOfBusbar, takeForDBusError } from './error-classes.js';
import { type DBusError, hasClass, InvalidArgumentError, isOfBusbar } from './errors.js';
import { EndHandle, type Handle } from './handle.js';
import { checkErrorName, quoted } from './names.js';

/**
 * A class of errors of the program. A received error is made by its static `fromDBus`, if there is one, from the error
 * that it would be otherwise; else by its constructor, from the text.
 */
export type RegisteredErrorClass =
  | (new (
      message: string,
    ) => Error)
  | {
      /** The type of the errors. */
      readonly prototype: Error;
      /** Makes an error of a received one, with its text, name, values and message. */
      fromDBus(error: DBusError): Error;
    };

const namesByClass = new Map<unknown, string>();
const classesByName = new Map<string, RegisteredErrorClass>();

/**
 * Lets a class of the program stand for errors with a D-Bus name, in both directions, until the handle is ended. A
 * handler that throws an instance answers with that name and its text; if several classes of the instance are
 * registered, the most derived one counts. An instance that extends {@link DBusError} has its own name.
 *
 * A call whose answer has that name rejects with an instance of the class. The instance also has the fields of a
 * `DBusError`, `dbusName`, `body` and `reply`, and `instanceof DBusError` holds. Its text ends with the call. A class
 * whose constructor takes something else than a text has a static `fromDBus`, which makes the instance from the
 * `DBusError`. If that fails, the call rejects with the `DBusError`, and the failure is reported.
 *
 * @example
 * ```ts
 * class BusyError extends Error {
 *   override readonly name = 'BusyError';
 * }
 * using _registered = registerError(BusyError, 'org.example.Error.Busy');
 * ```
 * @param errorClass the class, of this copy of the package: a second copy in the process has a register of its own
 * @param dbusName an error name for which busbar has no class
 * @returns a handle that ends the registration
 * @throws {@link InvalidArgumentError} if the class or the name is not valid, or is registered already
 * @see D-Bus specification, section "Message Protocol", type ERROR
 */
export function registerError(errorClass: RegisteredErrorClass, dbusName: string): Handle {
  const prototype: unknown = typeof errorClass === 'function' ? errorClass.prototype : undefined;
  if (!(prototype instanceof Error))
    throw new InvalidArgumentError('errorClass: expected a class that extends Error or DBusError');
  if (isClassOfBusbar(errorClass))
    throw new InvalidArgumentError('errorClass: expected a class of the program, which stands for one kind of errors');
  checkErrorName(dbusName, 'dbusName');
  if (hasClass(dbusName)) throw new InvalidArgumentError(`dbusName: busbar has a class for ${dbusName} already`);
  const name = namesByClass.get(errorClass);
  if (name !== undefined) throw new InvalidArgumentError(`${nameOf(errorClass)} is registered already, for ${name}`);
  const other = classesByName.get(dbusName);
  if (other !== undefined)
    throw new InvalidArgumentError(`${dbusName} is registered already, for the class ${nameOf(other)}`);
  namesByClass.set(errorClass, dbusName);
  classesByName.set(dbusName, errorClass);
  let hasEnded = false;
  return new EndHandle('registered error', dbusName, () => {
    if (hasEnded) return;
    hasEnded = true;
    classesByName.delete(dbusName);
    namesByClass.delete(errorClass);
  });
}

function nameOf(errorClass: RegisteredErrorClass): string {
  return quoted(String((errorClass as { readonly name?: unknown }).name));
}

/** The name that a thrown error answers with; nothing if none of its classes is registered, or busbar made it. */
export function registeredName(thrown: unknown): string | undefined {
  if (namesByClass.size === 0 || !(thrown instanceof Error) || isOfBusbar(thrown as DBusError)) return undefined;
  let prototype: unknown = Object.getPrototypeOf(thrown);
  for (; typeof prototype === 'object' && prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    const name = Object.hasOwn(prototype, 'constructor') ? namesByClass.get(prototype.constructor) : undefined;
    if (name !== undefined) return name;
  }
  return undefined;
}

/**
 * The error of the program's class for a received error; the received error itself if no class is registered for it.
 *
 * @throws what the class throws, and {@link InvalidArgumentError} if it makes something else
 */
export function asRegistered(error: DBusError): Error {
  const errorClass = classesByName.size === 0 ? undefined : classesByName.get(error.dbusName);
  if (errorClass === undefined) return error;
  const made = 'fromDBus' in errorClass ? errorClass.fromDBus(error) : new errorClass(error.message);
  if (!(made instanceof Error) || !Object.prototype.isPrototypeOf.call(errorClass.prototype, made))
    throw new InvalidArgumentError(`fromDBus() of ${nameOf(errorClass)} returned something else than such an error`);
  return takeForDBusError(made, error);
}
