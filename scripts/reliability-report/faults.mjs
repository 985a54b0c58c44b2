/** The figures of what meets trouble on purpose: which suites belong together, their tests, and what they counted. */
import { table } from './tables.mjs';

/** In the order of the report. What belongs to none of them, like the soak, is measured elsewhere. */
export const groups = {
  faults: {
    takes: ({ name }) => /^reliability\/(faults-|unwritten)/.test(name),
    about: 'daemons that are killed, streams that are cut or late, limits that are met, forgeries, lost descriptors',
  },
  'hostile bus': {
    takes: ({ name }) => name.startsWith('reliability/hostile-bus'),
    about: 'a bus that breaks the rules: handshakes, headers, bodies, descriptors, answers to nothing',
  },
  'hostile peers': {
    takes: ({ name }) => /^(reliability\/hostile-peers|bus\/peer-admission)/.test(name),
    about: 'peers that break the rules, flood, stall or lie, and ten thousand connections that never authenticate',
  },
  corpus: {
    takes: ({ name }) => name.startsWith('reliability/corpus'),
    about: 'thousands of messages that broke other implementations, sent to a process that has to live on',
  },
  'bad input': {
    takes: ({ name }) => name.startsWith('reliability/bad-input'),
    about: 'what a program hands in and cannot be meant',
  },
  leaks: {
    takes: ({ name }) => name.startsWith('reliability/leaks'),
    about: 'what was begun and ended leaves no rules, calls, descriptors, handles or memory behind',
  },
  traces: {
    takes: ({ name }) => /^reliability\/(traces|diagnostics)/.test(name),
    about: 'each failure is told from the diagnostics alone',
  },
  properties: {
    takes: ({ name, hasProperties }) => name.startsWith('unit/') && hasProperties,
    about:
      'what has to hold for every input, tried with random ones (fast-check), without a connection; the other tests of these suites are among them',
  },
};

/** What the tests print, in words. */
const words = {
  cutPoints:
    'bytes behind which a stream was cut; four of them are the last attempts of their series, which came through whole',
  killsSurvived: 'tests in which a daemon was killed',
  callsSettled: 'calls through trouble, each of which settled',
  lateReplies: 'replies that came after the timeout of their call',
  emitsArrived: 'signals that were accepted and arrived, in order',
  emitsCutOff: 'signals that were accepted, and cut off by the end of a connection that was told of',
  emitsRefused: 'signals that were refused where they were sent',
  limitsMet: 'limits of the bus that were met',
  forgeriesIgnored: 'messages in the name of somebody else, none of which was believed',
  messagesTaken:
    'messages of a corpus after which the connection went on: what was valid, and what cost its message alone',
  messagesRefused: 'messages of a corpus that cost their connection',
  messagesUnfinished: 'messages of a corpus that had no end, or went on after it; the connection was hung up',
  callsAnswered: 'calls among them that had to be answered, and were',
  errorsScanned: 'errors sent to others, in none of which anything of the process was found',
};

export function faultsOutcome({ groups: measured }) {
  return Object.entries(measured)
    .map(([name, { suites }]) => `${name}: ${testsText(sum(Object.values(suites).flatMap(Object.values)))}`)
    .join('; ');
}

export function faultsDetails({ groups: measured }) {
  return Object.entries(measured)
    .map(([name, { suites, counts }]) => {
      const heading = `**${name}**: ${groups[name]?.about ?? ''}`;
      const carriers = [...new Set(Object.values(suites).flatMap(Object.keys))];
      const rows = Object.entries(suites).map(([suite, byCarrier]) => [
        suite,
        ...carriers.map((carrier) => testsCell(byCarrier[carrier])),
      ]);
      return [heading, table(['suite', ...carriers], rows), ...countsTable(counts)].join('\n\n');
    })
    .join('\n\n');
}

function countsTable(counts) {
  const carriers = Object.keys(counts);
  const names = [...new Set(Object.values(counts).flatMap(Object.keys))];
  if (names.length === 0) return [];
  const rows = names.map((name) => [words[name] ?? name, ...carriers.map((carrier) => counts[carrier][name] ?? 0)]);
  return [table(['counted', ...carriers], rows)];
}

function testsCell(tests) {
  if (tests === undefined) return '–';
  const { reasons = [] } = tests;
  return `${testsText(tests)}${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}`;
}

/** A kind of which there were none is left out, but for those that passed. */
function testsText({ passed, failed, skipped }) {
  const others = Object.entries({ failed, skipped }).filter(([, count]) => count > 0);
  return [`${passed} passed`, ...others.map(([kind, count]) => `${count} ${kind}`)].join(', ');
}

function sum(all) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const tests of all) for (const kind of Object.keys(total)) total[kind] += tests[kind];
  return total;
}
