/** What running the suites under some runtime gave: one row for each runtime, poller and folder of tests. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { runSuite } from '../test/run-suite.mjs';
import { testFiles } from '../test/suites.mjs';

/**
 * Runs the files of each folder one after the other, with each poller, and shows what fails.
 *
 * @param first what every row begins with
 * @param prepare makes a suite of a test file, for a poller
 */
export async function rowsOf(first, { pollers, folders }, prepare) {
  const rows = [];
  for (const poller of pollers) {
    for (const folder of folders) {
      const suites = testFiles(folder).map((suite) => prepare(suite, poller));
      rows.push(await rowOf({ ...first, poller, suite: folder }, suites));
    }
  }
  return rows;
}

/** Runs suites one after the other, and shows what fails. The row begins with `first`, which says what they are. */
export async function rowOf(first, suites) {
  return { ...first, ...(await sumsOf(suites, Object.values(first).join(' '))), date: today() };
}

async function sumsOf(suites, title) {
  const sums = { passed: 0, failed: 0, skipped: 0, seconds: 0, reasons: [] };
  for (const suite of suites) {
    const result = await runSuite(suite);
    for (const key of ['passed', 'failed', 'skipped', 'seconds']) sums[key] += result[key];
    sums.reasons.push(...result.reasons.filter((reason) => !sums.reasons.includes(reason)));
    if (result.failed === 0) continue;
    console.log(`✘ ${suite.name} (${title})\n${result.output.trimEnd()}\n${result.failure ?? ''}\n`);
  }
  return { ...sums, seconds: Math.round(sums.seconds) };
}

export function today() {
  return new Date().toISOString().slice(0, 10);
}

export function printTable(rows) {
  const head = Object.keys(rows[0] ?? {}).filter((key) => !['reasons', 'date'].includes(key));
  const lines = [head, ...rows.map((row) => head.map((key) => String(row[key])))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
  for (const reason of new Set(rows.flatMap(({ reasons }) => reasons))) console.log(`skipped: ${reason}`);
}

export function readRows(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).runs : [];
}

/** The figures are those of the default transport: with another that is forced by the environment none are written. */
export function writeRows(file, rows) {
  const { BUSBAR_TRANSPORT: transport } = process.env;
  if (transport) return console.log(`${basename(file)} stays as it is: BUSBAR_TRANSPORT is ${transport}`);
  mkdirSync(dirname(file), { recursive: true });
  const lines = rows.map((row) => `    ${JSON.stringify(row)}`);
  writeFileSync(file, `{\n  "runs": [\n${lines.join(',\n')}\n  ]\n}\n`);
}
