/** The owner of a server's socket: a session bus accepts only its own user, and does not tell other users so. */
import { statSync } from 'node:fs';
import type { AddressParts } from '../../address/address.js';
import { SYSTEM_BUS_SOCKETS } from '../../address/bus-addresses.js';
import { isOwnUser, isUnmapped } from './own-user.js';

/** The kind of server. */
export type ServerKind = 'bus' | 'peer';

/**
 * Returns a text that the socket of an address belongs to another user, and what follows from that. Returns `undefined`
 * if it does not, or if that does not matter: the system bus accepts all users.
 *
 * @param server the kind of server
 * @param listener the user id of the process that listens, if known
 */
export function foreignOwnerText(
  { transport, parameters, origin }: AddressParts & { readonly origin: string },
  server: ServerKind,
  listener?: number,
): string | undefined {
  const path = parameters.get('path');
  if (transport !== 'unix' || origin.includes('SYSTEM') || SYSTEM_BUS_SOCKETS.includes(path ?? '')) return undefined;
  const uid = listener ?? ownerOf(path);
  if (uid === undefined || isOwnUser(uid)) return undefined;
  const ownUserOnly =
    server === 'bus' ? 'a session bus accepts only its own user' : 'most peers accept only their own user';
  if (isUnmapped(uid)) {
    return `the socket belongs to a user without an id here, and ${ownUserOnly}: in a container, map the user’s id`;
  }
  return `the socket belongs to user ${uid}, this process is user ${process.geteuid?.()}, and ${ownUserOnly}`;
}

function ownerOf(path: string | undefined): number | undefined {
  if (path === undefined) return undefined;
  try {
    return statSync(path).uid;
  } catch {
    return undefined;
  }
}
