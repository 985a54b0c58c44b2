/**
 * `npm run report:support`: makes docs/support.md from the figures that the runs left in docs/support/figures, and from
 * what the committed binaries are. `--check` writes nothing, and fails where it is not what they give.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { root } from './setup/report.mjs';
import { reportFile, staleness, supportReport } from './support-report/report.mjs';

if (process.argv.includes('--check')) {
  const problem = staleness();
  if (problem !== undefined) console.error(problem);
  process.exitCode = problem === undefined ? 0 : 1;
} else {
  writeFileSync(reportFile, supportReport());
  console.log(`wrote ${relative(root, reportFile)}`);
}
