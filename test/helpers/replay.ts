/**
 * How tests of random steps are run: a failure prints its seed, `BUSBAR_SEED` repeats its steps, and `BUSBAR_RUNS` sets the
 * number of programs.
 */
const { BUSBAR_SEED, BUSBAR_RUNS } = process.env;

/** The seed that is to be repeated, if there is one. */
const chosenSeed = BUSBAR_SEED === undefined ? undefined : Number(BUSBAR_SEED);

/** A seed for tests without `fc.assert`, which prints it by itself. */
export const seed = chosenSeed ?? Math.floor(Math.random() * 2 ** 31);

/** The parameters of `fc.assert` for a model that runs this many random programs, unless `BUSBAR_RUNS` is set. */
export function replayable(runs: number) {
  return {
    numRuns: Number(BUSBAR_RUNS ?? runs),
    endOnFailure: true,
    includeErrorInReport: true,
    ...(chosenSeed !== undefined && { seed: chosenSeed }),
  };
}
