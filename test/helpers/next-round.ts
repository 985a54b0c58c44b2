/** Waits for the next round of the event loop. */
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';

/**
 * Resolves in another round of the loop, in which sockets are served. Deno serves none while an immediate is always
 * pending, so there it is a timer.
 */
export async function nextRound(): Promise<void> {
  await (process.versions.deno === undefined ? immediate() : delay(1));
}
