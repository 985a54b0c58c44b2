/**
 * What was sent just before the process ends is delivered: at `exit`, every open connection writes what it gathered.
 * One listener serves all connections, and it is only there while there is one.
 */
interface Flushable {
  flushNow(milliseconds: number): void;
}

/** How long an exiting process waits for a bus that does not read. */
const EXIT_PATIENCE = 1000;

const open = new Set<Flushable>();

function flushAll(): void {
  for (const connection of open) connection.flushNow(EXIT_PATIENCE);
}

export function flushAtExit(connection: Flushable): void {
  if (open.size === 0) process.on('exit', flushAll);
  open.add(connection);
}

export function forgetAtExit(connection: Flushable): void {
  if (open.delete(connection) && open.size === 0) process.off('exit', flushAll);
}
