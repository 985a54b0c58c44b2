/** What the errno values mean that the addon gives as reasons. */
import { constants } from 'node:os';
import {
  ConnectionClosedError,
  type DBusError,
  LimitsExceededError,
  NotSupportedError,
  ProtocolError,
} from '../errors.js';

/** The symbol of an errno, `ECONNRESET` for instance. */
export function errnoText(errno: number): string {
  // Not by `getSystemErrorName`, which knows only the errors that libuv has a use for.
  const found = Object.entries(constants.errno).find(([, number]) => number === errno);
  return found?.[0] ?? `errno ${errno}`;
}

/** Why a connection that nobody here closed is over. */
export function lossOf(errno: number, detail: string): DBusError {
  if (detail !== '') return new ProtocolError(`the connection was lost: the other side broke the protocol: ${detail}`);
  if (errno === constants.errno.EBADMSG) {
    return new ProtocolError('the connection was lost: the other side sent bytes that are no D-Bus message (EBADMSG)');
  }
  if (errno === constants.errno.ENOBUFS) {
    return new ProtocolError('the connection was lost: the other side began a message beyond 128 MiB (ENOBUFS)');
  }
  return new ConnectionClosedError(`the connection was lost: ${errnoText(errno)}`);
}

/** Why the addon did not send a message that it was given. */
export function refusalOf(errno: number): DBusError {
  if (errno === constants.errno.ENOTCONN) return new ConnectionClosedError('the connection was lost before sending');
  if (errno === constants.errno.EILSEQ) {
    return new NotSupportedError('sd-bus cannot send this message: a string holds a Unicode noncharacter');
  }
  if (errno === constants.errno.EMFILE || errno === constants.errno.ENFILE) {
    // Descriptors of a message that has to wait are duplicated.
    return new LimitsExceededError(`the message was not sent: no file descriptor is left for it (${errnoText(errno)})`);
  }
  return new NotSupportedError(
    `sd-bus refuses to send this message (${errnoText(errno)}); it takes no descriptors where the other side did not ` +
      'agree to them',
  );
}
