/**
 * Runs the tests that meet trouble on purpose, on both transports: faults, a bus and peers that break the rules, messages
 * that broke others, bad input, leaks, traces of failures, and properties tried with random input. Writes how many there
 * were in each suite, and what they counted, to `docs/reliability/figures/faults.json`. Fails, and writes nothing, where
 * a test fails.
 *
 *   node scripts/faults.mjs faults-daemon leaks     the suites with these words in their names, and writes nothing
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { groups } from './reliability-report/faults.mjs';
import { saveFigures } from './reliability-report/figures.mjs';
import { root } from './setup/report.mjs';
import { runSuite } from './test/run-suite.mjs';
import { allSuites } from './test/suites.mjs';

const words = process.argv.slice(2);
const isChosen = ({ name }) => words.length === 0 || words.some((word) => name.includes(word));

const figures = {};
let failed = 0;

for (const suite of allSuites().filter(isChosen)) {
  const group = groupOf(suite);
  if (group === undefined) continue;
  const result = await runSuite(suite);
  console.log(`${suite.name}: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`);
  if (result.failed > 0) console.log(result.output, result.failure ?? '');
  failed += result.failed;
  add(group, suite.name, result);
}

if (failed > 0 || Object.keys(figures).length === 0) process.exit(1);
if (words.length > 0) console.log(JSON.stringify(figures, undefined, 2));
else saveFigures('faults', 'node scripts/faults.mjs', { groups: inOrder(figures) });

function groupOf(suite) {
  const hasProperties = () => readFileSync(join(root, 'test', `${suite.name}.test.ts`), 'utf8').includes('fc.assert(');
  const described = { name: suite.name, hasProperties: suite.name.startsWith('unit/') && hasProperties() };
  return Object.keys(groups).find((name) => groups[name].takes(described));
}

/** @param name of a suite: a file, and in brackets what carries its messages where it does not choose that itself */
function add(group, name, { passed, failed: failures, skipped, reasons, output }) {
  const [, file, carrier = 'tests'] = /^[^/]*\/(.*?)(?: \((.*)\))?$/.exec(name);
  figures[group] ??= { suites: {}, counts: {} };
  const { suites, counts } = figures[group];
  suites[file] ??= {};
  suites[file][carrier] = { passed, failed: failures, skipped, ...(skipped > 0 ? { reasons } : {}) };
  for (const [, counted] of output.matchAll(/^# figures: (\{.*\})$/gm)) {
    counts[carrier] ??= {};
    const sums = counts[carrier];
    for (const [what, count] of Object.entries(JSON.parse(counted))) sums[what] = (sums[what] ?? 0) + count;
  }
}

function inOrder(measured) {
  return Object.fromEntries(Object.keys(groups).flatMap((name) => (name in measured ? [[name, measured[name]]] : [])));
}
