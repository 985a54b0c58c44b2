/**
 * The least of some times that a function takes, in milliseconds of processor time. The machine may do other things
 * meanwhile, and the compilers of the runtime have to settle: the cost is that of the best run.
 */
export function leastTime(run: () => void, rounds = 5): number {
  const times = Array.from({ length: rounds }, () => {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}
