/**
 * Checks every binary that the package ships: it is there, is not stale, keeps to the limits of `prebuilds/targets.mjs`,
 * and loads if it is for this machine.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasReadelf, inspect } from './prebuilds/elf.mjs';
import { readStamp, sourcesHash } from './prebuilds/stamp.mjs';
import { fileOf, floors, limits, targets } from './prebuilds/targets.mjs';
import { root } from './setup/report.mjs';

const prebuilds = join(root, 'prebuilds');
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

const stamp = readStamp();
const hash = sourcesHash();

for (const target of targets) {
  const file = fileOf(target);
  const path = join(prebuilds, file);
  if (!existsSync(path)) {
    check(`${file} is there`, 'run npm run prebuild');
    continue;
  }
  check(`${file} is not stale`, stamp[file] === hash ? undefined : 'native/ has changed; run npm run prebuild');
  if (hasReadelf()) checkElf(file, path, target);
  else skip(`${file} keeps to the limits`, 'readelf is not installed');
  if (isForThisMachine(target)) check(`${file} loads`, problemOfLoading(path));
  else skip(`${file} loads`, 'it is for another machine');
}

const expected = new Set(targets.map(fileOf));
const strays = readdirSync(prebuilds, { recursive: true })
  .filter((file) => statSync(join(prebuilds, file)).isFile())
  .filter((file) => file !== 'stamp.json' && !expected.has(file));
check('prebuilds/ holds nothing else', strays.length === 0 ? undefined : strays.join(', '));

console.log(`prebuilds: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 ? 1 : 0);

function checkElf(file, path, target) {
  const elf = inspect(path);
  const unexpected = (values) => (values.length === 0 ? undefined : values.join(', '));
  const size = Math.max(elf.loaded, statSync(path).size - (target.hole ?? 0));
  check(`${file} is small`, size <= limits.bytes ? undefined : `${size} bytes of at most ${limits.bytes}`);
  check(`${file} is stripped`, elf.hasSymbolTable ? 'it has a symbol table' : undefined);
  check(`${file} is for its machine`, elf.machine === target.machine ? undefined : elf.machine);
  const floor = floors[target.libc];
  check(`${file} needs common libraries only`, unexpected(elf.needed.filter((name) => !floor.needed.test(name))));
  check(`${file} has no search path`, unexpected(elf.searchPaths));
  check(
    `${file} exports Node-API's entry points only`,
    elf.exported.join() === limits.exported.join() ? undefined : elf.exported.join(', '),
  );
  const tooNew = elf.versions.filter(([family, version]) => isNewer(version, floor.versions[family]));
  check(`${file} runs on old systems`, unexpected(tooNew.map(([family, version]) => `${family}_${version.join('.')}`)));
}

/** Whether a version is above the limit. A family without a limit is not expected at all. */
function isNewer(version, limit) {
  if (limit === undefined) return true;
  for (let i = 0; i < Math.max(version.length, limit.length); i++) {
    const difference = (version[i] ?? 0) - (limit[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function isForThisMachine({ platform, arch, libc }) {
  const own = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  return platform === process.platform && arch === process.arch && libc === own;
}

/** In a process of its own, which would not survive a crash, and through node-gyp-build as users load it. */
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
