/**
 * Runs the tests of faults on both transports and writes what they counted to `docs/reliability/figures/faults.json`:
 * places at which a stream was cut, kills of the daemon that were survived, calls that settled, signals that were
 * accounted for, forgeries that nobody believed. Fails, and writes nothing, where a test fails.
 */
import { saveFigures } from './reliability-report/figures.mjs';
import { runSuite } from './test/run-suite.mjs';
import { allSuites } from './test/suites.mjs';

const transports = { socket: {}, 'sd-bus': {} };
const tests = { passed: 0, failed: 0, skipped: 0 };

for (const suite of allSuites().filter(({ name }) => name.startsWith('reliability/faults-'))) {
  const result = await runSuite(suite);
  console.log(`${suite.name}: ${result.passed} passed, ${result.failed} failed`);
  for (const kind of Object.keys(tests)) tests[kind] += result[kind];
  if (result.failed > 0) console.log(result.output);
  const figures = transports[suite.env.BUSBAR_TRANSPORT];
  for (const [, counts] of result.output.matchAll(/^# figures: (\{.*\})$/gm)) {
    for (const [name, count] of Object.entries(JSON.parse(counts))) figures[name] = (figures[name] ?? 0) + count;
  }
}

if (tests.failed > 0) process.exit(1);
saveFigures('faults', 'node scripts/faults.mjs', { tests, transports });
