/**
 * `docs/reliability/figures/fuzz.json`: what fuzzing has come to, by target. Time and executions add up over runs of the
 * same sources, so that hours can be reached in several sittings, and begin anew for a target that is run with others.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readMeasurement, saveFigures } from '../reliability-report/figures.mjs';
import { root } from '../setup/report.mjs';
import { versionOf } from './build.mjs';

/** What fuzzing tests, the targets, and how both are built. */
function sourcesStamp() {
  const folders = ['wire', 'transport', 'sdbus', 'compat', 'fuzz'].map((name) => join(root, 'native', name));
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true })
      .map((name) => join(folder, name))
      .filter((name) => /(\.(cc|h)|CMakeLists\.txt)$/.test(name)),
  );
  files.push(join(root, 'CMakeLists.txt'));
  const hash = createHash('sha256');
  for (const file of files.sort())
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

export function writeFigures(results) {
  const sources = sourcesStamp();
  const date = new Date().toISOString().slice(0, 10);
  const targets = { ...readMeasurement('fuzz')?.figures?.targets };
  for (const { target, cpuSeconds, executions, coverage, corpus, found } of results) {
    const { [target]: before } = targets;
    const so = before?.sources === sources ? before : { cpuSeconds: 0, executions: 0, findings: 0 };
    targets[target] = {
      cpuSeconds: Math.round(so.cpuSeconds + cpuSeconds),
      executions: so.executions + executions,
      findings: so.findings + found.length,
      coverage,
      corpus,
      date,
      sources,
    };
  }
  const sorted = Object.fromEntries(Object.entries(targets).sort());
  saveFigures('fuzz', 'npm run fuzz', { compiler: versionOf('clang++'), targets: sorted });
}
