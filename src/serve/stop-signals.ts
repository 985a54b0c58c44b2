/** The signals that end a service: SIGTERM of a service manager, and SIGINT of a terminal. */
import { constants } from 'node:os';

/** A signal that ends a service. */
export type StopSignal = 'SIGTERM' | 'SIGINT';

const SIGNALS: readonly StopSignal[] = ['SIGTERM', 'SIGINT'];

/**
 * Milliseconds in which a signal that comes again is the same one: `npm run` passes on the SIGINT of a terminal, which the
 * terminal has sent to the program, too.
 */
const SAME_SIGNAL = 250;

/**
 * Calls `stop` at the first signal, until the returned function is called. A second one ends the process at once, as it
 * would without a listener.
 */
export function onStopSignal(stop: (signal: StopSignal) => void): () => void {
  let first: number | undefined;
  const hear = (signal: StopSignal) => {
    if (first === undefined) {
      first = performance.now();
      stop(signal);
    } else if (performance.now() - first > SAME_SIGNAL) {
      process.exit(128 + constants.signals[signal]);
    }
  };
  for (const signal of SIGNALS) process.on(signal, hear);
  return () => {
    for (const signal of SIGNALS) process.off(signal, hear);
  };
}
