/** The credentials of the process at the other end of a socket: the kernel's data, in the form of the bus's answer. */
import type { PeerCredentials } from '../native/binding.js';
import type { Credentials } from './names/driver.js';

export function socketCredentials(peer: PeerCredentials): Credentials {
  const { uid, gids } = peer;
  // A process in another namespace that is not visible here has no process id.
  const pid = peer.pid === 0 ? undefined : peer.pid;
  const securityLabel = peer.securityLabel === '' ? undefined : peer.securityLabel;
  const all = { UnixUserID: uid, ProcessID: pid, UnixGroupIDs: gids, LinuxSecurityLabel: securityLabel };
  const known = Object.entries(all).filter(([, value]) => value !== undefined);
  return { uid, pid, gids, securityLabel, all: Object.fromEntries(known) };
}
