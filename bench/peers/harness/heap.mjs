/**
 * What an operation takes from the heap, and what it leaves there. It is measured in portions, each on a heap that was
 * collected just before, and so small that nothing is collected meanwhile.
 */

const PORTION = 500;

/** @param operate does the operations */
export async function measureHeap(operations, operate) {
  const start = settled();
  let allocated = 0;
  for (let done = 0; done < operations; done += PORTION) {
    const before = settled();
    await operate(PORTION);
    allocated += used() - before;
  }
  await new Promise(setImmediate);
  const retained = settled() - start;
  return { operations, cpu: 0, wall: 0, allocated: allocated / operations, retained: retained / operations };
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
