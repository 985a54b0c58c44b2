/**
 * The suites in the order in which they are reported. A suite is a tool or a test file: a name, the arguments of the
 * Node.js that runs it (or its own command), its `file` if it is a test file, the variables of its environment, its time limit in seconds, and
 * how to read its counts from its output; `quick` if it is one of `npm test`, and `missing` if this machine lacks a
 * requirement.
 *
 * Every file that uses a bus is two suites, one for each transport, except programs of the documentation; those that depend
 * on the poller most are a third. Promises about the behaviour of a bus, which those suites test on dbus-daemon, are tested
 * on dbus-broker by one more.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isNativeUnchanged } from '../setup/addon.mjs';
import { compiledArguments, compiledPath } from '../setup/compiled-tests.mjs';
import { root } from '../setup/report.mjs';
import { bus } from '../setup/system-packages.mjs';
import { countsOfChecks, countsOfTool, countsOfUvu } from './counts.mjs';
import { timeLimitOf } from './time-limit.mjs';

/** The longest first: the last one to begin should not delay the end. */
const connectingFolders = ['process', 'interop', 'bus', 'cli', 'reliability'];
const transports = ['socket', 'sd-bus'];

/** Files that run with the poller of Bun and Deno too; `npm run test:runtimes` runs all of bus and process with it. */
const polled = [
  'bus/calls',
  'bus/connection',
  'bus/native',
  'bus/native-ends',
  'bus/peer',
  'bus/signals',
  'process/exit',
  'reliability/fairness',
  'reliability/faults-daemon',
  'reliability/faults-limits',
  'reliability/faults-stream',
  'reliability/hostile-bus-stream',
  'reliability/leaks',
];

/**
 * Files that run on dbus-broker as well, if it is installed; others name their daemons themselves. The launcher of the
 * broker does not support activation, as in `process/idle-service`.
 */
const brokered = [
  'bus/abort',
  'bus/callees',
  'bus/calls',
  'bus/connect-failures',
  'bus/connection',
  'bus/entry-points',
  'bus/exported-trees',
  'bus/handler-order',
  'bus/late-deadlines',
  'bus/message-level',
  'bus/misuse',
  'bus/names',
  'bus/own-books',
  'bus/permits',
  'bus/polkit',
  'bus/proxy',
  'bus/service',
  'bus/service-changes',
  'bus/service-errors',
  'bus/shares',
  'bus/signals',
  'bus/slow-getters',
  'bus/trees-order',
  'cli/list',
  'interop/services/bluetooth',
  'interop/services/notifications',
];

/**
 * Files that run on the default transport alone. They are about the layers above it: programs of the documentation, the
 * command line, ready interfaces, and services of examples with their clients. The soak takes a minute: `npm run soak` runs
 * it on the other transport.
 */
const ofDefaultTransport = [
  ...['interop/guide', 'interop/large-trees', 'interop/quickstart', 'interop/readme', 'interop/reference-examples'],
  // Random ends of processes, and what serve() does at its end, run on both.
  ...['process/exit', 'process/served-activation'],
  // Bodies are decoded by the same code.
  'bus/decoded-size',
  'reliability/soak',
];
const upperFolders = ['cli/', 'interfaces/', 'interop/services/'];
const isAboveTransports = (name) =>
  ofDefaultTransport.includes(name) || upperFolders.some((folder) => name.startsWith(folder));

/** The folders whose files `npm test` runs, on the default transport if they connect: */
const quickFolders = ['unit', 'bus', 'documentation'];
const quickFiles = ['interop/quickstart', 'interop/readme', 'process/exit', 'pack/npm', 'cli/list'];

/** except those that take more than a few seconds, and random steps against a model. */
const slow = [
  'bus/activation',
  'bus/admission-times',
  'bus/arriving',
  'bus/calls-in-progress',
  'bus/closing',
  'bus/decoded-size',
  'bus/default-limits',
  'bus/growing-lists',
  'bus/late-deadlines',
  'bus/leaving',
  'bus/losing',
  'bus/message-limits',
  'bus/monitor',
  'bus/pcap',
  'bus/name-handles',
  'bus/native-ends',
  'bus/peer-admission',
  'bus/peer-admission-users',
  'bus/peer-server',
  'bus/serving-processes',
  'bus/slow-order',
  'bus/slow-readers',
  'bus/stopped-readers',
  'unit/codec-growth',
  'unit/codec-odd-signatures',
  'unit/codec-time-per-byte',
  'unit/command-options',
  'unit/dialects',
  'unit/introspection-cost',
  'unit/time-limit',
];
const isSlow = (name) => name.endsWith('-model') || slow.includes(name);

export function allSuites() {
  const connecting = connectingFolders.flatMap(testFiles).flatMap(onEachTransport);
  // These run both transports at once.
  const own = ['unit', 'documentation', 'generator', 'interfaces', 'differential', 'soak'].flatMap(testFiles);
  return [...tools(), ...packed(), ...own, ...connecting];
}

const tool = (name, args, seconds, counts = countsOfTool) => ({ name, args, seconds, counts });

function tools() {
  const changed = !isNativeUnchanged();
  return [
    { ...tool('lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '.'], 60), quick: true },
    { ...tool('tsc', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], 120), quick: true },
    { ...tool('types (newest TypeScript)', ['scripts/type-tests.mjs', '--newest'], 180, countsOfChecks), quick: true },
    tool('types (all others)', ['scripts/type-tests.mjs', '--others'], 900, countsOfChecks),
    tool('docs', ['scripts/docs.mjs', '--check'], 300),
    // The committed binary was tested when it was made.
    { ...tool('native', ['scripts/native-tests.mjs'], 600, countsOfChecks), quick: changed },
    tool('fuzz', ['scripts/fuzz.mjs', '--smoke'], 600, countsOfChecks),
    tool('package', ['scripts/check-package.mjs'], 120, countsOfChecks),
    tool('prebuilds', ['scripts/check-prebuilds.mjs'], 60),
  ];
}

/**
 * Of the tests of the package, those that need only npm; `npm run test:pack` runs all. Of those with other tools, some
 * quick ones of different kinds; `npm run test:loading` runs all.
 */
function packed() {
  return [
    ...testFiles('pack').filter(({ name }) => /\/(npm|import|bundle|loading)$/.test(name)),
    ...testFiles('tools').filter(({ name }) => /\/(node|jest-29|mocha|nft|vitest)$/.test(name)),
  ];
}

/** The files of one folder of tests, or the one with the name of the suite. */
export function testFiles(folder) {
  const path = join(root, 'test', folder);
  if (existsSync(`${path}.test.ts`)) return [testFile(`${path}.test.ts`)];
  if (!existsSync(path)) return [];
  const files = readdirSync(path, { recursive: true }).filter((name) => name.endsWith('.test.ts'));
  return files.sort().map((name) => testFile(join(path, name)));
}

function onEachTransport(suite) {
  const variant = (name, env, more = {}) => ({ ...suite, name: `${suite.name} (${name})`, env, quick: false, ...more });
  const ofFile = isAboveTransports(suite.name) ? transports.slice(0, 1) : transports;
  const suites = ofFile.map((transport) =>
    variant(transport, { BUSBAR_TRANSPORT: transport }, { quick: suite.quick && transport === 'socket' }),
  );
  if (polled.includes(suite.name)) suites.push(variant('thread', { BUSBAR_POLLER: 'thread' }));
  if (brokered.includes(suite.name)) {
    const args = ['--import', `./${compiledPath('test/helpers/default-daemon.ts')}`, ...suite.args];
    suites.push({ ...variant('dbus-broker', { BUSBAR_TEST_DAEMON: 'dbus-broker' }), args });
  }
  return suites;
}

function testFile(file) {
  const path = relative(root, file);
  const name = relative(join(root, 'test'), file).replace(/\.test\.ts$/, '');
  const quick = (quickFolders.includes(name.split('/')[0]) || quickFiles.includes(name)) && !isSlow(name);
  return {
    name,
    file: path,
    args: [...compiledArguments, compiledPath(path)],
    seconds: timeLimitOf(file),
    counts: countsOfUvu,
    quick,
    missing: missingFor(file),
  };
}

/**
 * The requirement of a test file that this machine lacks: a file that starts a bus, and does not check first whether it
 * can, is skipped.
 */
function missingFor(file) {
  if (bus.present()) return undefined;
  const text = readFileSync(file, 'utf8');
  const starts = /PrivateBus\.start\(|native\/own-bus/.test(text) && !text.includes('PrivateBus.missing()');
  return starts ? `${bus.name} is not installed` : undefined;
}
