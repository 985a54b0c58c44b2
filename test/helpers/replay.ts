/**
 * How tests of random steps are run: a failure prints its seed, `BUSBAR_SEED` takes the same steps again, and `BUSBAR_RUNS` says
 * of how many programs.
 */
const { BUSBAR_SEED, BUSBAR_RUNS } = process.env;

/** The seed that is to be taken again, if one is. */
const chosenSeed = BUSBAR_SEED === undefined ? undefined : Number(BUSBAR_SEED);

/** A seed for what is made without `fc.assert`, which then prints it by itself. */
export const seed = chosenSeed ?? Math.floor(Math.random() * 2 ** 31);

/** The parameters of `fc.assert` for a model that runs so many random programs, unless it is said otherwise. */
export function replayable(runs: number) {
  return {
    numRuns: Number(BUSBAR_RUNS ?? runs),
    endOnFailure: true,
    includeErrorInReport: true,
    ...(chosenSeed !== undefined && { seed: chosenSeed }),
  };
}
