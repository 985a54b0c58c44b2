/**
 * Waits for servers that do not listen yet. A socket file that does not exist is watched for, by inotify on its folder,
 * or on the nearest folder above that exists, so nothing is polled. A refusal has no event of its own: the socket of a
 * server that has bound it and does not listen yet, an abstract name and a TCP port are tried again, after delays that
 * grow.
 */
import { timeLimit } from '../time-limit.js';
import { SocketChanges } from './socket-changes.js';

/** Milliseconds until the second attempt at a server that refuses, and between attempts after many. */
const FIRST_DELAY = 10;
const LAST_DELAY = 1000;

/** How long to wait. */
export interface Patience {
  /** Milliseconds, or `Infinity`. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** The outcome of an attempt: whether it may succeed later, and then whether a change of a file will tell when. */
export type Prospect = 'final' | 'when a file changes' | 'later';

/**
 * Makes attempts until one is final, the time has passed or the signal aborts. Resolves with the last outcome.
 *
 * @param paths the files of sockets
 * @param attempt gets the milliseconds that are left
 */
export async function waitForSocket<Outcome>(
  paths: readonly string[],
  { limit, signal }: Patience,
  attempt: (milliseconds: number) => Promise<Outcome>,
  prospectOf: (outcome: Outcome) => Prospect,
): Promise<Outcome> {
  const endsAt = performance.now() + limit;
  const { promise: over, stop } = timeLimit(limit);
  let delay = FIRST_DELAY;
  try {
    for (;;) {
      // Watching begins before the attempt, so that no change is missed.
      const changes = new SocketChanges(paths);
      try {
        const outcome = await attempt(Math.max(1, endsAt - performance.now()));
        const prospect = prospectOf(outcome);
        const isOver = () => signal?.aborted === true || performance.now() >= endsAt;
        if (prospect === 'final' || isOver()) return outcome;
        const isTried = prospect === 'later' || !changes.areNoticed;
        const hasChanged = await changes.next(isTried ? delay : Number.POSITIVE_INFINITY, over, signal);
        delay = hasChanged ? FIRST_DELAY : Math.min(2 * delay, LAST_DELAY);
        if (isOver()) return outcome;
      } finally {
        changes.end();
      }
    }
  } finally {
    stop();
  }
}
