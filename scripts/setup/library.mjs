/** The compiled library in dist/. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, bundleProgram } from './bundling.mjs';
import { buildDeclarations } from './declarations.mjs';
import { printStep, root } from './report.mjs';

const library = 'dist/index.js';
/** Everything in dist/; the library is made last, so that it is newer than the others. */
const outputs = [
  ...['dist/index.d.cts', 'dist/index.d.ts', 'dist/current-call.d.cts', 'dist/current-call.d.ts'],
  ...['dist/current-call.cjs', 'dist/current-call.js', 'dist/index.cjs', library],
];

/** Further files that affect the result. */
const makers = ['scripts/setup/bundling.mjs', 'scripts/setup/declarations.mjs'];

/**
 * Makes dist/ from src/, unless dist/ is newer: declarations in one file, and one module of all code, because Node.js takes
 * longer to find a hundred and twenty files than to run a short program. A second module is CommonJS, for code that cannot
 * `require` an ES module. `busbar/current-call` is a small module beside them: importing it has an effect. After a failure the previous files remain: a running program may use them.
 */
export async function buildLibrary() {
  const reason = whyStale();
  if (reason === undefined) return;
  printStep(`building dist (${reason})`);
  mkdirSync(join(root, 'dist'), { recursive: true });
  await buildDeclarations();
  for (const output of orphans()) rmSync(join(root, output));
  await bundle('src/current-call.ts', 'dist/current-call.cjs', 'cjs');
  await bundle('src/current-call.ts', 'dist/current-call.js', 'esm');
  await bundleProgram('src/cli/main.ts', 'dist/cli.js');
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
  return orphan === undefined ? undefined : `${orphan} is obsolete`;
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
