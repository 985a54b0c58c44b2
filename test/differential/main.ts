/**
 * The command `npm run test:differential`: the same messages read by busbar and by other implementations, for longer than
 * in `npm run test:all`.
 */
import { readOptions, refuse } from '../../scripts/options.mjs';
import { pages, table, writeResults } from '../../scripts/report.mjs';
import { describeDisagreement } from './comparison.js';
import { changedCorpus } from './corpora/changed.js';
import { randomCorpus } from './corpora/random.js';
import { recordedCorpus } from './corpora/recorded.js';
import { rulesCorpus } from './corpora/rules.js';
import { sentCorpus } from './corpora/sent.js';
import { sharedCorpora } from './corpora/shared.js';
import type { Corpus } from './corpus.js';
import { differences } from './differences.js';
import { Differential } from './differential.js';
import { otherReaders, wireCheck } from './readers/index.js';
import { type Counts, Totals } from './totals.js';

const USAGE = `Usage: npm run test:differential -- [options]

  --messages N   messages to make up, as many to send over each transport, and as many to change (20000)
  --seed S       what they are made from (another one each time)
  --incomplete   go on without readers and corpora that this machine lacks
  --report       write the figures into docs/reliability/report.md
  --help         prints this text`;

/** Messages that are made, read and discarded at a time. */
const AT_ONCE = 2000;
const SHOWN = 20;

const { values } = readOptions(USAGE, {
  messages: { type: 'string', default: '20000' },
  seed: { type: 'string', default: `${Math.floor(Math.random() * 2 ** 31)}` },
  incomplete: { type: 'boolean', default: false },
  report: { type: 'boolean', default: false },
});
const messages = Number(values.messages);
const seed = Number(values.seed);
if (!(Number.isInteger(messages) && messages > 0))
  refuse(`--messages takes an integer above 0, not ${values.messages}.`);
if (!(Number.isInteger(seed) && seed >= 0)) refuse(`--seed takes an integer, 0 or more, not ${values.seed}.`);
process.exitCode = await main();

async function main(): Promise<number> {
  if (wireCheck.missing !== undefined) {
    console.log(`Without busbar's own check there is nothing to compare with: ${wireCheck.missing}.`);
    return 1;
  }
  const absent = [...otherReaders, ...sharedCorpora()].filter(({ missing }) => missing !== undefined);
  for (const { name, missing } of absent) console.log(`Without ${name}: ${missing}.`);
  if (absent.length > 0 && !values.incomplete) {
    console.log('The measurement would be incomplete; --incomplete runs it even so.');
    return 1;
  }
  console.log(`The seed is ${seed}.`);
  const totals = await readAll();
  for (const disagreement of totals.unexpected.slice(0, SHOWN)) console.log(describeDisagreement(disagreement));
  for (const unmet of totals.unmet) console.log(`Listed, but in no message: ${unmet}`);
  writeResults({
    page: pages.reliability,
    section: 'differential',
    command: `npm run test:differential -- --messages ${messages} --seed ${seed}`,
    text: textOf(totals),
    figures: { readers: Object.fromEntries(totals.byReader), corpora: Object.fromEntries(totals.byCorpus) },
    write: values.report,
  });
  return totals.unexpected.length > 0 || totals.unmet.length > 0 ? 1 : 0;
}

async function readAll(): Promise<Totals> {
  const totals = new Totals();
  await using differential = await Differential.start();
  for await (const corpus of corpora()) {
    if (corpus.missing !== undefined) continue;
    const result = await differential.compare(corpus);
    const unexpected = result.tallies.reduce((sum, tally) => sum + tally.unexpected.length, 0);
    totals.add(result);
    console.log(`${unexpected === 0 ? '✔' : '✘'} ${corpus.messages.length} messages: ${corpus.name}`);
  }
  return totals;
}

async function* corpora(): AsyncGenerator<Corpus> {
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

function textOf({ byReader, byCorpus }: Totals): string {
  const columns = ['messages', 'as busbar', 'as listed', 'not listed', 'died'];
  const versions = otherReaders.map(({ name, missing, version }) => `${name} ${missing ?? version() ?? ''}`);
  const metBy = (id: string) => {
    const met = [...byReader].filter(([, { deliberate }]) => deliberate[id] !== undefined);
    return met.map(([reader, { deliberate }]) => `${reader} (${deliberate[id]})`).join(', ') || '–';
  };
  return [
    `Other readers: ${versions.join(', ')}.`,
    table(
      ['reader', ...columns],
      [...byReader].map(([reader, counts]) => [reader, ...cellsOf(counts)]),
    ),
    'Intended differences:',
    table(
      ['difference', 'rule of the specification', 'found in'],
      differences.map(({ id, rule }) => [id, rule, metBy(id)]),
    ),
    'Corpora, with the readings of all readers together:',
    table(
      ['corpus', 'different messages', ...columns],
      [...byCorpus].map(([name, { messages: count, all }]) => [name, count, ...cellsOf(all)]),
    ),
  ].join('\n\n');
}

/** The share is rounded down: only complete agreement is a hundred per cent. */
function cellsOf({ messages: count, agreed, deliberate, unexpected, died }: Counts): readonly (string | number)[] {
  const share = count === 0 ? 'none' : `${(Math.floor((10_000 * agreed) / count) / 100).toFixed(2)} %`;
  const listed = Object.values(deliberate).reduce((sum, times) => sum + times, 0);
  return [count, share, listed, unexpected, died];
}
