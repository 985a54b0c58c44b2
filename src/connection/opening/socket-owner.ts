/** Whose a bus is: a session bus lets in its own user only, and does not say so to others. */
import { statSync } from 'node:fs';
import type { AddressParts } from '../../address/address.js';
import { SYSTEM_BUS_SOCKETS } from '../../address/bus-addresses.js';
import { isOwnUser, isUnmapped } from './own-user.js';

/** What is at the other end. */
export type ServerKind = 'bus' | 'peer';

/**
 * That the socket of an address is another user's, in words, and what that means; `undefined` where it is not, or where that
 * does not matter: the bus of the system lets in everybody.
 *
 * @param server what is at the other end
 * @param listener the user id of the process that listens, where it is known
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
    server === 'bus' ? 'a session bus takes only its own user' : 'most peers take only their own user';
  if (isUnmapped(uid)) {
    return `the socket belongs to a user who has no id here, and ${ownUserOnly}: in a container, map the user’s id`;
  }
  return `the socket belongs to user ${uid}, and this process is user ${process.geteuid?.()}, and ${ownUserOnly}`;
}

function ownerOf(path: string | undefined): number | undefined {
  if (path === undefined) return undefined;
  try {
    return statSync(path).uid;
  } catch {
    return undefined;
  }
}
