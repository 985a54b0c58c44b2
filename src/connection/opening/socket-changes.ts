/** Watches for the files of sockets, by inotify on their folders, or on the nearest folders above that exist. */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { Address } from '../../address/address.js';
import { onAbort } from '../sending/abort-reactions.js';
import { startTimer } from '../time-limit.js';

/** The files of the sockets at these addresses. Abstract names and TCP ports have none. */
export function socketPaths(addresses: readonly Address[]): readonly string[] {
  return addresses.flatMap(({ transport, parameters }) => (transport === 'unix' && parameters.get('path')) || []);
}

/** Notices, once, that one of some files may have come into being, been replaced or changed. */
export class SocketChanges {
  readonly #watchers: FSWatcher[] = [];
  readonly #keepsAlive: boolean;
  #areNoticed = true;
  #hasChanged = false;
  #tell: (() => void) | undefined;

  /** @param keepsAlive whether it keeps the process alive */
  constructor(paths: readonly string[], keepsAlive = true) {
    this.#keepsAlive = keepsAlive;
    for (const path of paths) this.#watch(path);
  }

  /** Whether every file is watched. The kernel limits the number of watches of a user. */
  get areNoticed(): boolean {
    return this.#areNoticed;
  }

  /** Waits for a change. Resolves with `false` if it has not come after these milliseconds, or at the end of waiting. */
  async next(milliseconds: number, end: Promise<unknown> | undefined, signal?: AbortSignal): Promise<boolean> {
    if (this.#hasChanged) return true;
    let stopTimer: (() => void) | undefined;
    let stopListening: (() => void) | undefined;
    const changed = new Promise<void>((resolve) => {
      this.#tell = resolve;
      stopTimer = startTimer(resolve, milliseconds, this.#keepsAlive);
      stopListening = signal && onAbort(signal, resolve);
    });
    await (end === undefined ? changed : Promise.race([changed, end]));
    stopTimer?.();
    stopListening?.();
    return this.#hasChanged;
  }

  end(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  #watch(path: string): void {
    let folder = nearestFolder(path);
    for (;;) {
      if (!this.#watchFolder(folder, path)) return;
      // A folder that came into being before the watch began is not noticed.
      const nearest = nearestFolder(path);
      if (nearest === folder) return;
      folder = nearest;
    }
  }

  /** Watches for the next part of the path below an existing folder. Returns whether that is possible. */
  #watchFolder(folder: string, path: string): boolean {
    const next = relative(folder, path).split(sep)[0];
    const isPart = (name: string | null) => name === null || name === next || name === basename(folder);
    try {
      const watcher = watch(folder, { persistent: this.#keepsAlive }, (_event, name) => {
        if (isPart(name)) this.#note();
      });
      // For instance, the folder was removed.
      watcher.on('error', () => this.#note());
      this.#watchers.push(watcher);
      return true;
    } catch {
      this.#areNoticed = false;
      return false;
    }
  }

  #note(): void {
    this.#hasChanged = true;
    this.#tell?.();
  }
}

/** The nearest folder above a path that exists. */
function nearestFolder(path: string): string {
  let folder = dirname(path);
  while (!existsSync(join(folder, '.')) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}
