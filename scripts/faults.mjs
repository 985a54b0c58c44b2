/**
 * Runs the tests with intentional faults, on both transports, and prints the number of tests of each suite and their
 * counts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOptions } from './options.mjs';
import { pages, table, writeResults } from './report.mjs';
import { compileTests } from './setup/compiled-tests.mjs';
import { root } from './setup/report.mjs';
import { runSetup } from './setup.mjs';
import { runSuite } from './test/run-suite.mjs';
import { allSuites } from './test/suites.mjs';

/** Suites by their names, in the order of the report. */
const groups = {
  faults: [
    /^reliability\/(faults-|unwritten)/,
    'daemons that are killed, streams that are cut or late, limits that are met, forgeries, lost descriptors',
  ],
  'hostile bus': [
    /^reliability\/hostile-bus/,
    'a bus that breaks the rules: handshakes, headers, bodies, descriptors, replies without a call',
  ],
  'hostile peers': [
    /^(reliability\/hostile-peers|bus\/peer-admission)/,
    'peers that break the rules, send without pause, stop reading or forge messages, and ten thousand connections that never authenticate',
  ],
  corpus: [
    /^reliability\/corpus/,
    'thousands of messages that broke other implementations, sent to a process that has to survive',
  ],
  'bad input': [
    /^reliability\/(bad-input|missing-libraries)/,
    'invalid arguments of the program, and missing libraries',
  ],
  leaks: [
    /^reliability\/leaks/,
    'operations that have ended leave no rules, calls, descriptors, handles or memory behind',
  ],
  traces: [/^reliability\/(traces|diagnostics)/, 'each failure is evident from the diagnostics alone'],
  properties: [
    /^unit\//,
    'statements about all inputs, tested with random ones (fast-check), without a connection; the counts include the other tests of these suites',
  ],
};

/** The counts of the tests, in words. */
const words = {
  cutPoints: 'positions at which a stream was cut; in four attempts, the last of their series, the whole stream passed',
  killsSurvived: 'tests in which a daemon was killed',
  callsSettled: 'calls during faults, each of which settled',
  lateReplies: 'replies that arrived after their call had timed out',
  emitsArrived: 'signals that were accepted and arrived, in order',
  emitsCutOff: 'accepted signals that were lost with their connection, whose end was reported',
  emitsRefused: 'signals that were refused with an error when they were emitted',
  limitsMet: 'limits of the bus that were reached',
  forgeriesIgnored: 'forged messages in the name of another connection, all of which were ignored',
  messagesTaken:
    'messages of a corpus after which the connection continued: valid ones, and those whose fault affected only the message',
  messagesRefused: 'messages of a corpus that ended their connection',
  messagesUnfinished: 'messages of a corpus that were incomplete or too long; the test closed the connection',
  callsAnswered: 'calls in a corpus that require a reply, and got one',
  errorsScanned: 'errors sent to peers, none of which contained information about the process',
};

const USAGE = `Usage: npm run test:faults -- [options] [words]

  runs the tests with intentional faults. Words choose the suites whose names have one of them: faults-daemon leaks

  --report    writes docs/reliability/report.md, if all suites were run and none failed
  --help      prints this text`;

const { values, words: chosenWords } = readOptions(USAGE, { report: { type: 'boolean', default: false } }, true);
const isChosen = ({ name }) => chosenWords.length === 0 || chosenWords.some((word) => name.includes(word));

await runSetup(compileTests);

/** By group: the tests of each suite, and their counts, both by transport. */
const figures = {};
let failed = 0;
for (const suite of allSuites().filter(isChosen)) {
  const group = groupOf(suite);
  if (group === undefined) continue;
  const result = await runSuite(suite);
  console.log(`${suite.name}: ${testsText(result)}`);
  if (result.failed > 0) console.log(result.output, result.failure ?? '');
  failed += result.failed;
  add(group, suite.name, result);
}

if (failed > 0 || Object.keys(figures).length === 0) process.exitCode = 1;
const text = Object.keys(groups).flatMap((name) => (name in figures ? [groupText(name, figures[name])] : []));
const write = values.report && failed === 0 && chosenWords.length === 0;
writeResults({
  page: pages.reliability,
  section: 'faults',
  command: 'npm run test:faults',
  text: text.join('\n\n'),
  figures,
  write,
});

function groupOf({ name }) {
  const found = Object.keys(groups).find((group) => groups[group][0].test(name));
  if (found !== 'properties') return found;
  return readFileSync(join(root, 'test', `${name}.test.ts`), 'utf8').includes('fc.assert(') ? found : undefined;
}

/** @param name of a suite: a file, and the transport in brackets if the file does not choose it itself */
function add(group, name, result) {
  const [, file, carrier = 'tests'] = /^[^/]*\/(.*?)(?: \((.*)\))?$/.exec(name);
  figures[group] ??= { suites: {}, counts: {} };
  const { suites, counts } = figures[group];
  suites[file] ??= {};
  suites[file][carrier] = testsText(result);
  for (const [, counted] of result.output.matchAll(/^# figures: (\{.*\})$/gm)) {
    for (const [what, count] of Object.entries(JSON.parse(counted))) {
      counts[what] ??= {};
      counts[what][carrier] = (counts[what][carrier] ?? 0) + count;
    }
  }
}

/** Leaves out kinds with a count of zero, except passed tests. */
function testsText({ passed, failed: failures, skipped, reasons }) {
  const others = Object.entries({ failed: failures, skipped }).filter(([, count]) => count > 0);
  const because = reasons.length > 0 ? ` (${reasons.join('; ')})` : '';
  return [`${passed} passed`, ...others.map(([kind, count]) => `${count} ${kind}`)].join(', ') + because;
}

function groupText(name, { suites, counts }) {
  const carriers = [...new Set(Object.values(suites).flatMap(Object.keys))];
  const rowsOf = (cells, none) =>
    Object.entries(cells).map(([title, byCarrier]) => [
      words[title] ?? title,
      ...carriers.map((one) => byCarrier[one] ?? none),
    ]);
  const parts = [`**${name}**: ${groups[name][1]}`, table(['suite', ...carriers], rowsOf(suites, '–'))];
  if (Object.keys(counts).length > 0) parts.push(table(['counted', ...carriers], rowsOf(counts, 0)));
  return parts.join('\n\n');
}
