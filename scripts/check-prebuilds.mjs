/**
 * `npm run check:prebuilds`: checks every binary that the package ships: it exists, keeps to the limits of
 * `prebuilds/targets.mjs`, and loads if it is for this machine. Only `--release` refuses a binary that was built from other
 * sources than the present ones: while native/ is being changed, the tests build the addon, and the binaries follow.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readOptions } from './options.mjs';
import { hasReadelf } from './prebuilds/elf.mjs';
import { areBinariesDocumented, inspection, prebuilds, writeBinaries } from './prebuilds/inspection.mjs';
import { fileOf, targets } from './prebuilds/targets.mjs';
import { root } from './setup/report.mjs';

const USAGE = `Usage: npm run check:prebuilds -- [options]

  checks every binary that the package ships.

  --release   also refuses a binary that was built from other sources than the present ones
  --report    writes the requirements of the binaries into docs/support.md, as npm run prebuild does
  --help      prints this text`;

const flag = { type: 'boolean', default: false };
const {
  values: { release: forRelease, report },
} = readOptions(USAGE, { release: flag, report: flag });

let passed = 0;
let failed = 0;
let skipped = 0;

function check(statement, problem) {
  if (problem === undefined) passed++;
  else failed++;
  console.log(
    `${problem === undefined ? 'ok' : 'not ok'} - ${statement}${problem === undefined ? '' : `: ${problem}`}`,
  );
}

function skip(statement, reason) {
  skipped++;
  console.log(`skipped - ${statement} (${reason})`);
}

for (const target of targets) {
  const { file, elf, checks, stale } = inspection(target);
  const path = join(prebuilds, file);
  for (const { statement, problem } of checks) check(statement, problem);
  if (!existsSync(path)) continue;
  const problem = stale ? 'native/ has changed; run npm run prebuild' : undefined;
  if (stale && !forRelease) skip(`${file} is of the sources as they are`, problem);
  else check(`${file} is of the sources as they are`, problem);
  if (elf === undefined) skip(`${file} keeps to the limits`, 'readelf is not installed');
  if (isForThisMachine(target)) check(`${file} loads`, problemOfLoading(path));
  else skip(`${file} loads`, 'it is for another machine');
}

const expected = new Set(targets.map(fileOf));
const strays = readdirSync(prebuilds, { recursive: true })
  .filter((file) => statSync(join(prebuilds, file)).isFile())
  .filter((file) => file !== 'stamp.json' && !expected.has(file));
check('prebuilds/ contains no other files', strays.length === 0 ? undefined : strays.join(', '));

if (hasReadelf()) {
  if (report) writeBinaries();
  check(
    'docs/support.md has their requirements',
    areBinariesDocumented() ? undefined : 'npm run check:prebuilds -- --report',
  );
}

console.log(`prebuilds: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 ? 1 : 0);

function isForThisMachine({ platform, arch, libc }) {
  const own = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  return platform === process.platform && arch === process.arch && libc === own;
}

/** In a separate process, because a crash would end this one, and through node-gyp-build, which chooses by the names. */
function problemOfLoading(path) {
  const script = `
    const build = require('node-gyp-build');
    if (build.path(process.cwd()) !== ${JSON.stringify(path)}) throw new Error('another file was chosen: ' + build.path());
    const addon = build(process.cwd());
    if (typeof addon.Connection !== 'function' || addon.closeFd(-1) !== -9) throw new Error('it is not whole');`;
  const env = { ...process.env, PREBUILDS_ONLY: '1', BUSBAR_PREBUILD: '' };
  const { status, stderr, signal } = spawnSync(process.execPath, ['-e', script], { cwd: root, env, encoding: 'utf8' });
  return status === 0 ? undefined : `${signal ?? `exit ${status}`}\n${stderr}`;
}
