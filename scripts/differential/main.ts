/** The differential tests from their options to their figures. */
import { describeDisagreement } from '../../test/differential/comparison.js';
import { changedCorpus } from '../../test/differential/corpora/changed.js';
import { randomCorpus } from '../../test/differential/corpora/random.js';
import { recordedCorpus } from '../../test/differential/corpora/recorded.js';
import { rulesCorpus } from '../../test/differential/corpora/rules.js';
import { sentCorpus } from '../../test/differential/corpora/sent.js';
import { sharedCorpora } from '../../test/differential/corpora/shared.js';
import type { Corpus } from '../../test/differential/corpus.js';
import { differences } from '../../test/differential/differences.js';
import { Differential } from '../../test/differential/differential.js';
import { otherReaders, wireCheck } from '../../test/differential/readers/index.js';
import { saveFigures } from '../reliability-report/figures.mjs';
import { type Options, readOptions, usage } from './options.js';
import { listOf, tableOf } from './table.js';
import { Totals } from './totals.js';

/** Messages that are made, read and forgotten at a time. */
const AT_ONCE = 2000;
const SHOWN = 20;

/** Runs the tests; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const options = optionsOf(args);
  if (typeof options === 'string') {
    console.log(options);
    return options === usage ? 0 : 2;
  }
  if (wireCheck.missing !== undefined) {
    console.log(`Without busbar's own check there is nothing to compare with: ${wireCheck.missing}.`);
    return 1;
  }
  const absent = [...otherReaders, ...sharedCorpora()].filter(({ missing }) => missing !== undefined);
  for (const { name, missing } of absent) console.log(`Without ${name}: ${missing}.`);
  if (absent.length > 0 && !options.incomplete) {
    console.log('That would be no measurement of all there is to measure; --incomplete runs it all the same.');
    return 1;
  }
  console.log(`The seed is ${options.seed}.`);
  const totals = await readAll(options);
  console.log(`\n${tableOf(totals)}\n\n${listOf(totals)}\n`);
  for (const disagreement of totals.unexpected.slice(0, SHOWN)) console.log(describeDisagreement(disagreement));
  for (const unmet of totals.unmet) console.log(`Listed, but not met by any message: ${unmet}`);
  if (options.save) console.log(`The figures are in ${save(options, totals)}.`);
  return totals.unexpected.length > 0 || totals.unmet.length > 0 ? 1 : 0;
}

/** What to do, or what to tell the person instead. */
function optionsOf(args: readonly string[]): Options | string {
  try {
    return readOptions(args);
  } catch (error) {
    return (error as Error).message;
  }
}

async function readAll(options: Options): Promise<Totals> {
  const totals = new Totals();
  await using differential = await Differential.start();
  for await (const corpus of corpora(options)) {
    if (corpus.missing !== undefined) continue;
    const result = await differential.compare(corpus);
    const unexpected = result.tallies.reduce((sum, tally) => sum + tally.unexpected.length, 0);
    totals.add(result);
    console.log(`${unexpected === 0 ? '✔' : '✘'} ${corpus.messages.length} messages: ${corpus.name}`);
  }
  return totals;
}

async function* corpora({ messages, seed }: Options): AsyncGenerator<Corpus> {
  const rules = rulesCorpus();
  const recorded = recordedCorpus();
  yield rules;
  yield recorded;
  yield* sharedCorpora();
  for (let done = 0, next = seed; done < messages; done += AT_ONCE, next++) {
    const count = Math.min(AT_ONCE, messages - done);
    const random = randomCorpus(next, count);
    yield random;
    yield await sentCorpus('socket', next, count);
    yield await sentCorpus('sd-bus', next, count);
    yield changedCorpus([...random.messages, ...recorded.messages, ...rules.messages], next, count);
  }
}

function save({ messages, seed }: Options, totals: Totals): string {
  const readers = Object.fromEntries(
    otherReaders.map(({ name, missing, version }) => [name, missing ?? version() ?? '']),
  );
  const corporaFigures = [...totals.byCorpus].map(([name, { messages: count, readers: byReader }]) => {
    return [name, { messages: count, readers: Object.fromEntries(byReader) }];
  });
  return saveFigures('differential', `npm run test:differential -- --messages ${messages} --seed ${seed}`, {
    versions: readers,
    readers: Object.fromEntries(totals.byReader),
    corpora: Object.fromEntries(corporaFigures),
    differences: Object.fromEntries(differences.map(({ id, rule }) => [id, rule])),
  });
}
