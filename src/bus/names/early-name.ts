/** Warns of programs that request a name before they can answer calls to it. */
import { isWellKnownName } from '../../base/names.js';

/** Whether this process has been warned. */
let warned = false;

/** Emits a warning, once in a process. */
export function warnOfEarlyName(name: string): void {
  if (warned || !isWellKnownName(name)) return;
  warned = true;
  process.emitWarning(
    `${name} is requested before any object is exported: calls that arrive now find no object. Export first, or add a message handler that answers.`,
    { code: 'BUSBAR_NAME_BEFORE_EXPORT' },
  );
}
