/**
 * What was sent just before the process ends is delivered: at `exit`, every open connection writes what it gathered.
 * One listener serves all connections, and it is only there while there is one.
 */
interface Flushable {
  /** Writes what was sent, blocking for at most so long. Returns whether all of it is written. */
  flushNow(milliseconds: number): boolean;
}

/** How long an exiting process waits for those that do not read: for all of them together. */
const EXIT_PATIENCE = 1000;

/** How long it waits for one before it looks at the others again. */
const SLICE = 10;

const open = new Set<Flushable>();

function flushAll(): void {
  const end = performance.now() + EXIT_PATIENCE;
  // Whoever reads is not to go without because somebody else does not: nobody is waited for before all had their turn.
  let unwritten = [...open].filter((connection) => !connection.flushNow(0));
  for (let turn = 0; unwritten.length > 0; turn++) {
    const left = end - performance.now();
    if (left < 1) return;
    unwritten[turn % unwritten.length]?.flushNow(Math.min(SLICE, left));
    unwritten = unwritten.filter((connection) => !connection.flushNow(0));
  }
}

export function flushAtExit(connection: Flushable): void {
  if (open.size === 0) process.on('exit', flushAll);
  open.add(connection);
}

export function forgetAtExit(connection: Flushable): void {
  if (open.delete(connection) && open.size === 0) process.off('exit', flushAll);
}
