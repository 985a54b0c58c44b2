/** Why a bus that was reached did not answer `Hello`, in words. */
import {
  ConnectError,
  ConnectionClosedError,
  DBusError,
  NotSupportedError,
  TimeoutError,
  UnknownInterfaceError,
  UnknownMethodError,
  UnknownObjectError,
} from '../errors.js';
import type { Address } from './address.js';
import { foreignOwner } from './socket-owner.js';

/** What a server answers that has no such method, whatever of it is unknown there. */
const UNKNOWN = [UnknownMethodError, UnknownObjectError, UnknownInterfaceError, NotSupportedError];

/**
 * The error for whoever wanted to connect. What a bus says for itself, that too many are connected for instance, is left as it
 * is.
 *
 * @param listener the user id of the process that listens, where it is known
 */
export function greetingFailure(error: unknown, address: Address, listener: number | undefined): unknown {
  const reason = reasonOf(error, address, listener);
  if (reason === undefined) return error;
  return new ConnectError(
    `${address.text} (${address.origin}): the server was reached, but did not greet back: ${reason}`,
    { cause: error },
  );
}

function reasonOf(error: unknown, address: Address, listener: number | undefined): string | undefined {
  if (error instanceof ConnectionClosedError) {
    const owner = foreignOwner(address, listener);
    return owner === undefined
      ? error.message
      : `${error.message} (${owner.text}, and a session bus takes only its own user)`;
  }
  if (error instanceof TimeoutError) {
    return `${error.message} (if it is no message bus but a peer, connect with \`peer: true\`)`;
  }
  if (error instanceof DBusError && UNKNOWN.some((known) => error instanceof known)) {
    return `it does not know Hello, so it is no message bus: ${error.message} (to a peer, connect with \`peer: true\`)`;
  }
  return undefined;
}
