/** The compiled library in dist/, and a binary of the addon: the committed prebuild, or one built here. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bundle } from './bundling.mjs';
import { buildDeclarations } from './declarations.mjs';
import { root, runQuietly, SetupError, say } from './report.mjs';

const library = 'dist/index.js';
/** Everything in dist/; the library is made last, so that it is newer than the others. */
const outputs = ['dist/index.d.cts', 'dist/index.d.ts', 'dist/index.cjs', library];

/** What is made differently when these change. */
const makers = ['scripts/setup/bundling.mjs', 'scripts/setup/declarations.mjs'];

/**
 * Makes dist/ of src/, unless that is newer: declarations in one file, and one module of all code, because Node.js takes
 * longer to find a hundred and twenty files than for all that a short program does. A second module is CommonJS, for what
 * cannot `require` an ES module. A failure leaves what was there, for whoever uses it at this moment.
 */
export async function buildLibrary() {
  const reason = whyStale();
  if (reason === undefined) return;
  say(`building dist (${reason})`);
  mkdirSync(join(root, 'dist'), { recursive: true });
  await buildDeclarations();
  for (const output of orphans()) rmSync(join(root, output));
  await bundle('src/index.ts', 'dist/index.cjs', 'cjs');
  await bundle('src/index.ts', library, 'esm');
}

function whyStale() {
  const missing = outputs.find((output) => !existsSync(join(root, output)));
  if (missing !== undefined) return `there is no ${missing}`;
  const inputs = ['tsconfig.json', 'tsconfig.build.json', ...makers, ...sources()];
  const changed = inputs.find((input) => modified(input) > modified(library));
  if (changed !== undefined) return `${changed} changed`;
  const [orphan] = orphans();
  return orphan === undefined ? undefined : `${orphan} belongs to nothing any more`;
}

function sources() {
  return filesBelow('src').filter((path) => path.endsWith('.ts'));
}

/** Every file in dist/ that is not made any more. */
function orphans() {
  return filesBelow('dist').filter((path) => !outputs.includes(path));
}

function modified(path) {
  return statSync(join(root, path)).mtimeMs;
}

function filesBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** Builds the addon where no prebuild fits this machine. Most machines have one and need no compiler. */
export function buildAddon() {
  if (addonFits()) return;
  say(`building the addon: there is none of this version for ${process.platform}-${process.arch}`);
  try {
    runQuietly(process.execPath, ['node_modules/cmake-js/bin/cmake-js', 'build', '-B', 'Release']);
  } catch (error) {
    throw new SetupError(`Building the addon needs a C++20 compiler, make and cmake.\n\n${error.message}`);
  }
  if (!addonFits()) throw new SetupError('The addon was built, but does not load on this machine.');
}

/** The addon, where one fits this machine and these sources. */
export function loadAddon() {
  return addonFits() ? createRequire(join(root, 'package.json'))('node-gyp-build')(root) : undefined;
}

/** Found out in another process: a file that was loaded once is the same one for this process, also when it is built anew. */
function addonFits() {
  const code = `process.exit(require('node-gyp-build')(process.cwd()).seamVersion === ${seamVersion()} ? 0 : 1)`;
  return spawnSync(process.execPath, ['--eval', code], { cwd: root, stdio: 'ignore' }).status === 0;
}

/** What the addon has to say of itself: one that was built here before may be of other sources. */
function seamVersion() {
  const header = readFileSync(join(root, 'native/seam_version.h'), 'utf8');
  return Number(/kSeamVersion = (\d+)/.exec(header)[1]);
}
