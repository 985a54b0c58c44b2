/**
 * Whether the kernel's word on another process means the user of this one. In a user namespace the kernel gives all users
 * that have no id there the same one, the overflow uid (65534, `nobody`): whoever has that is anybody.
 */
import { readFileSync } from 'node:fs';

/** The number of user ids that there are; a namespace that maps all of them has no user without an id. */
const ALL_IDS = 4_294_967_295;

const DEFAULT_OVERFLOW_UID = 65_534;

let nobody: number | undefined;

/** Whether a process with this user id is one of this process's own user. */
export function isOwnUser(uid: number): boolean {
  return uid === process.geteuid?.() && !isUnmapped(uid);
}

/** Whether this is the id that users without one have here. */
export function isUnmapped(uid: number): boolean {
  nobody ??= uidOfUnmapped();
  return uid === nobody;
}

/** The id that users without one have here; -1 where every user has one. */
function uidOfUnmapped(): number {
  if (mapsAllIds(read('/proc/self/uid_map'))) return -1;
  const uid = Number.parseInt(read('/proc/sys/kernel/overflowuid'), 10);
  return Number.isNaN(uid) ? DEFAULT_OVERFLOW_UID : uid;
}

/** Each line is the first id inside, the first id outside, and how many there are. */
function mapsAllIds(map: string): boolean {
  const counts = map.split('\n').map((line) => Number(line.trim().split(/\s+/)[2] ?? 0));
  return counts.reduce((sum, count) => sum + count, 0) >= ALL_IDS;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
