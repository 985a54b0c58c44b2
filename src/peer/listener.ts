/**
 * A socket that listens for peers. It owns the native listener and, for a Unix socket with a path, its file, which is
 * removed with it. The layers above decide which clients may connect.
 */
import { constants } from 'node:os';
import { connectableAddress, type ListenTarget } from '../address/listen-address.js';
import { errnoText } from '../connection/errno.js';
import { report } from '../diagnostics/problems.js';
import type { NativeListener, NativeListenerOptions, PollerKind } from '../native/binding.js';
import { loadAddon } from '../native/load.js';
import { removeStale, SocketFile } from './socket-file.js';

const { errno: Errno } = constants;

/** The usual cause of a failure, by errno. */
const cures = new Map<number, string>([
  [Errno.ENOENT, 'the folder does not exist'],
  [Errno.EACCES, 'permission denied: check the owner of the folder, AppArmor or SELinux; ports below 1024 need root'],
  [Errno.EADDRINUSE, 'another server listens there'],
  [Errno.EADDRNOTAVAIL, 'this machine has no such address'],
]);

/** A socket that listens already, and the target that it is bound to. */
export interface AdoptedListener {
  readonly fd: number;
  readonly target: ListenTarget;
}

export class Listener {
  /** The address that clients connect to. */
  readonly address: string;
  /** More than one if the service manager passed several sockets. */
  readonly #natives: readonly NativeListener[];
  readonly #file: SocketFile | undefined;

  private constructor(natives: readonly NativeListener[], address: string, file?: SocketFile) {
    this.#natives = natives;
    this.address = address;
    this.#file = file;
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
    const make = makerOf(
      {
        name: target.kind === 'tcp' ? '' : target.kind === 'abstract' ? `\0${target.name}` : target.name,
        ip: target.kind === 'tcp' ? target.ip : '',
        port: target.kind === 'tcp' ? target.port : 0,
      },
      onAccept,
      poller,
    );
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
    if (errno === 0) {
      const file = target.kind === 'path' ? new SocketFile(target.name) : undefined;
      return new Listener([native], connectableAddress(target, native.port(), guid), file);
    }
    const reason = obstacle ?? cures.get(errno);
    return `${errnoText(errno)}${reason === undefined ? '' : ` (${reason})`}`;
  }

  /**
   * Accepts clients of sockets that listen already, and owns them. Their files stay when they are closed: the process
   * that bound them removes them.
   *
   * @returns the listener, or the reason if it fails; the sockets are closed then
   */
  static adopt(
    sockets: readonly AdoptedListener[],
    guid: string,
    onAccept: (fd: number) => void,
    poller: PollerKind,
  ): Listener | string {
    const natives = sockets.map(({ fd }) => makerOf({ name: '', ip: '', port: 0, adopt: fd }, onAccept, poller)());
    const errnos = natives.map((native) => native.start());
    const errno = errnos.find((each) => each !== 0);
    const addresses = sockets.map(({ target }) =>
      connectableAddress(target, target.kind === 'tcp' ? target.port : 0, guid),
    );
    if (errno === undefined) return new Listener(natives, addresses.join(';'));
    for (const native of natives) native.close();
    return errnoText(errno);
  }

  ref(): void {
    for (const native of this.#natives) native.ref();
  }

  unref(): void {
    for (const native of this.#natives) native.unref();
  }

  /** Accepts no client until {@link resume}. Clients that connect wait in the kernel's queue. */
  pause(): void {
    for (const native of this.#natives) native.pause();
  }

  resume(): void {
    for (const native of this.#natives) native.resume();
  }

  /** Whether a client waits to be accepted. */
  get hasWaiting(): boolean {
    return this.#natives.some((native) => native.hasWaiting());
  }

  close(): void {
    for (const native of this.#natives) native.close();
    this.#file?.remove();
  }
}

/** Returns a function that makes a native listener, which reports that no client can be accepted. */
function makerOf(
  socket: Pick<NativeListenerOptions, 'name' | 'ip' | 'port' | 'adopt'>,
  onAccept: (fd: number) => void,
  poller: PollerKind,
): () => NativeListener {
  const { Listener: Native } = loadAddon();
  // Reported once: the addon retries several times a second, and the cause is the same until a client is accepted.
  let isReported = false;
  return () =>
    new Native({
      ...socket,
      poller,
      onAccept: (fd) => {
        isReported = false;
        onAccept(fd);
      },
      onError: (errno) => {
        if (!isReported) report('peer', `no client can be accepted at the moment: ${errnoText(errno)}`);
        isReported = true;
      },
    });
}
