/**
 * Runs the tests of faults on both transports and writes what they counted to `docs/reliability/figures/faults.json`:
 * places at which a stream was cut, kills of the daemon that were survived, calls that settled, signals that were
 * accounted for, forgeries that nobody believed. Fails, and writes nothing, where a test fails.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup/report.mjs';
import { runSuite } from './test/run-suite.mjs';
import { allSuites } from './test/suites.mjs';

const folder = join(root, 'docs/reliability/figures');
const transports = { socket: {}, 'sd-bus': {} };
let failed = false;

for (const suite of allSuites().filter(({ name }) => name.startsWith('reliability/faults-'))) {
  const result = await runSuite(suite);
  console.log(`${suite.name}: ${result.passed} passed, ${result.failed} failed`);
  if (result.failed > 0) {
    failed = true;
    console.log(result.output);
  }
  const figures = transports[suite.env.BUSBAR_TRANSPORT];
  for (const [, counts] of result.output.matchAll(/^# figures: (\{.*\})$/gm)) {
    for (const [name, count] of Object.entries(JSON.parse(counts))) figures[name] = (figures[name] ?? 0) + count;
  }
}

if (failed) process.exit(1);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'faults.json'), `${JSON.stringify({ node: process.version, transports }, undefined, 2)}\n`);
