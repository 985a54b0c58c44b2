/**
 * When a bus that is away tries to connect: after delays that grow, and before that as soon as the file of its socket
 * comes into being or is replaced.
 */
import { existsSync } from 'node:fs';
import { SocketChanges } from '../../connection/opening/socket-changes.js';
import type { Delays } from './reconnect-options.js';

/** Milliseconds until the attempts that follow a change: a server listens some time after it has made the file. */
const FIRST_SOON = 10;
const LAST_SOON = 640;

export class Pauses {
  readonly #delays: Delays;
  readonly #paths: readonly string[];
  readonly #signal: AbortSignal;
  #changes: SocketChanges;
  /** When the present delay ends. */
  #due: number | undefined;
  /** Milliseconds until the next attempt after a change. */
  #soon = Number.POSITIVE_INFINITY;

  /**
   * @param paths the files of the sockets that the bus may be at
   * @param signal ends the pauses
   */
  constructor(delays: Delays, paths: readonly string[], signal: AbortSignal) {
    this.#delays = delays;
    this.#paths = paths;
    this.#signal = signal;
    this.#changes = new SocketChanges(paths, false);
  }

  /**
   * Waits until the next attempt, or until the signal aborts. The wait does not keep the process alive.
   *
   * @returns whether a delay has passed. Otherwise it is early: the file has changed
   */
  async next(): Promise<boolean> {
    this.#due ??= performance.now() + this.#delays.take();
    for (;;) {
      const left = Math.max(0, this.#due - performance.now());
      const hasChanged = await this.#changes.next(Math.min(left, this.#soon), undefined, this.#signal);
      if (this.#signal.aborted) return false;
      if (!hasChanged && left <= this.#soon) {
        this.#due = undefined;
        this.#soon = Number.POSITIVE_INFINITY;
        return true;
      }
      if (!hasChanged) {
        this.#soon = this.#soon < LAST_SOON ? 2 * this.#soon : Number.POSITIVE_INFINITY;
        return false;
      }
      // Before the attempt, so that no change is missed.
      this.#changes.end();
      this.#changes = new SocketChanges(this.#paths, false);
      if (this.#paths.some((path) => existsSync(path))) {
        this.#soon = FIRST_SOON;
        return false;
      }
    }
  }

  end(): void {
    this.#changes.end();
  }
}
