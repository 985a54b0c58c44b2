/**
 * Runs the files of a folder of tests, and makes a table of what they tell: one row for each file, or one for each Node.js.
 * Words on the command line choose the files whose name has one of them; the figures are written where all were run.
 */
import { dirname, join } from 'node:path';
import { runtimes } from '../runtimes/list.mjs';
import { today, writeRows } from '../runtimes/results.mjs';
import { root } from '../setup/report.mjs';
import { installRuntime } from '../setup/runtime-packages.mjs';
import { runSuite } from '../test/run-suite.mjs';
import { testFiles } from '../test/suites.mjs';

/**
 * @param folder below test/, and the name of the figures
 * @param onEachNode the names of the files that are run by each Node.js
 */
export async function runFolder(folder, onEachNode) {
  const words = process.argv.slice(2);
  const rows = [];
  for (const suite of testFiles(folder).filter(
    ({ name }) => words.length === 0 || words.some((w) => name.includes(w)),
  )) {
    rows.push(await rowOf(suite));
    if (!onEachNode.includes(suite.name)) continue;
    for (const node of otherNodes()) rows.push(await rowOf(withNode(suite, node)));
  }
  if (words.length === 0) writeRows(join(root, `docs/support/figures/${folder}.json`), rows);
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  console.log(`${folder}: ${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  process.exitCode = rows.length === 0 || sum('failed') > 0 ? 1 : 0;
}

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
