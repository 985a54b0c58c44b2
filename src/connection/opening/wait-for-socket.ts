/**
 * Waits for servers that do not listen yet. A socket file that does not exist is watched for, by inotify on its folder,
 * or on the nearest folder above that exists, so nothing is polled. A refusal has no event of its own: the socket of a
 * server that has bound it and does not listen yet, an abstract name and a TCP port are tried again, after delays that
 * grow.
 */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { onAbort } from '../sending/abort-reactions.js';
import { startTimer, timeLimit } from '../time-limit.js';

/** Milliseconds until the second attempt at a server that refuses, and between attempts after many. */
const FIRST_DELAY = 10;
const LAST_DELAY = 1000;

/** How long to wait. */
export interface Patience {
  /** Milliseconds, or `Infinity`. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** The outcome of an attempt: whether it may succeed later, and then whether a change of a file will tell when. */
export type Prospect = 'final' | 'when a file changes' | 'later';

/**
 * Makes attempts until one is final, the time has passed or the signal aborts. Resolves with the last outcome.
 *
 * @param paths the files of sockets
 * @param attempt gets the milliseconds that are left
 */
export async function waitForSocket<Outcome>(
  paths: readonly string[],
  { limit, signal }: Patience,
  attempt: (milliseconds: number) => Promise<Outcome>,
  prospectOf: (outcome: Outcome) => Prospect,
): Promise<Outcome> {
  const endsAt = performance.now() + limit;
  const { promise: over, stop } = timeLimit(limit);
  let delay = FIRST_DELAY;
  try {
    for (;;) {
      // Watching begins before the attempt, so that no change is missed.
      const changes = new Changes(paths);
      try {
        const outcome = await attempt(Math.max(1, endsAt - performance.now()));
        const prospect = prospectOf(outcome);
        const isOver = () => signal?.aborted === true || performance.now() >= endsAt;
        if (prospect === 'final' || isOver()) return outcome;
        const isTried = prospect === 'later' || !changes.areNoticed;
        const hasChanged = await changes.next(isTried ? delay : Number.POSITIVE_INFINITY, over, signal);
        delay = hasChanged ? FIRST_DELAY : Math.min(2 * delay, LAST_DELAY);
        if (isOver()) return outcome;
      } finally {
        changes.end();
      }
    }
  } finally {
    stop();
  }
}

/** Notices that one of some files may have come into being, been replaced or changed. */
class Changes {
  readonly #watchers: FSWatcher[] = [];
  #areNoticed = true;
  #hasChanged = false;
  #tell: (() => void) | undefined;

  constructor(paths: readonly string[]) {
    for (const path of paths) this.#watch(path);
  }

  /** Whether every file is watched. The kernel limits the number of watches of a user. */
  get areNoticed(): boolean {
    return this.#areNoticed;
  }

  /** Waits for a change. Resolves with `false` if it has not come after these milliseconds, or at the end of waiting. */
  async next(milliseconds: number, end: Promise<unknown>, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#hasChanged) return true;
    let stopTimer: (() => void) | undefined;
    let stopListening: (() => void) | undefined;
    const changed = new Promise<void>((resolve) => {
      this.#tell = resolve;
      stopTimer = startTimer(resolve, milliseconds);
      stopListening = signal && onAbort(signal, resolve);
    });
    await Promise.race([changed, end]);
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
      const watcher = watch(folder, (_event, name) => {
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
