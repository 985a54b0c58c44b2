/**
 * `npm run prebuild`: builds the binaries that the package ships. Run once for each finished change of native code.
 *
 * prebuildify builds through the cmake-js stand-in, in a separate folder for each target: it takes the files in
 * `build/Release` below its working folder, and moves them.
 */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readOptions, refuse } from './options.mjs';
import { writeBinaries } from './prebuilds/inspection.mjs';
import { sourcesHash, writeStamp } from './prebuilds/stamp.mjs';
import { fileOf, targets } from './prebuilds/targets.mjs';
import { installZig } from './prebuilds/zig.mjs';
import { root } from './setup/report.mjs';
import { program, requirePackages } from './setup/system-packages.mjs';
import { runSetup } from './setup.mjs';

const prebuildify = promisify(createRequire(import.meta.url)('prebuildify'));

const USAGE = `Usage: npm run prebuild -- [files]

  builds the binaries that the package ships, or only these files:
  ${targets.map(fileOf).join(', ')}

  --help      prints this text`;

const { words: wanted } = readOptions(USAGE, {}, true);
const unknown = wanted.filter((file) => !targets.some((target) => fileOf(target) === file));
if (unknown.length > 0)
  refuse(`There is no binary ${unknown.join(', ')}; there are ${targets.map(fileOf).join(', ')}.`);

const chosen = targets.filter((target) => wanted.length === 0 || wanted.includes(fileOf(target)));
const tools = chosen.flatMap(({ tools }) => Object.entries(tools));
await runSetup(
  () => requirePackages(tools.map(([name, debian]) => program(name, debian))),
  () => chosen.some(({ zig }) => zig) && Object.assign(process.env, installZig()),
);
for (const target of chosen) await build(target);
writeBinaries();

async function build(target) {
  const file = fileOf(target);
  console.log(`prebuild: ${file}`);
  const cwd = join(root, 'build', 'prebuild', `${target.platform}-${target.arch}-${target.libc}`);
  mkdirSync(cwd, { recursive: true });
  // Computed before the build: a source that changes during the build makes the binary stale.
  const hash = sourcesHash(target);
  if (target.toolchain === undefined) delete process.env.BUSBAR_TOOLCHAIN;
  else process.env.BUSBAR_TOOLCHAIN = join(root, target.toolchain);
  await prebuildify({
    ...{ cwd, out: root, name: 'busbar', napi: true, targets: [] },
    ...{ platform: target.platform, arch: target.arch, libc: target.libc, tagLibc: true },
    ...{ strip: true, stripBin: target.strip, nodeGyp: join(root, 'scripts', 'prebuilds', 'node-gyp-stand-in.mjs') },
  });
  writeStamp(file, hash);
}
