/**
 * `npm run test:pack`: packs busbar as it would be published, and installs and runs it in empty projects: with every
 * package manager, under every Node.js that is supported, on a machine without compilers, and as bundles. Prints one table,
 * and writes it to docs/support/figures/pack.json where everything was run.
 *
 * Words on the command line choose the files of test/pack whose name has one of them.
 */
import { dirname, join } from 'node:path';
import { runtimes } from './runtimes/list.mjs';
import { today, writeRows } from './runtimes/results.mjs';
import { root } from './setup/report.mjs';
import { installRuntime } from './setup/runtime-packages.mjs';
import { orExplain, setupDependencies, setupTestedLibrary, setupTestPeers } from './setup.mjs';
import { runSuite } from './test/run-suite.mjs';
import { testFiles } from './test/suites.mjs';

const figures = join(root, 'docs/support/figures/pack.json');
/** What is run by each Node.js. The others have runtimes of their own, or are the business of one. */
const onEachNode = ['pack/npm', 'pack/import', 'pack/loading'];

await orExplain(setupTestPeers, setupDependencies, setupTestedLibrary);

const words = process.argv.slice(2);
const rows = [];
for (const suite of testFiles('pack').filter(({ name }) => words.length === 0 || words.some((w) => name.includes(w)))) {
  rows.push(await rowOf(suite));
  if (!onEachNode.includes(suite.name)) continue;
  for (const node of otherNodes()) rows.push(await rowOf(withNode(suite, node)));
}
if (words.length === 0) writeRows(figures, rows);
const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
console.log(`pack: ${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
process.exitCode = rows.length === 0 || sum('failed') > 0 ? 1 : 0;

/** Runs a file and says how it went; its output names what was tested, and the version of that. */
async function rowOf(suite) {
  const { passed, failed, skipped, reasons, output, failure } = await runSuite(suite);
  const told = (word) => new RegExp(`^# ${word}: (.*)$`, 'm').exec(output)?.[1] ?? '';
  const row = {
    what: told('what') || suite.name,
    version: told('version'),
    passed,
    failed,
    skipped,
    reasons,
    date: today(),
  };
  const because = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
  console.log(`${failed > 0 ? '✘' : '✔'} ${row.what} ${row.version}: ${passed} passed, ${failed} failed${because}`);
  if (failed > 0) console.log(`${output.trimEnd()}\n${failure ?? ''}\n`);
  return row;
}

function otherNodes() {
  const packages = runtimes.filter(({ title }) => title === 'Node.js').map((runtime) => runtime.package);
  return packages.filter((wanted) => wanted !== undefined);
}

/** npm is run by the Node.js that is found first. */
function withNode(suite, node) {
  const command = installRuntime(node);
  return { ...suite, command, env: { ...suite.env, PATH: `${dirname(command)}:${process.env.PATH}` } };
}
