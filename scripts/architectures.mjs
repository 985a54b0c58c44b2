/**
 * `npm run test:architectures`: runs the tests of the bus with the binaries that the package ships for other architectures
 * and C libraries, and a bus of this machine: arm64 and ARMv7 with Node.js, whose processors QEMU emulates, and musl with
 * Bun. Prints one table, which it writes to docs/support/figures/architectures.json as well.
 *
 * `--only arm64` chooses by ids, and only their figures are replaced; `--suite process` chooses folders of tests, and
 * `--poller thread` pollers, and figures are then printed alone. `BUSBAR_TRANSPORT` is passed on, and
 * no figures are written then.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { architectures } from './architectures/list.mjs';
import { compiledFolder, compileTests } from './runtimes/compiled-tests.mjs';
import { printTable, readRows, rowsOf, writeRows } from './runtimes/results.mjs';
import { root } from './setup/report.mjs';
import { requirePackages } from './setup/system-packages.mjs';
import { orExplain, setupDependencies, setupTestPeers } from './setup.mjs';

const figures = join(root, 'docs/support/figures/architectures.json');
const word = { type: 'string', multiple: true };
const {
  only,
  suite: folders,
  poller: pollers,
} = parseArgs({
  options: { only: word, suite: word, poller: word },
}).values;
const chosen = architectures.filter(({ id }) => only === undefined || only.includes(id));

await orExplain(setupTestPeers, setupDependencies, () => requirePackages(chosen.flatMap(({ tools }) => tools)));
await compileTests();

const rows = [];
for (const architecture of chosen) rows.push(...(await rowsOfArchitecture(architecture)));
printTable(rows);
if (folders === undefined && pollers === undefined) replaceFigures();
process.exitCode = rows.length === 0 || rows.some(({ failed }) => failed > 0) ? 1 : 0;

async function rowsOfArchitecture(architecture) {
  const { target, runtime, env, patience } = architecture;
  let program;
  let first;
  await orExplain(() => {
    program = architecture.program();
    first = { target, runtime, version: versionOf(program), under: architecture.under() };
  });
  const kinds = architecture.pollers.filter((kind) => pollers === undefined || pollers.includes(kind));
  return rowsOf(first, { pollers: kinds, folders: folders ?? ['bus'] }, (suite, poller) => ({
    ...suite,
    command: program,
    cwd: compiledFolder,
    args: ['--expose-gc', suite.args.at(-1).replace(/\.ts$/, '.js')],
    // What was built here is for this machine.
    env: { BUSBAR_POLLER: poller, BUSBAR_TEST_PATIENCE: String(patience), PREBUILDS_ONLY: '1', ...env },
    seconds: suite.seconds * patience,
  }));
}

function versionOf(program) {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? stdout.trim();
}

function replaceFigures() {
  const kept = readRows(figures).filter(({ target }) => !chosen.some((architecture) => architecture.target === target));
  const all = [...kept, ...rows];
  writeRows(
    figures,
    architectures.flatMap(({ target }) => all.filter((row) => row.target === target)),
  );
}
