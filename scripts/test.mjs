/**
 * `npm test` and `npm run test:all`: set up the requirements of the tests, run suites, three at a time, and print one line
 * each. The output of a suite that fails is printed at the end.
 */
import { readOptions, refuse } from './options.mjs';
import { compileTests } from './setup/compiled-tests.mjs';
import { buildInterfaces } from './setup/interfaces.mjs';
import { SetupError } from './setup/report.mjs';
import {
  foundSdbusLibrary,
  missingTestPeers,
  runSetup,
  setupDependencies,
  setupLibrary,
  setupPrivateBus,
  setupTestedLibrary,
  setupTestPeers,
} from './setup.mjs';
import { countsText, Report } from './test/report.mjs';
import { runSuite } from './test/run-suite.mjs';
import { allSuites } from './test/suites.mjs';

const USAGE = `Usage: npm test [-- [options] [words]]
       npm run test:all [-- [options]]

  npm test          runs lint, types, the unit tests, the tests of the bus on the default transport,
                    the quickstart, the README, the ends of processes, and the installed package.
  npm run test:all  runs these, and then all other suites: the other transport and poller,
                    dbus-broker, other libraries and tools, models, floods, faults, and soaks.

  Words choose the suites whose names have one of them: npm test -- codec bus/calls

  --list            prints the names of the suites, and runs nothing
  --install-peers   also installs the programs that tests compare with (needs root and a package manager)
  --part 1/3        runs every third suite of these, from the first one on
  --help            prints this text`;

/** One more than the processors of a small machine: many suites wait for processes and deadlines. */
const AT_ONCE = 3;

const options = {
  all: { type: 'boolean', default: false },
  'install-peers': { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  part: { type: 'string', default: '1/1' },
};

const { values, words } = readOptions(USAGE, options, true);
if (!/^[1-9]\d*\/[1-9]\d*$/.test(values.part)) refuse(`--part is not like 1/3: ${values.part}`);

const installPeers = values['install-peers'] || process.env.BUSBAR_TEST_PEERS === 'required';
if (!values.list) await runSetup(installPeers ? setupTestPeers : setupPrivateBus, setupDependencies);

const groups = chosenGroups();
const suites = groups.flatMap((group) => group.suites);
if (values.list) exitWith(suites.map(listed).join('\n'), 0);

const report = new Report(suites);
await prepare(compileTests);
await prepare(installPeers ? setupTestedLibrary : setupLibrary);
// Programs of the guide import @busbar/interfaces, too.
if (suites.some(({ name }) => /guide|interfaces/.test(name))) await prepare(buildInterfaces);
skipWithoutSdbus();
for (const { suites, summary } of groups) {
  const start = performance.now();
  await reportInOrder(suites);
  const seconds = Math.round((performance.now() - start) / 1000);
  if (summary !== undefined) console.log(`\n${summary}: ${countsText(report.totals)} in ${seconds} s\n`);
}
report.finish(installPeers ? [] : missingTestPeers());
process.exitCode = report.totals.failed > 0 ? 1 : 0;

/** The suites to run, in order: those of `npm test` first. Words choose among all of them. */
function chosenGroups() {
  const [part, parts] = values.part.split('/').map(Number);
  const all = allSuites();
  const chosen = words.length === 0 ? all : all.filter(({ name }) => words.some((word) => name.includes(word)));
  if (chosen.length === 0)
    exitWith(`No suite has ${words.join(' or ')} in its name. These are there:\n\n${all.map(listed).join('\n')}`, 2);
  const ofPart = (list) => list.filter((_, index) => index % parts === part - 1);
  if (words.length > 0) return [{ suites: ofPart(chosen) }];
  const quick = { suites: ofPart(all.filter((suite) => suite.quick)) };
  if (!values.all) return [quick];
  return [{ ...quick, summary: 'npm test' }, { suites: ofPart(all.filter((suite) => !suite.quick)) }];
}

function listed({ name, quick }) {
  return quick ? name : `${name}  (test:all)`;
}

/** If a part cannot be built, only the suites that need it fail, and print the reason. */
async function prepare(part) {
  try {
    await part();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    report.add({ name: 'setup' }, { passed: 0, failed: 1, skipped: 0, reasons: [], output: error.message, seconds: 0 });
  }
}

/** With `--install-peers` the sd-bus library was installed: no test may be skipped because it is missing. */
function skipWithoutSdbus() {
  if (foundSdbusLibrary() !== undefined) return;
  const lacks = 'no sd-bus library: libsystemd, libelogind or basu';
  for (const suite of suites) if (suite.env?.BUSBAR_TRANSPORT === 'sd-bus') suite.missing ??= lacks;
}

/** Runs suites in parallel; prints them in order, each as soon as those before it are done. */
async function reportInOrder(waiting) {
  const queue = [...waiting.entries()];
  const results = [];
  let reported = 0;
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, suite] = next;
      results[index] = await runSuite(suite);
      for (; results[reported] !== undefined; reported++) report.add(waiting[reported], results[reported]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function exitWith(text, code) {
  console.log(text);
  process.exit(code);
}
