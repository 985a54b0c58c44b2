/**
 * `npm run test:runtimes`: runs suites of tests under every runtime that busbar supports, with every poller that each can
 * have, and terminates a thousand workers with each poller of Node.js. Prints tables, which it writes to
 * docs/support/figures/runtimes.json and workers.json as well.
 *
 * `--only bun --only deno` chooses runtimes by their ids, `--suite bus` folders and files of tests (bus, process and
 * reliability/fairness) or the workers (workers), and `--poller thread` pollers; figures of what was not run as a whole are printed alone. `BUSBAR_TRANSPORT` is
 * passed on, and no figures are written then.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { compiledFolder, compileTests } from './runtimes/compiled-tests.mjs';
import { runtimes } from './runtimes/list.mjs';
import { printTable, rowOf, rowsOf, writeRows } from './runtimes/results.mjs';
import { root, SetupError } from './setup/report.mjs';
import { installRuntime } from './setup/runtime-packages.mjs';
import { orExplain, setupDependencies, setupTestPeers } from './setup.mjs';
import { testFiles } from './test/suites.mjs';

/** What every runtime has to pass: what depends on how it polls. */
const FOLDERS = ['bus', 'process', 'reliability/fairness'];
/** How many workers are terminated with each poller. */
const WORKERS = 1000;
/** For all of them: ten minutes on an idle machine with two processors. */
const WORKERS_LIMIT_SECONDS = 3600;

const figures = (name) => join(root, 'docs/support/figures', `${name}.json`);
const word = { type: 'string', multiple: true };
const {
  only,
  suite: parts = [...FOLDERS, 'workers'],
  poller,
} = parseArgs({
  options: { only: word, suite: word, poller: word },
}).values;
const folders = parts.filter((part) => part !== 'workers');

await orExplain(setupTestPeers, setupDependencies);
await compileTests();

const chosen = runtimes.filter(({ id }) => only === undefined || only.includes(id));
const everyPoller = poller === undefined;

const rows = [];
for (const runtime of chosen) rows.push(...(await rowsOfRuntime(runtime)));
if (rows.length > 0) printTable(rows);
if (only === undefined && everyPoller && folders.length === FOLDERS.length) writeRows(figures('runtimes'), rows);

const workers = [];
if (parts.includes('workers') && everyPoller && chosen.includes(runtimes[0])) workers.push(await terminateWorkers());
if (workers.length > 0) {
  printTable(workers);
  writeRows(figures('workers'), workers);
}
const all = [...rows, ...workers];
process.exitCode = all.length === 0 || all.some(({ failed }) => failed > 0) ? 1 : 0;

function rowsOfRuntime(runtime) {
  const executable = executableOf(runtime);
  if (executable === undefined) return [];
  const pollers = runtime.pollers.filter((kind) => poller === undefined || poller.includes(kind));
  const first = { runtime: runtime.title, version: versionOf(executable) };
  return rowsOf(first, { pollers, folders }, (suite, kind) => underRuntime(suite, runtime, executable, kind));
}

/** With the Node.js that runs this, in one process that has workers with either poller. */
function terminateWorkers() {
  const suite = testFiles('process').find(({ name }) => name === 'process/terminated-workers');
  const first = { runtime: runtimes[0].title, version: versionOf(process.execPath), workers: WORKERS };
  const many = { ...suite, env: { BUSBAR_WORKERS: String(WORKERS) }, seconds: WORKERS_LIMIT_SECONDS };
  return rowOf(first, [many]);
}

/** `undefined` where the runtime cannot be had, which is said. */
function executableOf(runtime) {
  if (runtime.package === undefined) return process.execPath;
  try {
    return installRuntime(runtime.package);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.log(`${runtime.title} is left out: ${error.message}`);
    return undefined;
  }
}

function versionOf(executable) {
  const { stdout } = spawnSync(executable, ['--version'], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? stdout.trim();
}

function underRuntime(suite, runtime, command, kind) {
  const file = suite.args.at(-1);
  const compiled = runtime.compiled ? { cwd: compiledFolder, file: file.replace(/\.ts$/, '.js') } : { cwd: root, file };
  return {
    ...suite,
    command,
    cwd: compiled.cwd,
    args: [...runtime.args, compiled.file],
    env: { BUSBAR_POLLER: kind, PATH: `${dirname(command)}:${process.env.PATH}` },
  };
}
