/** Random steps of services whose objects a view shows. `BUSBAR_SEED` repeats them, and `BUSBAR_STEPS` makes more of them. */
import fc from 'fast-check';
import { replayable } from './replay.js';

/** Numbers from which a step is made: what it does, to which objects, and with which values. */
interface Choice {
  readonly kind: number;
  readonly first: number;
  readonly second: number;
}

/** Does something to the service, or returns `undefined` if that is not possible now. */
export type Step = (choice: Choice) => Promise<unknown> | undefined;

const STEPS = Number(process.env.BUSBAR_STEPS ?? 150);
const number = fc.nat(9999);
const programs = fc
  .noBias(fc.array(fc.record({ kind: number, first: number, second: number }), { minLength: STEPS, maxLength: STEPS }))
  // The report names the seed and the step.
  .map((choices) => Object.assign(choices, { [fc.toStringMethod]: () => `${choices.length} steps` }));

/** Something that is the same for the same number. `undefined` if there is nothing to choose from. */
export function chosen<Value>(values: Iterable<Value>, number: number): Value | undefined {
  const all = [...values];
  return all[number % all.length];
}

/**
 * Runs random programs of steps.
 *
 * @param run starts a service, and passes its steps on. `play` does the steps, and compares after each
 */
export async function playPrograms(
  runs: number,
  run: (play: (steps: Readonly<Record<string, Step>>, compare: () => Promise<void>) => Promise<void>) => Promise<void>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(programs, (program) => run((steps, compare) => playProgram(program, steps, compare))),
    replayable(runs),
  );
}

async function playProgram(
  program: readonly Choice[],
  steps: Readonly<Record<string, Step>>,
  compare: () => Promise<void>,
): Promise<void> {
  const names = Object.keys(steps);
  let done = 0;
  await compare();
  for (const [index, choice] of program.entries()) {
    const name = chosen(names, choice.kind) as string;
    const step = steps[name]?.(choice);
    if (step === undefined) continue;
    done++;
    try {
      await step;
      await compare();
    } catch (error) {
      throw new Error(`step ${index}, ${name}: ${(error as Error).message}`, { cause: error });
    }
  }
  if (done < program.length / 3) throw new Error(`only ${done} of ${program.length} steps were possible`);
}
