/**
 * What ObjectManagers are to tell of each path, in the order in which it happened. It is told at the end of the turn, so
 * that what is assigned right after an export is told with it, and may take longer where a getter does: then what comes
 * later of the same path waits, and nothing of the others.
 */

/** Tells one thing: at once, or the promise settles when it is told. */
export type Announcement = () => Promise<void> | void;

export class Announcements {
  /** By path, what has not begun. */
  readonly #queues = new Map<string, Announcement[]>();
  /** The paths of which something is under way. */
  readonly #underWay = new Set<string>();
  readonly #failed: (path: string, error: unknown) => void;

  /** @param failed is told of what an announcement throws */
  constructor(failed: (path: string, error: unknown) => void) {
    this.#failed = failed;
  }

  add(path: string, announcement: Announcement): void {
    const queue = this.#queues.get(path);
    if (queue !== undefined) {
      queue.push(announcement);
      return;
    }
    this.#queues.set(path, [announcement]);
    queueMicrotask(() => this.#run(path));
  }

  /** Tells now what waits for nothing but the end of the turn. */
  flush(): void {
    for (const path of [...this.#queues.keys()]) this.#run(path);
  }

  #run(path: string): void {
    if (this.#underWay.has(path)) return;
    const queue = this.#queues.get(path) ?? [];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const running = this.#begin(path, next);
      if (running === undefined) continue;
      this.#underWay.add(path);
      void running.then(() => {
        this.#underWay.delete(path);
        this.#run(path);
      });
      return;
    }
    this.#queues.delete(path);
  }

  #begin(path: string, announcement: Announcement): Promise<void> | undefined {
    try {
      return announcement()?.catch((error: unknown) => this.#failed(path, error));
    } catch (error) {
      this.#failed(path, error);
      return undefined;
    }
  }
}
