/**
 * `npm run test:runtimes`: runs suites of tests under every runtime that busbar supports, with every poller that each can
 * have, and prints one table, which it writes to docs/support/figures/runtimes.json as well.
 *
 * `--only bun --only deno` chooses runtimes by their ids, `--suite bus` folders of tests (bus and process), and
 * `--poller thread` pollers; figures are then printed alone. `BUSBAR_TRANSPORT` is passed on.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { compiledFolder, compileTests } from './runtimes/compiled-tests.mjs';
import { runtimes } from './runtimes/list.mjs';
import { printTable, rowsOf, writeRows } from './runtimes/results.mjs';
import { root, SetupError } from './setup/report.mjs';
import { installRuntime } from './setup/runtime-packages.mjs';
import { orExplain, setupDependencies, setupTestPeers } from './setup.mjs';

const figures = join(root, 'docs/support/figures/runtimes.json');
const word = { type: 'string', multiple: true };
const {
  only,
  suite: folders = ['bus', 'process'],
  poller,
} = parseArgs({
  options: { only: word, suite: word, poller: word },
}).values;

await orExplain(setupTestPeers, setupDependencies);
await compileTests();

const chosen = runtimes.filter(({ id }) => only === undefined || only.includes(id));
const rows = [];
for (const runtime of chosen) rows.push(...(await rowsOfRuntime(runtime)));
printTable(rows);
const everything = [only, poller].every((choice) => choice === undefined) && folders.length === 2;
if (everything) writeRows(figures, rows);
process.exitCode = rows.length === 0 || rows.some(({ failed }) => failed > 0) ? 1 : 0;

function rowsOfRuntime(runtime) {
  const executable = executableOf(runtime);
  if (executable === undefined) return [];
  const pollers = runtime.pollers.filter((kind) => poller === undefined || poller.includes(kind));
  const first = { runtime: runtime.title, version: versionOf(executable) };
  return rowsOf(first, { pollers, folders }, (suite, kind) => underRuntime(suite, runtime, executable, kind));
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
