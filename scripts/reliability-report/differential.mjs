/** The figures of the differential tests: how often each reader agreed, what differs on purpose, and what was read. */
import { table, tablesOf } from './tables.mjs';

export function differentialOutcome({ readers, corpora }) {
  const own = Object.entries(readers).filter(([reader]) => reader.startsWith('busbar'));
  const counts = own.map(([name, { messages, unexpected }]) => `${name}: ${unexpected} unexpected of ${messages}`);
  const others = Object.keys(readers).filter((reader) => !/^(busbar|what) /.test(reader));
  return `${counts.join('; ')}; ${others.length} other readers, ${Object.keys(corpora).length} corpora`;
}

export function differentialDetails({ versions, readers, corpora, differences }) {
  return [
    tablesOf({ versions }),
    '**readers**: read as busbar reads it, differing as listed below, differing otherwise, and ended by it. "busbar over ' +
      'sd-bus" is held against "busbar over a socket", that against busbar\'s own check of whole messages, and everybody else ' +
      'against both. Nothing explains what is "not listed": that has to be none.',
    table(
      ['reader', ...countColumns],
      Object.entries(readers).map(([reader, counts]) => [reader, ...countCells(counts)]),
    ),
    ...otherTransport(readers['busbar over sd-bus']),
    '**differences** on purpose, with who differs, and in how many places',
    table(['difference', 'what the specification says', 'met by'], differenceRows(differences, readers)),
    '**corpora**, with the readings of all of them together',
    table(
      ['corpus', 'different messages', ...countColumns],
      Object.entries(corpora).map(([corpus, { messages, readers: own }]) => [
        corpus,
        messages,
        ...countCells(sum(Object.values(own))),
      ]),
    ),
  ].join('\n\n');
}

/** Its rate is the lowest of all, and has to be told from one of mistakes. */
function otherTransport(counts) {
  if (counts === undefined) return [];
  const [most, next, ...others] = Object.entries(counts.deliberate).sort(([, a], [, b]) => b - a);
  const all = [most, next].filter((each) => each !== undefined).map(([name, count]) => `${count} are "${name}"`);
  const rest = others.reduce((sum, [, count]) => sum + count, 0);
  if (rest > 0) all.push(`${rest} one of the other ${others.length}`);
  return [
    `What busbar over sd-bus lacks to a hundred per cent are differences of the two transports, each of them explained below: ${all.join(', ')}.`,
  ];
}

const countColumns = ['messages', 'as busbar', 'as listed', 'not listed', 'died'];

function countCells({ messages, agreed, deliberate, unexpected, died }) {
  const listed = Object.values(deliberate).reduce((total, count) => total + count, 0);
  return [messages, agreementRate(agreed, messages), listed, unexpected, died];
}

/** Rounded down: only all of them are a hundred. */
export function agreementRate(agreed, messages) {
  return messages === 0 ? 'none' : `${(Math.floor((10_000 * agreed) / messages) / 100).toFixed(2)} %`;
}

function differenceRows(differences, readers) {
  return Object.entries(differences).map(([difference, rule]) => {
    const met = Object.entries(readers).filter(([, { deliberate }]) => deliberate[difference] !== undefined);
    const by = met.map(([reader, { deliberate }]) => `${reader} (${deliberate[difference]})`);
    return [difference, rule, by.join(', ') || 'nobody'];
  });
}

function sum(counts) {
  const total = { messages: 0, agreed: 0, deliberate: { all: 0 }, unexpected: 0, died: 0 };
  for (const { messages, agreed, deliberate, unexpected, died } of counts) {
    total.messages += messages;
    total.agreed += agreed;
    total.deliberate.all += Object.values(deliberate).reduce((all, count) => all + count, 0);
    total.unexpected += unexpected;
    total.died += died;
  }
  return total;
}
