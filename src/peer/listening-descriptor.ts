/** Sockets that listen already: whether a server can accept clients from one, and the address that clients connect to. */
import { constants } from 'node:os';
import type { ListenTarget } from '../address/listen-address.js';
import { InvalidArgumentError } from '../base/errors.js';
import { loadAddon } from '../native/load.js';
import type { FileDescriptor } from '../values/file-descriptor.js';
import type { AdoptedListener } from './listener.js';

export const UNKNOWN_CLIENTS = 'clients cannot be verified over TCP: set `anonymous: true`, or listen on a Unix socket';

/**
 * Takes a listening socket from the program.
 *
 * @throws {@link InvalidArgumentError} if a server cannot use it; the program keeps it then
 */
export function takeListening(given: number | FileDescriptor, anonymous: boolean): readonly AdoptedListener[] {
  const fd = typeof given === 'number' ? given : given.fd;
  const target = listeningTarget(fd, anonymous);
  if (typeof target === 'string') throw new InvalidArgumentError(`fd: file descriptor ${fd}: ${target}`);
  return [{ fd: typeof given === 'number' ? fd : given.take(), target }];
}

/** The target that a listening socket is bound to, or the reason why a server cannot use it. */
export function listeningTarget(fd: number, anonymous: boolean): ListenTarget | string {
  const found = loadAddon().describeSocket(fd);
  if (typeof found === 'number') {
    return found === -constants.errno.EBADF ? 'it is not open' : 'it is not a socket';
  }
  const { family, ip, isListening, isStream, name, port } = found;
  if (!isStream || family === 'other') return 'it is neither a Unix nor a TCP stream socket';
  if (!isListening) {
    const cure =
      "call listen(2) first; pass a connection, such as one of Accept=yes, to connect({ fd, peer: true, handshake: 'server' })";
    return `it does not listen: ${cure}`;
  }
  if (family === 'unix') {
    if (name === '') return 'it has no address: call bind(2) first';
    return name.startsWith('\0') ? { kind: 'abstract', name: name.slice(1) } : { kind: 'path', name };
  }
  if (!anonymous) return UNKNOWN_CLIENTS;
  // The address of all interfaces is none that clients can connect to.
  const host = ip === '0.0.0.0' || ip === '::' ? 'localhost' : ip;
  return { kind: 'tcp', host, ip, port, family: undefined };
}
