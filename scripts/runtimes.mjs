/**
 * `npm run test:runtimes`: runs suites of tests under every runtime that busbar supports, with every poller that each can
 * have, and prints one table, which it writes to docs/support/figures/runtimes.json as well.
 *
 * `--only bun --only deno` chooses runtimes by their ids, `--suite bus` folders of tests (bus and process), and
 * `--poller thread` pollers; figures are then printed alone. `BUSBAR_TRANSPORT` is passed on.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { compiledFolder, compileTests } from './runtimes/compiled-tests.mjs';
import { runtimes } from './runtimes/list.mjs';
import { root, SetupError } from './setup/report.mjs';
import { installRuntime } from './setup/runtime-packages.mjs';
import { orExplain, setupDependencies, setupTestPeers } from './setup.mjs';
import { runSuite } from './test/run-suite.mjs';
import { testFiles } from './test/suites.mjs';

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
for (const runtime of chosen) rows.push(...(await rowsOf(runtime)));
printTable(rows);
const everything = [only, poller].every((choice) => choice === undefined) && folders.length === 2;
if (everything) writeFigures(rows);
process.exitCode = rows.length === 0 || rows.some(({ failed }) => failed > 0) ? 1 : 0;

async function rowsOf(runtime) {
  const executable = executableOf(runtime);
  if (executable === undefined) return [];
  const version = versionOf(executable);
  const results = [];
  for (const kind of runtime.pollers.filter((kind) => poller === undefined || poller.includes(kind))) {
    for (const folder of folders) {
      const sums = await runFolder(runtime, executable, kind, folder);
      results.push({ runtime: runtime.title, version, poller: kind, suite: folder, ...sums });
    }
  }
  return results;
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

/** Runs the files of a folder one after the other, shows what fails, and returns the sums. */
async function runFolder(runtime, executable, kind, folder) {
  const sums = { passed: 0, failed: 0, skipped: 0, seconds: 0, reasons: [] };
  for (const suite of testFiles(folder)) {
    const result = await runSuite(underRuntime(suite, runtime, executable, kind));
    for (const key of ['passed', 'failed', 'skipped', 'seconds']) sums[key] += result[key];
    sums.reasons.push(...result.reasons.filter((reason) => !sums.reasons.includes(reason)));
    if (result.failed === 0) continue;
    console.log(`✘ ${suite.name} (${runtime.title}, ${kind})\n${result.output.trimEnd()}\n${result.failure ?? ''}\n`);
  }
  return { ...sums, seconds: Math.round(sums.seconds) };
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

function printTable(results) {
  const head = ['runtime', 'version', 'poller', 'suite', 'passed', 'failed', 'skipped', 'seconds'];
  const lines = [head, ...results.map((row) => head.map((key) => String(row[key])))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
  for (const reason of new Set(results.flatMap(({ reasons }) => reasons))) console.log(`skipped: ${reason}`);
}

function writeFigures(results) {
  mkdirSync(dirname(figures), { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  const lines = results.map((row) => `    ${JSON.stringify({ ...row, date })}`);
  writeFileSync(figures, `{\n  "runs": [\n${lines.join(',\n')}\n  ]\n}\n`);
}
