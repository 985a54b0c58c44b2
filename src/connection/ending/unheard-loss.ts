/**
 * The loss of a bus that the program would not hear of: nothing rejects, and the process ends as if its work were done. It is
 * a warning, and the process ends with an exit code that has a supervisor start it anew.
 */

import type { DBusError } from '../../base/errors.js';
import { printable } from '../../base/printable.js';

const EXIT_CODE = 1;

/** Losses that the program has not heard of, by the address of the bus: whether it has asked meanwhile. */
const losses = new Map<string, () => boolean>();

/**
 * Tells of a loss.
 *
 * @param isAskedFor whether the program asks for the end of the connection
 */
export function tellUnheardLoss(address: string, reason: DBusError, isAskedFor: () => boolean): void {
  const text =
    `the connection to the bus at ${address} was lost, and with it what the process was kept alive for: ${reason.message}. ` +
    `If nothing else keeps it alive, it ends with exit code ${EXIT_CODE}. Programs that look at bus.disconnected decide by themselves.`;
  process.emitWarning(printable(text), { code: 'BUSBAR_CONNECTION_LOST' });
  if (losses.size === 0) process.on('beforeExit', setExitCode);
  losses.set(address, isAskedFor);
}

/** The program has connected to a bus, perhaps anew: its loss is made good. */
export function forgetLossOf(address: string): void {
  if (losses.delete(address) && losses.size === 0) process.off('beforeExit', setExitCode);
}

/** Nothing keeps the process alive any more. Where the program has set a code, that is its word. */
function setExitCode(): void {
  if ([...losses.values()].every((isAskedFor) => isAskedFor())) return;
  process.exitCode ??= EXIT_CODE;
}
