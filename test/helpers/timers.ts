/** Timers of Node.js that a test leaves behind. */
import { createHook } from 'node:async_hooks';

/** Knows the timers that were made since its construction, and neither fired nor were cleared. */
export class Timers {
  readonly #timers = new Set<number>();
  readonly #hook = createHook({
    init: (id, type) => void (type === 'Timeout' && this.#timers.add(id)),
    destroy: (id) => void this.#timers.delete(id),
  }).enable();

  /** The number of remaining timers, once the finished ones were reported. */
  async left(): Promise<number> {
    for (let round = 0; round < 3; round++) await new Promise(setImmediate);
    return this.#timers.size;
  }

  [Symbol.dispose](): void {
    this.#hook.disable();
  }
}
