/**
 * The least of some times that a function takes, in milliseconds. The machine may do other things meanwhile, and the
 * compilers of the runtime have to settle: what something costs is what it costs at best.
 */
export function leastTime(run: () => void, rounds = 5): number {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return Math.min(...times);
}
