/**
 * The results of fuzzing, by target, in docs/reliability/report.md. Time and executions add up over runs of the same
 * sources, so that hours can be reached in several runs, and start from zero for a target with other sources. The sources
 * of a target are its own file, the headers that it includes, the files that implement these, and so on; and the build
 * settings of all of them.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pages, table, tableRows, today, withOtherRows, writeResults } from '../report.mjs';
import { root } from '../setup/report.mjs';
import { targets, versionOf } from './targets.mjs';

const place = { page: pages.reliability, section: 'fuzz' };
const columns = [
  ...['target', 'processor time', 'executions', 'findings', 'failed runs', 'interrupted runs'],
  ...['edges', 'inputs kept', 'date', 'sources'],
];

export function reportResults(results, write) {
  const known = tableRows(place.page, place.section);
  const rows = results.map((result) => rowOf(result, known));
  const all = withOtherRows(place.page, place.section, rows, targets.toSorted());
  const text = `Built with ${versionOf('clang++')}.\n\n${table(columns, all)}`;
  writeResults({
    ...place,
    command: 'npm run fuzz',
    text,
    figures: results.map(({ output, ...figures }) => figures),
    write,
  });
}

/** Failures and interruptions are counted as runs: the input that ends one need not be a new file among the findings. */
function rowOf({ target, cpuSeconds, executions, coverage, corpus, found, failed, interrupted }, known) {
  const sources = digestOf(target);
  const before = known.find(([name, ...cells]) => name === target && cells.at(-1) === sources) ?? [];
  const sum = (column, value) => Number.parseFloat(before[column] ?? 0) + value;
  return [
    ...[target, `${sum(1, cpuSeconds / 60).toFixed(1)} min`, sum(2, executions), sum(3, found.length)],
    ...[sum(4, Number(failed)), sum(5, Number(interrupted)), coverage, corpus, today(), sources],
  ];
}

function digestOf(target) {
  const hash = createHash('sha256');
  for (const file of sourcesOf(target)) hash.update(`${file}\0${readFileSync(join(root, file))}\0`);
  return hash.digest('hex').slice(0, 16);
}

function sourcesOf(target) {
  const found = new Set([`native/fuzz/${target}_fuzz.cc`]);
  // Iterating over a set includes the elements that are added meanwhile.
  for (const file of found) for (const next of [...includedBy(file), ...implementationOf(file)]) found.add(next);
  return ['CMakeLists.txt', 'native/fuzz/CMakeLists.txt', ...found].sort();
}

/** `#include "…"` names a file from `native/`; system headers are in angle brackets. */
function includedBy(file) {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^#include "(.+)"$/gm)].map(([, path]) => `native/${path}`);
}

/** Each header is implemented by the file beside it with the same name, if there is one. */
function implementationOf(file) {
  const implementation = file.replace(/\.h$/, '.cc');
  return existsSync(join(root, implementation)) ? [implementation] : [];
}
