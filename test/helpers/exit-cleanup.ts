/**
 * Runs cleanups when the process ends: normally, by an exception, or by a signal that would end it. The returned function
 * removes the cleanup once the resource is released properly.
 */
import { constants } from 'node:os';

const cleanups = new Set<() => void>();
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
let installed = false;

/** Registers a synchronous cleanup; returns a function that removes it. */
export function onExit(cleanup: () => void): () => void {
  install();
  cleanups.add(cleanup);
  return () => cleanups.delete(cleanup);
}

function install(): void {
  if (installed) return;
  installed = true;
  process.on('exit', () => {
    for (const cleanup of cleanups) cleanup();
  });
  // A signal's default action ends the process without an 'exit' event. 128 + number is the exit code that a shell reports
  // for it.
  for (const signal of endingSignals) process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
