/** The addon's binary for this machine, built from the present sources: the committed one, or one that is built here. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { readStamp, sourcesHash } from '../prebuilds/stamp.mjs';
import { fileOf, targets } from '../prebuilds/targets.mjs';
import { printStep, root, runQuietly, SetupError } from './report.mjs';
import { hasProgram } from './system-packages.mjs';

/** node-gyp-build prefers this file to the committed binaries. */
const built = join(root, 'build', 'Release', 'busbar.node');
/** The hash of the sources from which the local binary was built. */
const builtFrom = join(root, 'build', 'Release', 'busbar.sources');

/** Whether the committed binary of this machine was built from the present `native/`. */
export function isNativeUnchanged() {
  const target = ownTarget();
  return target !== undefined && readStamp()[fileOf(target)] === sourcesHash(target);
}

/**
 * Makes sure that the loaded binary was built from the present sources. Most machines need no compiler for it: a committed
 * binary fits. If the sources have changed, or no binary fits, the addon is built.
 *
 * @throws {SetupError} if there is no compiler, or the build fails
 */
export function prepareAddon() {
  const hash = sourcesHash({});
  if (existsSync(built)) {
    if (existsSync(builtFrom) && readFileSync(builtFrom, 'utf8') === hash && loads()) return;
    printStep('removing build/Release/busbar.node (native/ has changed since it was built)');
    rmSync(built);
  }
  if (isNativeUnchanged() && loads()) return;
  printStep(
    `building the addon (${loads() ? 'native/ has changed' : `no binary for ${process.platform}-${process.arch}`})`,
  );
  buildAddon();
  if (!loads()) throw new SetupError('The addon was built, but it does not load on this machine.');
}

/** Builds the addon, whether it is needed or not; unchanged files are not compiled again. */
export function buildAddon() {
  const hash = sourcesHash({});
  const missing = [
    ['a C++20 compiler', ['c++', 'g++', 'clang++']],
    ['CMake', ['cmake']],
    ['make or ninja', ['make', 'ninja']],
  ].filter(([, programs]) => !programs.some(hasProgram));
  if (missing.length > 0) {
    const names = missing.map(([name]) => name).join(', ');
    throw new SetupError(
      `Building the addon needs ${names}. On Debian:\n\n  sudo apt-get install -y --no-install-recommends g++ make cmake`,
    );
  }
  runQuietly(process.execPath, ['node_modules/cmake-js/bin/cmake-js', 'build', '-B', 'Release']);
  writeFileSync(builtFrom, hash);
}

/** The addon, if one fits this machine. */
export function loadAddon() {
  return loads() ? createRequire(join(root, 'package.json'))('node-gyp-build')(root) : undefined;
}

/** Determined in another process: a loaded file stays the same for a process, even if it is built again. */
function loads() {
  const code = `process.exit(require('node-gyp-build')(process.cwd()).seamVersion === ${seamVersion()} ? 0 : 1)`;
  return spawnSync(process.execPath, ['--eval', code], { cwd: root, stdio: 'ignore' }).status === 0;
}

/** The version that the addon reports must be the one that these sources expect. */
function seamVersion() {
  const header = readFileSync(join(root, 'native/seam_version.h'), 'utf8');
  return Number(/kSeamVersion = (\d+)/.exec(header)[1]);
}

function ownTarget() {
  const libc = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  return targets.find((one) => one.platform === process.platform && one.arch === process.arch && one.libc === libc);
}
