/** Suites that are run one after the other, as one row of a table. */
import { runSuite } from '../test/run-suite.mjs';

/** The sums of their counts, with the output of the last one. Failures are printed. */
export async function sumOf(suites, title) {
  const sums = { passed: 0, failed: 0, skipped: 0, seconds: 0, reasons: [], output: '' };
  for (const suite of suites) {
    const result = await runSuite(suite);
    for (const key of ['passed', 'failed', 'skipped', 'seconds']) sums[key] += result[key];
    sums.reasons = [...new Set([...sums.reasons, ...result.reasons])];
    sums.output = result.output;
    if (result.failed > 0)
      console.log(`✘ ${suite.name} (${title})\n${result.output.trimEnd()}\n${result.failure ?? ''}\n`);
  }
  return { ...sums, seconds: Math.round(sums.seconds) };
}

/** The cells of a row: passed, failed, and skipped with the reasons. */
export function countCells({ passed, failed, skipped, reasons }) {
  return [passed, failed, skipped === 0 ? '0' : `${skipped}: ${reasons.join('; ')}`];
}
