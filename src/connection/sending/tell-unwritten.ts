/**
 * Reports bytes that were not written in time when the process exits or a connection closes. The program has done its
 * part, and a supervisor sees only the exit code. So the process itself has to tell that data was lost.
 */
import { writeSync } from 'node:fs';
import { printable } from '../../base/printable.js';
import { report } from '../../diagnostics/problems.js';
import { isWithinRate } from '../../diagnostics/warnings.js';

const CODE = 'BUSBAR_UNWRITTEN';

/** The connection that the bytes were for. */
export interface UnwrittenTo {
  /** The number of the connection in diagnostics. */
  readonly id: number;
  /** Whether the other side is a client that this program accepted. */
  readonly isAccepted: boolean;
}

/**
 * Reports the loss on the channel and on standard error, and sets the exit code to 1 if there was none. For an accepted
 * client the exit code does not change: otherwise a server would fail whenever one of its clients had stopped reading.
 */
export function tellUnwritten(text: string, { id, isAccepted }: UnwrittenTo): void {
  report('send', text, undefined, id);
  if (!isAccepted) process.exitCode ||= 1;
  if (process.env.NODE_NO_WARNINGS === '1' || !isWithinRate(CODE)) return;
  // A process warning would be printed in a later tick, which may not come.
  try {
    writeSync(2, `(busbar:${process.pid}) [${CODE}] Warning: ${printable(text)}\n`);
  } catch {
    // Standard error is closed, or full.
  }
}
