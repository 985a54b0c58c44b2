/**
 * The suites in the order in which they are reported. A suite is a tool or a test file: a name, the arguments of the
 * Node.js that runs it (or a command and folder of its own), the variables of its environment, the seconds that it may take, and how to read its counts from
 * what it printed. Whatever talks to a bus is two suites, one for each transport; what leans on the poller most is a third.
 * Promises about what a bus does, which those suites try on dbus-daemon, are tried on dbus-broker by one more.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../setup/report.mjs';
import { countsOfChecks, countsOfTool, countsOfUvu } from './counts.mjs';
import { timeLimitOf } from './time-limit.mjs';

const connectingFolders = ['bus', 'interop', 'process', 'reliability'];
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
 * Files that run on dbus-broker as well, where there is one; others name their daemons themselves. `process/ends-model` has of
 * `process/exit` what depends on a daemon, and activation, as in `process/idle-service`, is nothing that the broker's launcher does.
 */
const brokered = [
  'bus/abort',
  'bus/connect-failures',
  'bus/late-deadlines',
  'bus/message-level',
  'bus/misuse',
  'bus/own-books',
  'bus/service-changes',
  'bus/service-errors',
  'bus/shares',
  'bus/slow-getters',
];

export function allSuites() {
  const connecting = connectingFolders.flatMap(testFiles).flatMap(onEachTransport);
  // These run both transports at once.
  const own = ['unit', 'documentation', 'differential', 'soak'].flatMap(testFiles);
  return [...tools, ...packed(), ...own, ...connecting];
}

const tools = [
  { name: 'lint', args: ['node_modules/@biomejs/biome/bin/biome', 'check', '.'], seconds: 60, counts: countsOfTool },
  { name: 'tsc', args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], seconds: 120, counts: countsOfTool },
  { name: 'types', args: ['scripts/type-tests.mjs'], seconds: 900, counts: countsOfChecks },
  { name: 'docs', args: ['scripts/docs.mjs', '--check'], seconds: 120, counts: countsOfTool },
  { name: 'native', args: ['scripts/native-tests.mjs'], seconds: 600, counts: countsOfChecks },
  { name: 'fuzz', args: ['scripts/fuzz.mjs', '--smoke'], seconds: 600, counts: countsOfChecks },
  { name: 'package', args: ['scripts/check-package.mjs'], seconds: 120, counts: countsOfChecks },
  { name: 'prebuilds', args: ['scripts/check-prebuilds.mjs'], seconds: 60, counts: countsOfTool },
];

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
  const suites = transports.map((transport) => ({
    ...suite,
    name: `${suite.name} (${transport})`,
    env: { BUSBAR_TRANSPORT: transport },
  }));
  const variant = (name, env) => ({ ...suite, name: `${suite.name} (${name})`, env });
  if (polled.includes(suite.name)) suites.push(variant('thread', { BUSBAR_POLLER: 'thread' }));
  if (brokered.includes(suite.name)) {
    const args = ['--import', 'tsx', '--import', './test/helpers/default-daemon.ts', ...suite.args.slice(2)];
    suites.push({ ...variant('dbus-broker', { BUSBAR_TEST_DAEMON: 'dbus-broker' }), args });
  }
  return suites;
}

function testFile(file) {
  return {
    name: relative(join(root, 'test'), file).replace(/\.test\.ts$/, ''),
    args: ['--import', 'tsx', '--expose-gc', relative(root, file)],
    seconds: timeLimitOf(file),
    counts: countsOfUvu,
  };
}
