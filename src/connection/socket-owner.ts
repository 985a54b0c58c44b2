/** Whose a bus is: a session bus lets in its own user only, and does not say so to others. */
import { statSync } from 'node:fs';
import type { AddressParts } from './address.js';
import { SYSTEM_BUS_SOCKETS } from './bus-addresses.js';
import { isOwnUser, isUnmapped } from './own-user.js';

/** What is known of the owner of a server's socket who is not the user of this process. */
export interface ForeignOwner {
  readonly text: string;
  /** Whether it may be the own user, who has no id in this user namespace. */
  readonly isUnmapped: boolean;
}

/**
 * Whose the socket of an address is, if that is another user's; `undefined` where it is not, or where that does not matter:
 * the bus of the system lets in everybody.
 *
 * @param listener the user id of the process that listens, where it is known
 */
export function foreignOwner(
  { transport, parameters, origin }: AddressParts & { readonly origin: string },
  listener?: number,
): ForeignOwner | undefined {
  const path = parameters.get('path');
  if (transport !== 'unix' || origin.includes('SYSTEM') || SYSTEM_BUS_SOCKETS.includes(path ?? '')) return undefined;
  const uid = listener ?? ownerOf(path);
  if (uid === undefined || isOwnUser(uid)) return undefined;
  if (isUnmapped(uid)) return { text: 'the socket belongs to a user who has no id here', isUnmapped: true };
  return {
    text: `the socket belongs to user ${uid}, and this process is user ${process.geteuid?.()}`,
    isUnmapped: false,
  };
}

function ownerOf(path: string | undefined): number | undefined {
  if (path === undefined) return undefined;
  try {
    return statSync(path).uid;
  } catch {
    return undefined;
  }
}
