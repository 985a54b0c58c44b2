/**
 * `docs/reliability/figures/fuzz.json`: what fuzzing has come to, by target. Time and executions add up over runs of the
 * same sources, so that hours can be reached in several sittings, and begin anew for a target that is run with others.
 * Failures and interruptions are runs: what ends one need not be a new file among the findings, and one that somebody
 * interrupts does not come to look for leaks.
 */
import { readMeasurement, saveFigures } from '../reliability-report/figures.mjs';
import { versionOf } from './build.mjs';
import { stampOf } from './sources.mjs';

export function writeFigures(results) {
  const date = new Date().toISOString().slice(0, 10);
  const targets = { ...readMeasurement('fuzz')?.figures?.targets };
  for (const { target, cpuSeconds, executions, coverage, corpus, found, failed, interrupted } of results) {
    const sources = stampOf(target);
    const { [target]: before } = targets;
    const so = before?.sources === sources ? before : { cpuSeconds: 0, executions: 0, findings: 0 };
    targets[target] = {
      cpuSeconds: Math.round(so.cpuSeconds + cpuSeconds),
      executions: so.executions + executions,
      findings: so.findings + found.length,
      // Earlier figures have neither.
      failures: (so.failures ?? 0) + Number(failed),
      interruptions: (so.interruptions ?? 0) + Number(interrupted),
      coverage,
      corpus,
      date,
      sources,
    };
  }
  const sorted = Object.fromEntries(Object.entries(targets).sort());
  saveFigures('fuzz', 'npm run fuzz', { compiler: versionOf('clang++'), targets: sorted });
}
