/** Blocks the event loop, as a computation does. */
export function blockLoop(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Blocks it once the messages of this tick were sent, so that timers are next, before anything is read. */
export async function blockLoopBeforeTimers(milliseconds: number): Promise<void> {
  await new Promise(setImmediate);
  blockLoop(milliseconds);
}
