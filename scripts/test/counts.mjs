/**
 * Reads how many tests passed, failed and were skipped from the output of a suite; `undefined` if the output has no counts,
 * which is a failure of the suite.
 */

/** A tool without its own counts is one test, which passes when the tool succeeds. */
export function countsOfTool(output, succeeded) {
  return countsOfChecks(output) || { passed: Number(succeeded), failed: Number(!succeeded), skipped: 0, reasons: [] };
}

/** `types: 12 passed, 0 failed` or `native: skipped (no C++ compiler)`. */
export function countsOfChecks(output) {
  const skipped = /^\w+: skipped \((.*)\)$/m.exec(output);
  if (skipped !== null) return { passed: 0, failed: 0, skipped: 1, reasons: [skipped[1]] };
  const counts = /^\w+: (\d+) passed, (\d+) failed(?:, (\d+) skipped)?/m.exec(output);
  if (counts === null) return undefined;
  const [, passed, failed, others = 0] = counts;
  return { passed: Number(passed), failed: Number(failed), skipped: Number(others), reasons: [] };
}

/** uvu's summary. A file may run several, and prints `# skipped: NAME (REASON)` for each test that it skips. */
export function countsOfUvu(output) {
  const summaries = [...output.matchAll(/^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm)];
  const counts = { passed: 0, failed: 0, skipped: 0, reasons: [] };
  for (const [, total, passed, skipped] of summaries) {
    counts.passed += Number(passed);
    // Not the number that uvu prints: a test that never ran because a hook before it threw counts as failed too.
    counts.failed += Number(total) - Number(passed);
    counts.skipped += Number(skipped);
  }
  counts.reasons = [...new Set([...output.matchAll(/^# skipped: .* \((.*)\)$/gm)].map(([, reason]) => reason))];
  return counts.passed + counts.failed + counts.skipped === 0 ? undefined : counts;
}
