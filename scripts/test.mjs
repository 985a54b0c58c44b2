/**
 * `npm test`: sets up what the tests need, runs every suite, two at a time, and reports one line each. A suite that
 * fails shows its whole output. Words on the command line choose the suites whose name has one of them; `--part 1/3` runs
 * every third one of these, from the first on, for machines that share the work.
 */
import { parseArgs } from 'node:util';
import { SetupError } from './setup/report.mjs';
import { orExplain, setupDependencies, setupTestedLibrary, setupTestPeers } from './setup.mjs';
import { runSuite } from './test/run-suite.mjs';
import { allSuites } from './test/suites.mjs';

const AT_ONCE = 2;

await orExplain(setupTestPeers, setupDependencies);

const { values, positionals: words } = parseArgs({
  options: { part: { type: 'string', default: '1/1' } },
  allowPositionals: true,
});
const [part, parts] = values.part.split('/').map(Number);
const suites = allSuites()
  .filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
  .filter((_, index) => index % parts === part - 1);
const width = Math.max(0, ...suites.map(({ name }) => name.length));
const totals = { passed: 0, failed: 0, skipped: 0 };

await reportBuild();
await reportInOrder(suites);
console.log(`\n${countsText(totals)}`);
process.exitCode = totals.failed > 0 || suites.length === 0 ? 1 : 0;

/** Without the library only the suites that import it can fail, and they then say so themselves. */
async function reportBuild() {
  try {
    await setupTestedLibrary();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    report({ name: 'setup' }, { passed: 0, failed: 1, skipped: 0, reasons: [], output: error.message, seconds: 0 });
  }
}

/** Runs suites side by side; reports them in their order, each as soon as those before it are. */
async function reportInOrder(waiting) {
  const queue = [...waiting.entries()];
  const results = [];
  let reported = 0;
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, suite] = next;
      results[index] = await runSuite(suite);
      for (; results[reported] !== undefined; reported++) report(waiting[reported], results[reported]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function report(suite, result) {
  for (const kind of Object.keys(totals)) totals[kind] += result[kind];
  const failed = result.failed > 0;
  const reasons = result.reasons.length === 0 ? '' : `  (${result.reasons.join('; ')})`;
  const time = `${result.seconds.toFixed(1)} s`;
  console.log(`${failed ? '✘' : '✔'} ${suite.name.padEnd(width)}  ${suiteText(result)}  ${time}${reasons}`);
  if (!failed) return;
  console.log(`${result.output.trimEnd()}\n${result.failure === undefined ? '' : `${suite.name} ${result.failure}\n`}`);
}

/** A suite names only what there was of it. */
function suiteText(result) {
  const kinds = Object.keys(totals).filter((kind) => result[kind] > 0);
  return kinds.map((kind) => `${result[kind]} ${kind}`).join(', ');
}

function countsText({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
