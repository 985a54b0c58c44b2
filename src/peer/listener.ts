/**
 * A socket that listens for peers. It owns the native listener and, for a Unix socket with a path, its file, which is
 * removed with it. The layers above decide which clients may connect.
 */
import { constants } from 'node:os';
import { connectableAddress, type ListenTarget } from '../address/listen-address.js';
import { errnoText } from '../connection/errno.js';
import { report } from '../diagnostics/problems.js';
import type { NativeListener, PollerKind } from '../native/binding.js';
import { loadAddon } from '../native/load.js';
import { removeStale, SocketFile } from './socket-file.js';

const { errno: Errno } = constants;

/** The usual cause of a failure, by errno. */
const cures = new Map<number, string>([
  [Errno.ENOENT, 'the folder does not exist'],
  [
    Errno.EACCES,
    'permission denied: check the owner of the folder, AppArmor or SELinux; ports below 1024 are for root',
  ],
  [Errno.EADDRINUSE, 'another server listens there'],
  [Errno.EADDRNOTAVAIL, 'this machine has no such address'],
]);

export class Listener {
  /** The address that clients connect to. */
  readonly address: string;
  readonly #native: NativeListener;
  readonly #file: SocketFile | undefined;

  private constructor(native: NativeListener, target: ListenTarget, guid: string) {
    this.#native = native;
    this.address = connectableAddress(target, native.port(), guid);
    this.#file = target.kind === 'path' ? new SocketFile(target.name) : undefined;
  }

  /**
   * Binds and listens. Resolves with the listener, or with the reason if it fails.
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
    // Reported once: the addon retries several times a second, and the cause is the same until a client is accepted.
    let isReported = false;
    const make = () =>
      new Native({
        poller,
        name: target.kind === 'tcp' ? '' : target.kind === 'abstract' ? `\0${target.name}` : target.name,
        ip: target.kind === 'tcp' ? target.ip : '',
        port: target.kind === 'tcp' ? target.port : 0,
        onAccept: (fd) => {
          isReported = false;
          onAccept(fd);
        },
        onError: (errno) => {
          if (!isReported) report('peer', `no client can be accepted at the moment: ${errnoText(errno)}`);
          isReported = true;
        },
      });
    let native = make();
    let errno = native.start();
    let obstacle: string | undefined;
    if (errno === Errno.EADDRINUSE && target.kind === 'path') {
      obstacle = await removeStale(target.name);
      if (obstacle === undefined) {
        native = make();
        errno = native.start();
      }
    }
    if (errno === 0) return new Listener(native, target, guid);
    const reason = obstacle ?? cures.get(errno);
    return `${errnoText(errno)}${reason === undefined ? '' : ` (${reason})`}`;
  }

  ref(): void {
    this.#native.ref();
  }

  unref(): void {
    this.#native.unref();
  }

  /** Accepts no client until {@link resume}. Clients that connect wait in the kernel's queue. */
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
    this.#file?.remove();
  }
}
