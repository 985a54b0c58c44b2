/** The compiled library in dist/, and a binary of the addon: the committed prebuild, or one built here. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bundle } from './bundling.mjs';
import { root, runQuietly, SetupError, say } from './report.mjs';

const library = 'dist/index.js';

/**
 * Makes dist/ of src/, unless that is newer: declarations file by file, and one module of all code, because Node.js takes
 * longer to find a hundred and twenty files than for all that a short program does. A failure leaves what was there, for
 * whoever uses it at this moment.
 */
export async function buildLibrary() {
  const reason = whyStale();
  if (reason === undefined) return;
  say(`building dist (${reason})`);
  const compiler = 'node_modules/typescript/bin/tsc';
  runQuietly(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noEmitOnError']);
  for (const output of orphans()) rmSync(join(root, output));
  await bundle('src/index.ts', library);
}

function whyStale() {
  if (!existsSync(join(root, library))) return 'there is none';
  const inputs = ['tsconfig.json', 'tsconfig.build.json', ...sources()];
  const changed = inputs.find((input) => modified(input) > modified(library));
  if (changed !== undefined) return `${changed} changed`;
  const [orphan] = orphans();
  return orphan === undefined ? undefined : `${orphan} has lost its source`;
}

function sources() {
  return filesBelow('src').filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'));
}

/** Every file in dist/ that no source makes any more. */
function orphans() {
  const made = new Set(sources().map(declarationsOf));
  return filesBelow('dist').filter((path) => !made.has(path) && path !== library);
}

function declarationsOf(source) {
  return source.replace(/^src/, 'dist').replace(/\.ts$/, '.d.ts');
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
  if (loadAddon() !== undefined) return;
  say(`building the addon: there is no binary for ${process.platform}-${process.arch}`);
  try {
    runQuietly(process.execPath, ['node_modules/cmake-js/bin/cmake-js', 'build', '-B', 'Release']);
  } catch (error) {
    throw new SetupError(`Building the addon needs a C++20 compiler, make and cmake.\n\n${error.message}`);
  }
  if (loadAddon() === undefined) throw new SetupError('The addon was built, but does not load on this machine.');
}

/** The addon, where one fits this machine. */
export function loadAddon() {
  try {
    return createRequire(join(root, 'package.json'))('node-gyp-build')(root);
  } catch {
    return undefined;
  }
}
