/** The command line of the differential tests. */
import { parseArgs } from 'node:util';

export interface Options {
  /** How many messages are made up, how many sent over each transport, and how many changed. */
  readonly messages: number;
  /** What they are made from: the same seed makes the same ones. */
  readonly seed: number;
  /** Whether the figures are written down. */
  readonly save: boolean;
  /** Whether to go on without readers and corpora that this machine lacks. */
  readonly incomplete: boolean;
}

export const usage = `npm run test:differential -- [options]

  --messages N   messages to make up, as many to send over each transport, and as many to change (20000)
  --seed S       what they are made from (another one each time)
  --incomplete   go on without readers and corpora that this machine lacks
  --no-save      do not write docs/reliability/figures/differential.json`;

const MANY = 20_000;
const SEEDS = 2 ** 31;

/** What to do, or the text to show instead. */
export function readOptions(args: readonly string[]): Options | string {
  const { values } = parseArgs({
    args: [...args],
    options: {
      messages: { type: 'string' },
      seed: { type: 'string' },
      'no-save': { type: 'boolean', default: false },
      incomplete: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return usage;
  const messages = Number(values.messages ?? MANY);
  const seed = Number(values.seed ?? Math.floor(Math.random() * SEEDS));
  if (!(Number.isInteger(messages) && messages > 0)) throw new Error('--messages takes a number');
  if (!(Number.isInteger(seed) && seed >= 0)) throw new Error('--seed takes a number');
  return { messages, seed, save: !values['no-save'], incomplete: values.incomplete };
}
