/**
 * Tells whether another process belongs to the user of this one, from its user id in the kernel's credentials. In a
 * user namespace, the kernel gives all users without an id there the same one, the overflow uid (65534, `nobody`),
 * which therefore identifies no user.
 */
import { readFileSync } from 'node:fs';

/** The number of possible user ids. In a namespace that maps all of them, every user has an id. */
const ALL_IDS = 4_294_967_295;

const DEFAULT_OVERFLOW_UID = 65_534;

let overflowUid: number | undefined;

/** Whether a process with this user id belongs to the user of this process. */
export function isOwnUser(uid: number): boolean {
  return uid === process.geteuid?.() && !isUnmapped(uid);
}

/** Whether this is the id of users without an id in this namespace. */
export function isUnmapped(uid: number): boolean {
  overflowUid ??= uidOfUnmapped();
  return uid === overflowUid;
}

/** The id of users without an id in this namespace; -1 if every user has one. */
function uidOfUnmapped(): number {
  if (mapsAllIds(read('/proc/self/uid_map'))) return -1;
  const uid = Number.parseInt(read('/proc/sys/kernel/overflowuid'), 10);
  return Number.isNaN(uid) ? DEFAULT_OVERFLOW_UID : uid;
}

/** Each line has the first id inside, the first id outside, and the number of ids. */
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
