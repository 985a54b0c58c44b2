/**
 * `npm run test:architectures`: runs the tests of the bus with a Node.js of another architecture that QEMU emulates, the
 * binary that the package ships for it, and a bus of this machine. Prints one table, which it writes to
 * docs/support/figures/architectures.json as well.
 *
 * The emulation is of programs, not of machines: system calls are translated and answered by this machine's kernel. So it
 * tells of instructions, sizes, alignment and calling conventions, and of no kernel of that architecture.
 *
 * `--only linux-arm64` chooses architectures, and only their figures are replaced; `--suite process` folders of tests and
 * `--poller thread` pollers, and figures are then printed alone. `BUSBAR_TRANSPORT` is passed on.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { emulatedNode } from './architectures/emulated-node.mjs';
import { architectures } from './architectures/list.mjs';
import { compiledFolder, compileTests } from './runtimes/compiled-tests.mjs';
import { printTable, readRows, rowsOf, writeRows } from './runtimes/results.mjs';
import { root } from './setup/report.mjs';
import { requirePackages } from './setup/system-packages.mjs';
import { orExplain, setupDependencies, setupTestPeers } from './setup.mjs';

/** Times as long as on this machine itself may a file of tests take. */
const PATIENCE = 10;

const figures = join(root, 'docs/support/figures/architectures.json');
const word = { type: 'string', multiple: true };
const {
  only,
  suite: folders,
  poller: pollers,
} = parseArgs({
  options: { only: word, suite: word, poller: word },
}).values;
const chosen = architectures.filter(({ target }) => only === undefined || only.includes(target));

await orExplain(setupTestPeers, setupDependencies, () => requirePackages(chosen.map(({ qemu }) => qemu)));
await compileTests();

const rows = [];
for (const architecture of chosen) rows.push(...(await rowsOfArchitecture(architecture)));
printTable(rows);
if (folders === undefined && pollers === undefined) replaceFigures();
process.exitCode = rows.length === 0 || rows.some(({ failed }) => failed > 0) ? 1 : 0;

async function rowsOfArchitecture(architecture) {
  let program;
  await orExplain(() => {
    program = emulatedNode(architecture);
  });
  const emulator = `QEMU ${versionIn(architecture.qemu.name, '--version')}`;
  const first = { target: architecture.target, runtime: 'Node.js', version: versionIn(program, '--version'), emulator };
  const choice = { pollers: pollers ?? ['uv', 'thread'], folders: folders ?? ['bus'] };
  return rowsOf(first, choice, (suite, poller) => ({
    ...suite,
    command: program,
    cwd: compiledFolder,
    args: ['--expose-gc', suite.args.at(-1).replace(/\.ts$/, '.js')],
    // What was built here is for this machine.
    env: { BUSBAR_POLLER: poller, PREBUILDS_ONLY: '1' },
    seconds: suite.seconds * PATIENCE,
  }));
}

function versionIn(program, ...args) {
  const { stdout } = spawnSync(program, args, { encoding: 'utf8' });
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
