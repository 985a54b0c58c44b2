/**
 * The file of a listening Unix socket. The kernel leaves it when the socket closes, and binds no other socket to its
 * path. So it is removed when the server closes and when the process exits, and a file that a killed server left behind
 * is removed for the next server. A terminated worker no longer runs JavaScript: native/transport/socket_file.h removes
 * its files. Only a socket that no process listens on is ever removed.
 */
import { type BigIntStats, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { randomBytes } from '../base/random-bytes.js';
import { report } from '../diagnostics/problems.js';

/**
 * Milliseconds until a socket that refuses is tried again: a socket that was just bound refuses until its server
 * listens, which it does next.
 */
const SECOND_LOOK = 100;

/** Files of this thread's servers, which are removed when the thread exits. */
const files = new Set<SocketFile>();

function removeAll(): void {
  for (const file of [...files]) file.remove();
}

export class SocketFile {
  readonly #path: string;
  readonly #made: BigIntStats | undefined;

  /** @param path of a socket that was just bound */
  constructor(path: string) {
    this.#path = path;
    this.#made = look(path);
    if (files.size === 0) process.on('exit', removeAll);
    files.add(this);
  }

  /** Removes the file, but not another file that replaced it. */
  remove(): void {
    if (!files.delete(this)) return;
    if (files.size === 0) process.off('exit', removeAll);
    try {
      if (isSame(look(this.#path), this.#made)) unlinkSync(this.#path);
    } catch (error) {
      report('peer', `the socket ${this.#path} could not be removed`, error);
    }
  }
}

/**
 * Removes a socket that no process listens on. Resolves with nothing if the path is free now, else with what exists there.
 */
export async function removeStale(path: string): Promise<string | undefined> {
  const found = look(path);
  if (found === undefined) return undefined;
  if (!found.isSocket()) return `${kindOf(found)} exists there: choose another path`;
  if (await isListening(path)) return 'another server listens there';
  await delay(SECOND_LOOK);
  if ((await isListening(path)) || !isSame(look(path), found)) return 'another server listens there';
  try {
    return removeIfUnchanged(path, found) ? undefined : 'another server listens there';
  } catch (error) {
    return `no server listens there, but the socket cannot be removed: ${(error as Error).message}`;
  }
}

/**
 * Removes a stale file. If several servers start at the same time, only one removes it, and none removes the file of
 * another: it is moved first, and put back if it is not the file that was examined.
 */
function removeIfUnchanged(path: string, stale: BigIntStats): boolean {
  const aside = join(dirname(path), `.busbar-${randomBytes(6).toString('hex')}`);
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
  const isStale = isSame(look(aside), stale);
  if (!isStale) linkSync(aside, path);
  unlinkSync(aside);
  return isStale;
}

function look(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** An inode number is soon reused. A socket is never written, so its time is the time at which it was made. */
function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.dev === other.dev && one.ino === other.ino && one.mtimeNs === other.mtimeNs;
}

function kindOf(found: BigIntStats): string {
  if (found.isSymbolicLink()) return 'a symbolic link';
  if (found.isDirectory()) return 'a folder';
  return found.isFile() ? 'a regular file' : 'a file that is not a socket';
}

async function isListening(path: string): Promise<boolean> {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    const socket = connect({ path }, () => end(true));
    // Every other error, for instance a full queue or missing permission, comes from a server that listens.
    socket.on('error', ({ code }: NodeJS.ErrnoException) => end(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}
