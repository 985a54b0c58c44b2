/**
 * What an operation takes from the heap, and what it leaves there. It is measured in portions, each on a heap that was
 * collected just before, and so small that nothing is collected meanwhile. Portions are of two sizes, and what the larger
 * ones take more belongs to their operations alone, not to beginning.
 */

const SMALL = 100;
const LARGE = 600;

/** @param operate does the operations */
export async function measureHeap(operations, operate) {
  const start = settled();
  let allocated = 0;
  let counted = 0;
  for (let done = 0; done < operations; done += SMALL + LARGE) {
    allocated -= await allocatedBy(SMALL, operate);
    allocated += await allocatedBy(LARGE, operate);
    counted += LARGE - SMALL;
  }
  await new Promise(setImmediate);
  const retained = settled() - start;
  return { operations, cpu: 0, wall: 0, allocated: allocated / counted, retained: retained / operations };
}

async function allocatedBy(operations, operate) {
  const before = settled();
  await operate(operations);
  return used() - before;
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
