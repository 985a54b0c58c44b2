/** The meaning of the errno values that the addon reports. */
import { constants } from 'node:os';
import {
  ConnectionClosedError,
  type DBusError,
  InvalidArgumentError,
  LimitsExceededError,
  NotSupportedError,
  ProtocolError,
} from '../base/errors.js';
import type { TransportKind } from '../native/binding.js';

/** These exist only on Linux, so they are not among the constants of Node.js. */
const ETOOMANYREFS = 109;
const EXFULL = 54;

/** The symbol of an errno, for instance `ECONNRESET`. */
export function errnoText(errno: number): string {
  // `getSystemErrorName` does not serve here: it knows only the errors that libuv uses.
  const found = Object.entries(constants.errno).find(([, number]) => number === errno);
  return errno === ETOOMANYREFS ? 'ETOOMANYREFS' : (found?.[0] ?? `errno ${errno}`);
}

/** A message because of which a bus may have hung up. */
export interface Suspect {
  /** Bytes of the whole message. */
  readonly length: number;
  readonly descriptors: number;
}

/**
 * Returns the reason of a loss, for a connection that this side did not close.
 *
 * @param suspect a recent message for which a bus may have a limit; a bus hangs up without a reason when a message
 *   exceeds one
 */
export function lossOf(errno: number, detail: string, suspect?: Suspect): DBusError {
  if (detail !== '') return new ProtocolError(`the connection was lost: the other side broke the protocol: ${detail}`);
  if (errno === constants.errno.EBADMSG) {
    return new ProtocolError(
      'the connection was lost: the other side sent bytes that are not a D-Bus message (EBADMSG)',
    );
  }
  // The sd-bus library does not tell which of the two it was. The transport `socket` describes such messages itself,
  // and waits for memory.
  if (errno === constants.errno.ENOBUFS) {
    const cause = 'the other side sent a message of more than 128 MiB, or the kernel had no memory';
    return new ProtocolError(`the connection was lost: ${cause} (ENOBUFS)`);
  }
  if (errno === EXFULL) {
    return new ConnectionClosedError(
      'the connection was lost: sd-bus found no room for the file descriptors of a message (EXFULL)',
    );
  }
  const { ECONNRESET, EPIPE } = constants.errno;
  const cause = suspect !== undefined && (errno === ECONNRESET || errno === EPIPE) ? suspicionOf(suspect) : '';
  return new ConnectionClosedError(`the connection was lost: ${errnoText(errno)}${cause}`);
}

function suspicionOf({ length, descriptors }: Suspect): string {
  const withDescriptors =
    descriptors === 0 ? '' : ` with ${descriptors} file ${descriptors === 1 ? 'descriptor' : 'descriptors'}`;
  return ` (a message of ${length} bytes${withDescriptors} was sent shortly before, which may be more than the other side takes)`;
}

/** Returns the reason why the addon did not send a message. */
export function refusalOf(errno: number, transport: TransportKind): DBusError {
  const { EBADF, EILSEQ, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOTCONN, EOPNOTSUPP } = constants.errno;
  const name = errnoText(errno);
  const text = `the message was not sent: `;
  switch (errno) {
    case ENOTCONN:
      return new ConnectionClosedError('the connection was lost before sending');
    case EILSEQ:
      return new NotSupportedError('sd-bus cannot send this message: a string contains a Unicode noncharacter');
    case EMFILE:
    case ENFILE:
      // Descriptors of a message that has to wait are duplicated.
      return new LimitsExceededError(`${text}the process has no file descriptors left (${name})`);
    case ETOOMANYREFS:
      return new LimitsExceededError(`${text}too many file descriptors of this user wait in sockets (ETOOMANYREFS)`);
    case ENOBUFS:
    case ENOMEM:
      return new LimitsExceededError(`${text}there is not enough memory (${name})`);
    case EBADF:
      return new InvalidArgumentError(`${text}one of its file descriptors is not open (EBADF)`);
    case EOPNOTSUPP:
      return new NotSupportedError(`${text}the other side does not accept file descriptors (EOPNOTSUPP)`);
    default:
      return new NotSupportedError(`${text}${transport === 'sd-bus' ? 'sd-bus' : 'the kernel'} refuses it (${name})`);
  }
}
