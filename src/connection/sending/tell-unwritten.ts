/**
 * What was sent, and is given up for want of time: when the process exits, or when a connection closes. The program has done
 * what it should, and a supervisor sees nothing but the exit code: so the process has to say by itself that something is lost.
 */
import { writeSync } from 'node:fs';
import { printable } from '../../base/printable.js';
import { report } from '../../diagnostics/problems.js';
import { isWithinRate } from '../../diagnostics/warnings.js';

const CODE = 'BUSBAR_UNWRITTEN';

/** Where it was to go. */
export interface UnwrittenTo {
  /** The number by which diagnostics call the connection. */
  readonly id: number;
  /** The other side is a client that this program accepted. */
  readonly isAccepted: boolean;
}

/**
 * Tells of it on the channel and on standard error, and with an exit code of 1 if there was none. A client that was accepted
 * changes no exit code: a server would end as failed whenever one of its clients had stopped reading.
 */
export function tellUnwritten(text: string, { id, isAccepted }: UnwrittenTo): void {
  report('send', text, undefined, id);
  if (!isAccepted) process.exitCode ||= 1;
  if (process.env.NODE_NO_WARNINGS === '1' || !isWithinRate(CODE)) return;
  // A process warning would be printed in a later tick, which there may not be.
  try {
    writeSync(2, `(busbar:${process.pid}) [${CODE}] Warning: ${printable(text)}\n`);
  } catch {
    // Standard error is closed, or full.
  }
}
