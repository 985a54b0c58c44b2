/**
 * Handles the loss of a bus that the program would not notice: no promise rejects, and the process would end as if its
 * work were done. A warning is emitted, and the exit code makes a supervisor restart the process.
 */

import type { DBusError } from '../../base/errors.js';
import { printable } from '../../base/printable.js';

const EXIT_CODE = 1;

/**
 * Losses that the program has not noticed, by the address of the bus. The function tells whether the program waits for
 * the end by now.
 */
const losses = new Map<string, () => boolean>();

/**
 * Warns about a loss.
 *
 * @param isAskedFor whether the program waits for the end of the connection
 */
export function tellUnheardLoss(address: string, reason: DBusError, isAskedFor: () => boolean): void {
  const text =
    `the connection to the bus at ${address} was lost: ${reason.message}. ` +
    `If nothing else keeps the process alive, it ends with exit code ${EXIT_CODE}. A program that reads bus.disconnected decides by itself.`;
  process.emitWarning(printable(text), { code: 'BUSBAR_CONNECTION_LOST' });
  if (losses.size === 0) process.on('beforeExit', setExitCode);
  losses.set(address, isAskedFor);
}

/** Called when the program has connected to a bus, perhaps again after a loss. */
export function forgetLossOf(address: string): void {
  if (losses.delete(address) && losses.size === 0) process.off('beforeExit', setExitCode);
}

/** Called when nothing keeps the process alive any more. An exit code that the program has set takes precedence. */
function setExitCode(): void {
  if ([...losses.values()].every((isAskedFor) => isAskedFor())) return;
  process.exitCode ??= EXIT_CODE;
}
