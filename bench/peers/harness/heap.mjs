/**
 * What an operation leaves on the heap. The program is started with a young generation so large that nothing is
 * collected while it is measured; then everything is, and what remains is retained.
 */

/** @param operate does the operations */
export async function measureHeap(operations, operate) {
  const before = settled();
  await operate(operations);
  const allocated = used() - before;
  await new Promise(setImmediate);
  const retained = settled() - before;
  return { operations, allocated: allocated / operations, retained: retained / operations };
}

function settled() {
  global.gc();
  global.gc();
  return used();
}

function used() {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
