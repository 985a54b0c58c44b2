/**
 * `docs/reliability/figures/fuzz.json`: what fuzzing has come to, by target. Hours add up over runs of the same
 * sources, and begin anew when those change.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from '../setup/report.mjs';
import { versionOf } from './build.mjs';

const path = join(root, 'docs', 'reliability', 'figures', 'fuzz.json');

/** What fuzzing tests, and the targets. */
function sourcesStamp() {
  const folders = ['wire', 'transport', 'sdbus', 'fuzz'].map((name) => join(root, 'native', name));
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true })
      .map((name) => join(folder, name))
      .filter((name) => /\.(cc|h)$/.test(name)),
  );
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
  const known = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  const targets = known.sources === sources ? known.targets : {};
  for (const { target, seconds, executions, coverage, corpus, found } of results) {
    const so = targets[target] ?? { cpuSeconds: 0, executions: 0, findings: 0 };
    targets[target] = {
      cpuSeconds: Math.round(so.cpuSeconds + seconds),
      executions: so.executions + executions,
      findings: so.findings + found.length,
      coverage,
      corpus,
    };
  }
  const sorted = Object.fromEntries(Object.entries(targets).sort());
  const date = new Date().toISOString().slice(0, 10);
  const versions = { node: process.version, clang: versionOf('clang++') };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ date, versions, sources, targets: sorted }, null, 2)}\n`);
}
