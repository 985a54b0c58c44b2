/** Waits for what a test expects to become so. */
import { setTimeout as delay } from 'node:timers/promises';
import { patience } from './patience.js';

/** Resolves when `isSo` says so; rejects when it does not for ten seconds. */
export async function until(isSo: () => boolean): Promise<void> {
  const giveUp = performance.now() + 10_000 * patience;
  while (!isSo()) {
    if (performance.now() > giveUp) throw new Error(`waited in vain for ${isSo}`);
    await delay(1);
  }
}
