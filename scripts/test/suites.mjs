/**
 * The suites in the order in which they are reported. A suite is a tool or a test file: a name, the arguments of the
 * Node.js that runs it (or a command and folder of its own), the variables of its environment, the seconds that it may take,
 * and how to read its counts from what it printed; `quick` if it is one of `npm test`, and `missing` if this machine lacks
 * something without which it cannot run.
 *
 * Whatever talks to a bus is two suites, one for each transport, but for programs of the documentation; what leans on the poller most is a third. Promises about
 * what a bus does, which those suites try on dbus-daemon, are tried on dbus-broker by one more.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { nativeIsAsCommitted } from '../setup/addon.mjs';
import { root } from '../setup/report.mjs';
import { bus } from '../setup/system-packages.mjs';
import { countsOfChecks, countsOfTool, countsOfUvu } from './counts.mjs';
import { timeLimitOf } from './time-limit.mjs';

/** The longest first: what begins last is not waited for by the other processor. */
const connectingFolders = ['process', 'interop', 'bus', 'reliability'];
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
 * Files that run on dbus-broker as well, where there is one; others name their daemons themselves. Activation, as in
 * `process/idle-service`, is nothing that the broker's launcher does.
 */
const brokered = [
  'bus/abort',
  'bus/callees',
  'bus/calls',
  'bus/connect-failures',
  'bus/connection',
  'bus/entry-points',
  'bus/late-deadlines',
  'bus/message-level',
  'bus/misuse',
  'bus/names',
  'bus/own-books',
  'bus/proxy',
  'bus/service',
  'bus/service-changes',
  'bus/service-errors',
  'bus/shares',
  'bus/signals',
  'bus/slow-getters',
  'process/exit',
];

/** Files that run on the default transport alone: programs of the documentation, which are about everything above it. */
const documented = ['interop/guide', 'interop/readme', 'interop/reference-examples'];

/** Of the files that `npm test` runs, on the default transport where they connect: */
const quickFolders = ['unit', 'bus', 'documentation'];
const quickFiles = ['interop/quickstart', 'interop/readme', 'process/exit', 'pack/npm'];

/** but not those that take more than a few seconds, as floods and long waits do, nor random steps against a model. */
const slow = [
  'bus/closing',
  'bus/decoded-size',
  'bus/late-deadlines',
  'bus/leaving',
  'bus/message-limits',
  'bus/peer-admission',
  'bus/slow-readers',
  'unit/codec-growth',
  'unit/codec-odd-signatures',
  'unit/codec-time-per-byte',
  'unit/dialects',
  'unit/introspection-cost',
];
const isSlow = (name) => name.endsWith('-model') || slow.includes(name);

export function allSuites() {
  const connecting = connectingFolders.flatMap(testFiles).flatMap(onEachTransport);
  // These run both transports at once.
  const own = ['unit', 'documentation', 'differential', 'soak'].flatMap(testFiles);
  return [...tools(), ...packed(), ...own, ...connecting];
}

const tool = (name, args, seconds, counts = countsOfTool) => ({ name, args, seconds, counts });

function tools() {
  const changed = !nativeIsAsCommitted();
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
 * Of the tests of the package those that need nothing but npm; `npm run test:pack` runs all. Of those with other tools the quick
 * ones that are unlike each other; `npm run test:loading` runs all.
 */
function packed() {
  return [
    ...testFiles('pack').filter(({ name }) => /\/(npm|import|bundle|loading)$/.test(name)),
    ...testFiles('tools').filter(({ name }) => /\/(node|jest-29|mocha|nft|vitest|webpack)$/.test(name)),
  ];
}

/** The files of one folder of tests, or the one that is named as a suite is. */
export function testFiles(folder) {
  const path = join(root, 'test', folder);
  if (existsSync(`${path}.test.ts`)) return [testFile(`${path}.test.ts`)];
  if (!existsSync(path)) return [];
  const files = readdirSync(path, { recursive: true }).filter((name) => name.endsWith('.test.ts'));
  return files.sort().map((name) => testFile(join(path, name)));
}

function onEachTransport(suite) {
  const variant = (name, env, more = {}) => ({ ...suite, name: `${suite.name} (${name})`, env, quick: false, ...more });
  const ofFile = documented.includes(suite.name) ? transports.slice(0, 1) : transports;
  const suites = ofFile.map((transport) =>
    variant(transport, { BUSBAR_TRANSPORT: transport }, { quick: suite.quick && transport === 'socket' }),
  );
  if (polled.includes(suite.name)) suites.push(variant('thread', { BUSBAR_POLLER: 'thread' }));
  if (brokered.includes(suite.name)) {
    const args = ['--import', 'tsx', '--import', './test/helpers/default-daemon.ts', ...suite.args.slice(2)];
    suites.push({ ...variant('dbus-broker', { BUSBAR_TEST_DAEMON: 'dbus-broker' }), args });
  }
  return suites;
}

function testFile(file) {
  const name = relative(join(root, 'test'), file).replace(/\.test\.ts$/, '');
  const quick = (quickFolders.includes(name.split('/')[0]) || quickFiles.includes(name)) && !isSlow(name);
  return {
    name,
    args: ['--import', 'tsx', '--expose-gc', relative(root, file)],
    seconds: timeLimitOf(file),
    counts: countsOfUvu,
    quick,
    missing: missingFor(file),
  };
}

/** What a test file needs and this machine lacks: one that starts a bus, and does not ask first whether it can, is skipped. */
function missingFor(file) {
  if (bus.present()) return undefined;
  const text = readFileSync(file, 'utf8');
  const starts = /PrivateBus\.start\(|native\/own-bus/.test(text) && !text.includes('PrivateBus.missing()');
  return starts ? `${bus.name} is not installed` : undefined;
}
