/** Holds the event loop, as a computation does. */
export function holdLoop(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Holds it when what was sent in this turn has left, and so that timers come next, before anything is read. */
export async function holdLoopBeforeTimers(milliseconds: number): Promise<void> {
  await new Promise(setImmediate);
  holdLoop(milliseconds);
}
