/**
 * What a connection and the addon tell each other during a turn of the event loop, in two integers of shared memory. So
 * a call that is made and answered in turns does not cross the seam to say that the process has to stay alive.
 */
const note = new Int32Array(new ArrayBuffer(8));

/** The memory, for the addon. */
export const turnNote: Int32Array = note;

/**
 * Writes down whether the connection with this number keeps the event loop alive, which takes effect at the end of its
 * turn.
 *
 * @returns whether it is the connection's turn
 */
export function noteKeepAlive(connection: number, isWanted: boolean): boolean {
  if (connection === 0 || note[0] !== connection) return false;
  note[1] = isWanted ? 1 : 0;
  return true;
}
