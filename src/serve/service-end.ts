/** How a service ended, and what that means for the process. */
import type { DBusError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import type { StopSignal } from './stop-signals.js';

/**
 * How a service ended:
 *
 * | reason | | exit code |
 * | --- | --- | --- |
 * | `idle` | it was idle for `exitWhenIdle` milliseconds | 0 |
 * | `signal` | the process got SIGTERM or SIGINT | 0 |
 * | `aborted` | the option `signal` was aborted | 0 |
 * | `ended` | the program ended it, closed its bus, or released its name | 0 |
 * | `replaced` | another connection has its name | 0 with `allowReplacement`, else 1 |
 * | `refused` | the bus refused its name when it was requested again over a new connection | 1 |
 * | `disconnected` | the bus was lost | 1 |
 */
export interface ServiceEnd {
  /** Why it ended. */
  readonly reason: 'idle' | 'signal' | 'aborted' | 'ended' | 'replaced' | 'refused' | 'disconnected';
  /** What `process.exitCode` was set to, unless the program had set it. */
  readonly exitCode: number;
  /** The signal, if the reason is `signal`. */
  readonly signal?: StopSignal | undefined;
  /** Why the bus was lost, or refused the name. */
  readonly error?: DBusError | undefined;
}

/** Milliseconds after which a process should have ended. */
const LINGERING = 5000;

/** The number of services that have not ended. */
let running = 0;

export function noteBegin(): void {
  running++;
}

/** A service could not run. The caller is told. */
export function noteFailure(): void {
  running--;
}

/**
 * Sets the exit code, and has the process end.
 *
 * @param isHeard whether the program learns of the end; otherwise, a failure is a process warning
 */
export function noteEnd({ reason, exitCode, error }: ServiceEnd, name: string, isHeard: boolean): void {
  running--;
  if (exitCode !== 0) {
    process.exitCode ??= exitCode;
    const why = error === undefined ? reason : `${reason}: ${error.message}`;
    if (!isHeard) process.emitWarning(printable(`${name} has ended: ${why}`), { code: 'BUSBAR_SERVICE_ENDED' });
  }
  if (reason === 'idle' || reason === 'signal') setTimeout(() => tellLingering(name, reason), LINGERING).unref();
}

/**
 * Called if something keeps the process alive. Without the listener, the signal would have ended it. A process that is idle
 * may be that of a test.
 */
function tellLingering(name: string, reason: string): void {
  if (running > 0) return;
  const held =
    [...new Set(process.getActiveResourcesInfo?.())].join(', ') || 'something that the runtime does not name';
  const isEnded = reason === 'signal';
  const what = isEnded ? 'the process is ended, which was' : 'the process goes on:';
  const cure = isEnded ? '' : '. A program can call process.exit() when service.ended has resolved';
  process.emitWarning(printable(`${name} has ended (${reason}), and ${what} kept alive by ${held}${cure}`), {
    code: 'BUSBAR_SERVICE_LINGERS',
  });
  // The warning is written in the next tick.
  if (isEnded) setImmediate(() => process.exit());
}
