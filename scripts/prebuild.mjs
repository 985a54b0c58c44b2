/**
 * Builds the binaries that the package ships: `node scripts/prebuild.mjs [FILE …]`, for instance
 * `linux-x64/busbar.glibc.node`; all of them without arguments. Done once for each finished change of native code.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeBinaries } from './prebuilds/inspection.mjs';
import { sourcesHash, writeStamp } from './prebuilds/stamp.mjs';
import { fileOf, targets } from './prebuilds/targets.mjs';
import { installZig } from './prebuilds/zig.mjs';
import { root, runQuietly } from './setup/report.mjs';
import { program, requirePackages } from './setup/system-packages.mjs';
import { orExplain } from './setup.mjs';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((file) => !targets.some((target) => fileOf(target) === file));
if (unknown.length > 0) {
  console.error(`No such target: ${unknown.join(', ')}\nThere are: ${targets.map(fileOf).join(', ')}`);
  process.exit(1);
}

const chosen = targets.filter((target) => wanted.length === 0 || wanted.includes(fileOf(target)));
const tools = chosen.flatMap(({ tools }) => Object.entries(tools));
await orExplain(
  () => requirePackages(tools.map(([name, debian]) => program(name, debian))),
  () => chosen.some(({ zig }) => zig) && Object.assign(process.env, installZig()),
  () => chosen.forEach(build),
);
writeBinaries();

function build(target) {
  const file = fileOf(target);
  console.log(`prebuild: ${file}`);
  const folder = join(root, 'build', 'prebuild', `${target.platform}-${target.arch}-${target.libc}`);
  // Taken before: a source that changes during the build makes the binary stale.
  const hash = sourcesHash(target);
  // From scratch: a configured folder would keep its compiler, whatever the toolchain says now.
  const args = ['rebuild', '-d', root, '-O', folder, '-B', 'Release', '-a', target.arch];
  if (target.toolchain !== undefined) args.push(`--CDCMAKE_TOOLCHAIN_FILE=${join(root, target.toolchain)}`);
  runQuietly(process.execPath, [join(root, 'node_modules/cmake-js/bin/cmake-js'), ...args]);
  const built = join(folder, 'Release', 'busbar.node');
  runQuietly(target.strip, [built, '--strip-all']);
  mkdirSync(dirname(join(root, 'prebuilds', file)), { recursive: true });
  copyFileSync(built, join(root, 'prebuilds', file));
  writeStamp(file, hash);
}
