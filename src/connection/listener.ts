/**
 * A socket that waits for peers. It owns the native listener, and the file of a unix socket with a path: it is removed
 * when the listener closes, if it is still the one that was made here. Who may come in is for the layers above.
 */
import { lstatSync, unlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { report } from '../diagnostics.js';
import type { NativeListener, PollerKind } from '../native/binding.js';
import { loadAddon } from '../native/load.js';
import { errnoText } from './errno.js';
import { connectableAddress, type ListenTarget } from './listen-address.js';

const { errno: Errno } = constants;

/** What usually cures a failure, by its errno. */
const cures = new Map<number, string>([
  [Errno.ENOENT, 'the folder does not exist'],
  [Errno.EACCES, 'permission denied: check the owner of the folder, AppArmor or SELinux; ports below 1024 are root’s'],
  [Errno.EADDRINUSE, 'somebody listens there'],
  [Errno.EADDRNOTAVAIL, 'this machine has no such address'],
]);

export class Listener {
  /** What clients connect to. */
  readonly address: string;
  readonly #native: NativeListener;
  readonly #removeFile: () => void;

  private constructor(native: NativeListener, target: ListenTarget, guid: string) {
    this.#native = native;
    this.address = connectableAddress(target, native.port(), guid);
    this.#removeFile = target.kind === 'path' ? fileRemoval(target.name) : () => {};
  }

  /**
   * Binds and listens. Resolves with the listener, or with why there is none.
   *
   * @param onAccept gets each connected socket, which it owns
   */
  static async open(
    target: ListenTarget,
    guid: string,
    onAccept: (fd: number) => void,
    poller: PollerKind,
  ): Promise<Listener | string> {
    const { Listener: Native } = loadAddon();
    // The addon tries again several times a second, and the trouble is the same one until somebody gets in.
    let isReported = false;
    const native = new Native({
      poller,
      name: target.kind === 'tcp' ? '' : target.kind === 'abstract' ? `\0${target.name}` : target.name,
      ip: target.kind === 'tcp' ? target.ip : '',
      port: target.kind === 'tcp' ? target.port : 0,
      onAccept: (fd) => {
        isReported = false;
        onAccept(fd);
      },
      onError: (errno) => {
        if (!isReported) report('peer', `nobody can be accepted for the moment: ${errnoText(errno)}`);
        isReported = true;
      },
    });
    const errno = native.start();
    if (errno === 0) return new Listener(native, target, guid);
    const stale = errno === Errno.EADDRINUSE && target.kind === 'path' && !(await answers(target.name));
    const cure = stale
      ? `nobody listens there: ${target.name} is what a server left behind that was killed; remove it`
      : cures.get(errno);
    return `${errnoText(errno)}${cure === undefined ? '' : ` (${cure})`}`;
  }

  ref(): void {
    this.#native.ref();
  }

  unref(): void {
    this.#native.unref();
  }

  /** Accepts nobody any more until {@link resume}: who connects waits in the queue of the kernel. */
  pause(): void {
    this.#native.pause();
  }

  resume(): void {
    this.#native.resume();
  }

  /** Whether a client waits to be accepted. */
  get hasWaiting(): boolean {
    return this.#native.hasWaiting();
  }

  close(): void {
    this.#native.close();
    this.#removeFile();
  }
}

/** Removes the file that is there now, and no other that came to its place. */
function fileRemoval(path: string): () => void {
  const made = lstatSync(path, { throwIfNoEntry: false });
  return () => {
    const present = lstatSync(path, { throwIfNoEntry: false });
    if (present === undefined || present.ino !== made?.ino || present.dev !== made.dev) return;
    try {
      unlinkSync(path);
    } catch (error) {
      report('peer', `the socket ${path} could not be removed`, error);
    }
  };
}

async function answers(path: string): Promise<boolean> {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    const socket = connect({ path }, () => end(true));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => end(code !== 'ECONNREFUSED'));
  });
}
