/**
 * `npm run fuzz`: builds the fuzz targets and runs them, a minute each by default. `--smoke` is a suite of
 * `npm run test:all`.
 *
 * Findings of a target are in `native/fuzz/findings/<target>/`; the native tests replay everything there.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportResults } from './fuzz/record.mjs';
import { writeSeeds } from './fuzz/seeds.mjs';
import {
  buildFolder,
  buildTargets,
  findingsOf,
  fuzzingTools,
  missingTool,
  programs,
  runTarget,
  targets,
} from './fuzz/targets.mjs';
import { readOptions, refuse } from './options.mjs';
import { requirePackages } from './setup/system-packages.mjs';
import { runSetup } from './setup.mjs';

const SMOKE_SECONDS = 2;
const PROGRESS_EVERY = 10_000;

const USAGE = `Usage: npm run fuzz -- [options]

  builds the fuzz targets and runs them. Ctrl-C ends it early: the work until then counts, but leaks are not looked for.

  --minutes N    the time of each target; 1 if left out
  --hours N      the same in hours
  --only NAME    one target; may be repeated: ${targets.join(', ')}
  --jobs N       how many run at once; 1 if left out
  --report       adds the results to docs/reliability/report.md
  --smoke        runs each target for a few seconds, from new seeds
  --help         prints this text`;

const { values } = readOptions(USAGE, {
  minutes: { type: 'string' },
  hours: { type: 'string' },
  only: { type: 'string', multiple: true },
  jobs: { type: 'string', default: '1' },
  report: { type: 'boolean', default: false },
  smoke: { type: 'boolean', default: false },
});
const jobs = positive('jobs', values.jobs);
const seconds = Math.max(1, Math.round(60 * minutes()));
const chosen = chosenTargets();

await runSetup(values.smoke ? smoke : fuzz);

async function fuzz() {
  requirePackages(fuzzingTools);
  console.log('[fuzz]    building the targets');
  buildTargets(jobs);
  const seeds = writeSeeds(join(buildFolder, 'seeds'), chosen, programs);
  console.log(`[fuzz]    ${chosen.join(', ')}: ${seconds} s each`);
  // It interrupts the targets as well, and ends with them.
  let stopped = false;
  process.on('SIGINT', () => {
    stopped = true;
  });
  const all = await runAll(chosen, jobs, (target) =>
    stopped ? undefined : runTarget(target, { seconds, seeds: seeds[target], onProgress: progress(target) }),
  );
  const results = all.filter((result) => result !== undefined);
  for (const { output, failed } of results) if (failed) console.log(output);
  reportResults(
    results.filter(({ skipped }) => skipped === undefined),
    values.report,
  );
  for (const { target, found } of results)
    for (const name of found) console.log(`found: ${join(findingsOf(target), name)}`);
  process.exitCode = results.some(({ failed }) => failed) ? 1 : 0;
}

/**
 * One suite of `npm run test:all`. It shows that the targets build, run, and succeed on their seeds and on earlier
 * findings.
 */
async function smoke() {
  const missing = missingTool();
  if (missing !== undefined) return console.log(`fuzz: skipped (no ${missing})`);
  buildTargets(2);
  const folder = mkdtempSync(join(tmpdir(), 'busbar-fuzz-'));
  try {
    const seeds = writeSeeds(join(folder, 'seeds'), targets, programs);
    const results = await runAll(targets, 2, (target) =>
      runTarget(target, { seconds: SMOKE_SECONDS, seeds: seeds[target], corpus: join(folder, target) }),
    );
    // A target that ran nothing has shown nothing.
    const isBroken = ({ failed, executions, skipped }) => failed || (executions === 0 && skipped === undefined);
    for (const result of results.filter(isBroken)) console.log(`${result.target}:\n${result.output}`);
    const skipped = results.filter((result) => result.skipped !== undefined).length;
    const failed = results.filter(isBroken).length;
    const counts = `${results.length - failed - skipped} passed, ${failed} failed`;
    console.log(`fuzz: ${counts}${skipped > 0 ? `, ${skipped} skipped` : ''}`);
    process.exitCode = failed > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function chosenTargets() {
  const unknown = values.only?.find((name) => !targets.includes(name));
  if (unknown !== undefined) refuse(`There is no target ${unknown}; there are ${targets.join(', ')}.`);
  return values.only ?? targets;
}

function minutes() {
  if (values.hours !== undefined) return 60 * positive('hours', values.hours);
  return values.minutes === undefined ? 1 : positive('minutes', values.minutes);
}

function positive(option, text) {
  const number = Number(text);
  if (!(number > 0)) refuse(`--${option} takes a number above 0, not ${text}.`);
  return number;
}

/** Runs several at a time; returns the results in the order of the targets. */
async function runAll(chosen, jobs, run) {
  const queue = [...chosen.entries()];
  const results = [];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) results[next[0]] = await run(next[1]);
  };
  await Promise.all(Array.from({ length: Math.ceil(jobs) }, worker));
  return results;
}

function progress(target) {
  let next = 0;
  return (line) => {
    if (performance.now() < next) return;
    next = performance.now() + PROGRESS_EVERY;
    console.log(`[${target}] ${line.trim()}`);
  };
}
