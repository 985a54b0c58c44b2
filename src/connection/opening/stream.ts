/**
 * Connections over a stream that exists already: a descriptor, a socket of `node:net`, or one end of a pair. It owns the
 * descriptor from the moment at which the options have been accepted.
 *
 * The transport is always `socket`: sd-bus can neither take over a stream after a handshake nor leave the handshake out.
 */

import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { AddressParts } from '../../address/address.js';
import { ConnectError, InvalidArgumentError, NotSupportedError } from '../../base/errors.js';
import { randomBytes } from '../../base/random-bytes.js';
import type { HandshakeRole, PollerKind } from '../../native/binding.js';
import { duplicateFd } from '../../native/descriptors.js';
import { loadAddon } from '../../native/load.js';
import { pollerKind } from '../../native/runtime.js';
import { FileDescriptor, isFdNumber } from '../../values/file-descriptor.js';
import { closeQuietly } from '../../values/held-fd.js';
import { Connection } from '../connection.js';
import type { CompleteLimits } from '../limits.js';
import { failureText } from './connect-failure.js';
import type { ServerKind } from './socket-owner.js';

/** A stream that the program passes. One of both is given. */
export interface GivenStream {
  readonly fd?: number | FileDescriptor | undefined;
  readonly socket?: Socket | undefined;
}

export interface StreamOptions {
  readonly role: HandshakeRole;
  readonly server: ServerKind;
  readonly poller?: PollerKind | undefined;
  readonly timeout: number;
  readonly anonymous?: boolean | undefined;
  readonly limits: CompleteLimits;
  readonly signal?: AbortSignal | undefined;
  readonly isRelayed?: boolean | undefined;
  readonly isInBackground?: boolean | undefined;
}

/** A stream that this module owns, and its name in error texts. */
export interface OwnedStream extends AddressParts {
  readonly fd: number;
  readonly text: string;
  readonly origin: string;
}

/** @throws {@link InvalidArgumentError} unless the value is a descriptor or `undefined` */
export function checkDescriptor(value: unknown, name: string): void {
  if (value === undefined || isFdNumber(value) || FileDescriptor.isFileDescriptor(value)) return;
  throw new InvalidArgumentError(`${name}: expected a FileDescriptor or a non-negative integer, got ${String(value)}`);
}

/** @throws {@link InvalidArgumentError} unless the value looks like a socket of `node:net` or is `undefined` */
export function checkSocket(value: unknown, name: string): void {
  if (value === undefined) return;
  if (typeof value === 'object' && value !== null && 'destroy' in value && 'connecting' in value) return;
  throw new InvalidArgumentError(`${name}: expected a socket of node:net`);
}

/**
 * Takes the stream from the program.
 *
 * @throws {@link InvalidArgumentError} if it cannot be used; the program keeps it then
 * @throws {@link NotSupportedError} if the runtime does not expose the descriptor of a socket
 */
export function takeStream({ fd, socket }: GivenStream): OwnedStream {
  const taken = socket === undefined ? takeDescriptor(fd as number | FileDescriptor) : takeSocket(socket);
  const text = socket === undefined ? `file descriptor ${taken}` : 'the socket';
  return {
    fd: taken,
    text,
    origin: socket === undefined ? 'fd' : 'socket',
    transport: 'adopted',
    parameters: new Map(),
  };
}

/**
 * Connects over a stream. The descriptor is closed if that fails.
 *
 * @throws (rejects) {@link ConnectError} with the reason
 * @throws (rejects) the reason of the signal
 */
export async function openStream(stream: OwnedStream, options: StreamOptions): Promise<Connection> {
  const {
    role,
    server,
    poller = pollerKind(),
    anonymous,
    isInBackground,
    isRelayed,
    limits,
    timeout,
    signal,
  } = options;
  const { fd } = stream;
  const result = await Connection.open({
    address: '',
    adopt: { fd, role, isBus: server === 'bus', guid: role === 'server' ? randomBytes(16) : undefined },
    ...{ anonymous, isInBackground, isRelayed, limits, peer: server === 'peer' },
    ...{ poller, signal, timeout, transport: 'socket' },
  });
  if (result instanceof Connection) return result;
  signal?.throwIfAborted();
  const attempt = { address: stream, anonymous: anonymous === true, server, transport: 'socket' } as const;
  throw new ConnectError(`${stream.text}: no connection to a ${server} could be made: ${failureText(result, attempt)}`);
}

function takeDescriptor(given: number | FileDescriptor): number {
  const fd = typeof given === 'number' ? given : given.fd;
  checkStream(fd, `fd: file descriptor ${fd}`);
  return typeof given === 'number' ? fd : given.take();
}

/** @throws {@link InvalidArgumentError} if the descriptor is not a socket that can carry messages */
function checkStream(fd: number, what: string): void {
  const found = loadAddon().describeSocket(fd);
  if (typeof found === 'number') {
    const isOpen = found !== -constants.errno.EBADF;
    throw new InvalidArgumentError(`${what} ${isOpen ? 'is not a socket' : 'is not open'}`);
  }
  if (!found.isStream) throw new InvalidArgumentError(`${what} is not a stream socket`);
  if (found.isListening) {
    throw new InvalidArgumentError(`${what} is a listening socket: pass it to listen(), which accepts clients`);
  }
}

/**
 * The runtime's own handle of the socket is closed, and a duplicate of its descriptor goes on, because the runtime does
 * not give a descriptor away.
 */
function takeSocket(socket: Socket): number {
  const reason = refusalOf(socket);
  if (reason !== undefined) throw new InvalidArgumentError(`socket: ${reason}`);
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: unknown } | null };
  if (!isFdNumber(handle?.fd)) {
    throw new NotSupportedError(
      'socket: this runtime does not expose the descriptor of a socket: connect by `address` or `fd`',
    );
  }
  const fd = duplicateFd(handle.fd);
  try {
    checkStream(fd, 'socket: it');
  } catch (error) {
    closeQuietly(fd);
    throw error;
  }
  socket.destroy();
  return fd;
}

function refusalOf(socket: Socket): string | undefined {
  if ('encrypted' in socket) return 'it is encrypted, which D-Bus does not support: pass the other end of a tunnel';
  if (socket.destroyed) return 'it is closed';
  if (socket.connecting) return "it is still connecting: await its event 'connect'";
  if (socket.readableEnded || socket.writableEnded) return 'it has ended';
  if (socket.readableLength > 0) {
    const cure = 'pass the socket before it is read, or use pauseOnConnect of the server, or read() the bytes first';
    return `${socket.readableLength} bytes were read from it already, and would be lost: ${cure}`;
  }
  return socket.writableLength > 0 ? `${socket.writableLength} bytes are not written yet` : undefined;
}
