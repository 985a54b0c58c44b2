/**
 * Runs suites of tests under every runtime that busbar supports, with every poller of each: `npm run test:runtimes` and
 * `npm run test:architectures`.
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { readOptions, refuse } from './options.mjs';
import { pages, table, today, withOtherRows, writeResults } from './report.mjs';
import { architectures, runtimes } from './runtimes/list.mjs';
import { countCells, sumOf } from './runtimes/suites.mjs';
import { compiledPath, compileTests } from './setup/compiled-tests.mjs';
import { SetupError } from './setup/report.mjs';
import { requirePackages } from './setup/system-packages.mjs';
import { runSetup, setupDependencies, setupTestPeers } from './setup.mjs';
import { testFiles } from './test/suites.mjs';

/** The number of workers that are terminated with each poller, in ten minutes on an idle machine with two processors. */
const WORKERS = 1000;
const WORKERS_LIMIT_SECONDS = 3600;

const USAGE = `Usage: npm run test:runtimes -- [options]
       npm run test:architectures -- [options]

  npm run test:runtimes       runs the tests under the runtimes for this machine: ${ids(runtimes)}.
                              The present Node.js also terminates a thousand workers.
  npm run test:architectures  runs them on other architectures and C libraries, with the binaries that
                              the package ships: ${ids(architectures)}.

  --only ID        one of these; may be repeated
  --suite NAME     a folder or file of test/ (bus, process/exit), or workers; may be repeated
  --poller NAME    uv or thread
  --report         writes docs/support.md, if all suites of a runtime were run, on the default transport
  --foreign        as npm run test:architectures
  --help           prints this text`;

const word = { type: 'string', multiple: true };
const flag = { type: 'boolean', default: false };
const {
  values: { foreign, only, suite, poller, report },
} = readOptions(USAGE, { foreign: flag, only: word, suite: word, poller: word, report: flag });
const all = foreign ? architectures : runtimes;
checkWords();
const chosen = all.filter(({ id }) => only === undefined || only.includes(id));
const write = report && suite === undefined && poller === undefined && !process.env.BUSBAR_TRANSPORT;
const hasWorkers = !foreign && poller === undefined && (suite ?? ['workers']).includes('workers');

await runSetup(setupTestPeers, setupDependencies, compileTests, () =>
  requirePackages(chosen.flatMap(({ tools = [] }) => tools)),
);

const rows = [];
let failures = 0;
for (const runtime of chosen) await run(runtime);
if (rows.length > 0) {
  const place = { page: pages.support, section: foreign ? 'architectures' : 'runtimes' };
  const order = all.map(({ title }) => title);
  const text = table(
    ['what', 'version', 'poller', 'tests', 'passed', 'failed', 'skipped', 'seconds', 'date'],
    write ? withOtherRows(place.page, place.section, rows, order) : rows,
  );
  writeResults({ ...place, command: `npm run test:${place.section}`, text, figures: rows, write });
}
if (hasWorkers && chosen.includes(runtimes[0])) await terminateWorkers();
process.exitCode = failures > 0 || (rows.length === 0 && !hasWorkers) ? 1 : 0;

function ids(list) {
  return list.map(({ id }) => id).join(', ');
}

/** Refuses words that choose nothing: a run of no tests would look like one that passed. */
function checkWords() {
  const odd = only?.find((id) => !all.some((runtime) => runtime.id === id));
  if (odd !== undefined) refuse(`--only: there is no ${odd}; there are ${ids(all)}.`);
  const empty = suite?.find((name) => name !== 'workers' && testFiles(name).length === 0);
  if (empty !== undefined) refuse(`--suite: there are no tests in test/${empty}.`);
  const kind = poller?.find((name) => name !== 'uv' && name !== 'thread');
  if (kind !== undefined) refuse(`--poller takes uv or thread, not ${kind}.`);
  const fits = ({ id, pollers }) =>
    (only?.includes(id) ?? true) && pollers.some((one) => poller?.includes(one) ?? true);
  if (!all.some(fits)) refuse(`--poller: ${only.join(' and ')} cannot poll with ${poller.join(' or ')}.`);
}

/** A runtime that is not available is left out, with a message. */
async function run(runtime) {
  const program = programOf(runtime);
  if (program === undefined) return;
  const under = runtime.under === undefined ? '' : ` under ${runtime.under()}`;
  const version = `${foreign ? `${runtime.runtime} ` : ''}${versionOf(program)}${under}`;
  for (const kind of runtime.pollers.filter((one) => poller === undefined || poller.includes(one))) {
    for (const folder of (suite ?? runtime.folders).filter((one) => one !== 'workers')) {
      const suites = testFiles(folder).map((one) => underRuntime(one, runtime, program, kind));
      const sums = await sumOf(suites, `${runtime.title}, ${kind}`);
      failures += sums.failed;
      rows.push([runtime.title, version, kind, `test/${folder}`, ...countCells(sums), sums.seconds, today()]);
    }
  }
}

function programOf(runtime) {
  try {
    return runtime.program();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.log(`${runtime.title} is left out: ${error.message}`);
    if (foreign) failures++;
    return undefined;
  }
}

function versionOf(program) {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? stdout.trim();
}

function underRuntime(one, { args, env = {}, patience = 1 }, command, kind) {
  return {
    ...{ ...one, command, seconds: one.seconds * patience },
    args: [...args, compiledPath(one.file)],
    env: {
      ...{ BUSBAR_POLLER: kind, BUSBAR_TEST_PATIENCE: String(patience), ...env },
      ...(foreign ? {} : { PATH: `${dirname(command)}:${process.env.PATH}` }),
    },
  };
}

/** With the present Node.js, in one process that has workers with either poller. */
async function terminateWorkers() {
  const [terminated] = testFiles('process/terminated-workers');
  const many = { ...terminated, env: { BUSBAR_WORKERS: String(WORKERS) }, seconds: WORKERS_LIMIT_SECONDS };
  const sums = await sumOf([many], 'workers');
  failures += sums.failed;
  const row = [
    `${runtimes[0].runtime} ${process.versions.node}`,
    WORKERS,
    sums.passed,
    sums.failed,
    sums.seconds,
    today(),
  ];
  const text = table(['runtime', 'workers of each poller', 'passed', 'failed', 'seconds', 'date'], [row]);
  const command = 'npm run test:runtimes -- --suite workers';
  writeResults({
    page: pages.support,
    section: 'workers',
    command,
    text,
    figures: row,
    write: report && !process.env.BUSBAR_TRANSPORT,
  });
}
