/** The error if a server was reached but did not answer `Hello`. */

import type { Address } from '../../address/address.js';
import {
  ConnectError,
  ConnectionClosedError,
  DBusError,
  NotSupportedError,
  TimeoutError,
  UnknownInterfaceError,
  UnknownMethodError,
  UnknownObjectError,
} from '../../base/errors.js';
import { unknownOverTcp } from './connect-failure.js';
import { foreignOwnerText } from './socket-owner.js';

/** The server that was reached, and how the program named it. */
type Reached = Pick<Address, 'transport' | 'parameters' | 'text' | 'origin'>;

/** The errors of a server without this method: it may not know the method, the object or the interface. */
const UNKNOWN = [UnknownMethodError, UnknownObjectError, UnknownInterfaceError, NotSupportedError];

/**
 * Returns the error for the program that connects. An error of the bus itself, for instance that it has too many
 * connections, is returned unchanged.
 *
 * @param anonymous whether the client authenticated anonymously
 * @param listener the user id of the process that listens, if known
 */
export function greetingFailure(
  error: unknown,
  address: Reached,
  { anonymous, listener }: { readonly anonymous: boolean; readonly listener: number | undefined },
): unknown {
  const reason =
    error instanceof ConnectionClosedError
      ? `closed the connection after Hello${hangUpText(error, address, anonymous, listener)}`
      : refusalText(error);
  if (reason === undefined) return error;
  const text = `${address.text} (${address.origin}): the server was reached, but ${reason}`;
  return new ConnectError(text, { cause: error });
}

function hangUpText(
  { cause, message }: ConnectionClosedError,
  address: Reached,
  anonymous: boolean,
  listener: number | undefined,
): string {
  const text = `: ${cause instanceof Error ? cause.message : message}`;
  const owner = foreignOwnerText(address, 'bus', listener);
  if (owner !== undefined) return `${text} (${owner})`;
  return address.transport === 'tcp' && !anonymous ? `${text} (${unknownOverTcp('bus')})` : text;
}

function refusalText(error: unknown): string | undefined {
  if (error instanceof TimeoutError) {
    return `did not answer Hello: ${error.message} (if it is a peer and not a message bus, connect with \`peer: true\`)`;
  }
  if (error instanceof DBusError && UNKNOWN.some((known) => error instanceof known)) {
    return `it is not a message bus, because it does not know Hello: ${error.message} (to a peer, connect with \`peer: true\`)`;
  }
  return undefined;
}
