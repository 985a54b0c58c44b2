/** Waits for a condition. */
import { setTimeout as delay } from 'node:timers/promises';
import { patience } from './patience.js';

/** Resolves when `isSo` returns true; rejects if it does not within ten seconds. */
export async function until(isSo: () => boolean): Promise<void> {
  const giveUp = performance.now() + 10_000 * patience;
  while (!isSo()) {
    if (performance.now() > giveUp) throw new Error(`waited in vain for ${isSo}`);
    await delay(1);
  }
}
