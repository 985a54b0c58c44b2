/**
 * Runs the tests of the package as users install it, `npm run test:pack` and `npm run test:loading`, and prints the result
 * of each file. The tools come from npm, into folders below build/runtimes.
 */
import { dirname } from 'node:path';
import { readOptions, refuse } from './options.mjs';
import { pages, table, today, writeResults } from './report.mjs';
import { runtimes } from './runtimes/list.mjs';
import { countCells, sumOf } from './runtimes/suites.mjs';
import { compileTests } from './setup/compiled-tests.mjs';
import { runSetup, setupDependencies, setupLibrary, setupTestedLibrary, setupTestPeers } from './setup.mjs';
import { testFiles } from './test/suites.mjs';

const USAGE = `Usage: npm run test:pack -- [options] [words]
       npm run test:loading -- [options] [words]

  npm run test:pack     packs busbar as it would be published, and installs and runs it in empty projects:
                        with every package manager, under every supported Node.js, on a machine without
                        compilers, and as bundles.
  npm run test:loading  builds, runs and tests programs with busbar by the usual tools for Node.js programs:
                        bundlers, test runners, tracers of files, executables, other runtimes.

  Words choose the files whose names have one of them: npm run test:loading -- jest vitest

  --report    writes docs/support.md, if all files were run
  --help      prints this text`;

const {
  values,
  words: [folder, ...words],
} = readOptions(USAGE, { report: { type: 'boolean', default: false } }, true);

/** The files that every Node.js runs. The others have separate runtimes, or belong to one. */
const onEachNode = { pack: ['pack/npm', 'pack/import', 'pack/loading'], tools: ['tools/node'] }[folder];
if (onEachNode === undefined) refuse('Which tests? node scripts/packed.mjs pack|tools [words] [--report]');
const suites = testFiles(folder).filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (suites.length === 0) refuse(`No file in test/${folder} has ${words.join(' or ')} in its name.`);

if (folder === 'pack') await runSetup(setupTestPeers, setupDependencies, compileTests, setupTestedLibrary);
else await runSetup(setupDependencies, compileTests, setupLibrary);

const rows = [];
const totals = { passed: 0, failed: 0, skipped: 0 };
for (const suite of suites) {
  await run(suite);
  if (!onEachNode.includes(suite.name)) continue;
  for (const { program } of runtimes.filter((one) => one.runtime === 'Node.js' && one.package !== undefined)) {
    const command = program();
    // npm is run by the first Node.js that is found.
    await run({ ...suite, command, env: { ...suite.env, PATH: `${dirname(command)}:${process.env.PATH}` } });
  }
}
const command = folder === 'pack' ? 'npm run test:pack' : 'npm run test:loading';
const text = table(['what', 'version', 'passed', 'failed', 'skipped', 'date'], rows);
writeResults({
  page: pages.support,
  section: folder,
  command,
  text,
  figures: rows,
  write: values.report && words.length === 0,
});
console.log(`${folder}: ${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed > 0 ? 1 : 0;

/** The output of a file names the tested tool, and its version. */
async function run(suite) {
  const sums = await sumOf([suite], folder);
  const lineOf = (word) => new RegExp(`^# ${word}: (.*)$`, 'm').exec(sums.output)?.[1];
  const row = [lineOf('what') ?? suite.name, lineOf('version') ?? '', ...countCells(sums), today()];
  for (const kind of Object.keys(totals)) totals[kind] += sums[kind];
  rows.push(row);
  console.log(
    `${sums.failed > 0 ? '✘' : '✔'} ${row.slice(0, 2).join(' ')}: ${sums.passed} passed, ${sums.failed} failed`,
  );
}
