/**
 * The file of a listening unix socket. The kernel leaves it when the socket closes, and binds no other socket to its path:
 * so it is removed when the server closes and when the process exits, and what a killed server left behind makes way for
 * the next one. A worker that is terminated runs no JavaScript any more: native/transport/socket_file.h removes its files.
 * Nothing but a socket that no process listens on is ever removed.
 */
import { type BigIntStats, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { randomBytes } from '../base/random-bytes.js';
import { report } from '../diagnostics/problems.js';

/** Milliseconds: a socket that has just been bound refuses until its server listens, which is the next thing it does. */
const SECOND_LOOK = 100;

/** Files of this thread's servers, which go with it. */
const files = new Set<SocketFile>();

function removeAll(): void {
  for (const file of [...files]) file.remove();
}

export class SocketFile {
  readonly #path: string;
  readonly #made: BigIntStats | undefined;

  /** @param path of a socket that was bound just now */
  constructor(path: string) {
    this.#path = path;
    this.#made = look(path);
    if (files.size === 0) process.on('exit', removeAll);
    files.add(this);
  }

  /** Removes the file, and no other one that came to its place. */
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
 * Removes a socket that no process listens on. Resolves with nothing if the path is free now, and else with what is
 * there.
 */
export async function removeStale(path: string): Promise<string | undefined> {
  const found = look(path);
  if (found === undefined) return undefined;
  if (!found.isSocket()) return `${kindOf(found)} is there, and was left alone`;
  if (await isListening(path)) return 'another server listens there';
  await delay(SECOND_LOOK);
  if ((await isListening(path)) || !isSame(look(path), found)) return 'another server listens there';
  try {
    return take(path, found) ? undefined : 'another server listens there';
  } catch (error) {
    return `no server listens there, but the socket cannot be removed: ${(error as Error).message}`;
  }
}

/**
 * Of several servers that start at the same time only one gets the file away, and none that of another: it is moved
 * first, and put back if it is another file than was looked at.
 */
function take(path: string, stale: BigIntStats): boolean {
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

/** The number of a file is soon another file's. A socket is never written, so its time tells when it was made. */
function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.dev === other.dev && one.ino === other.ino && one.mtimeNs === other.mtimeNs;
}

function kindOf(found: BigIntStats): string {
  if (found.isSymbolicLink()) return 'a symbolic link';
  if (found.isDirectory()) return 'a folder';
  return found.isFile() ? 'a regular file' : 'a file that is no socket';
}

async function isListening(path: string): Promise<boolean> {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    const socket = connect({ path }, () => end(true));
    // Whatever else it says, for instance that its queue is full or that this user may not connect, comes of a server.
    socket.on('error', ({ code }: NodeJS.ErrnoException) => end(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}
