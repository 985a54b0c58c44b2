/** The compiled library in dist/. */
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archive } from './addon-sources.mjs';
import { bundleCommon, bundleProgram } from './bundling.mjs';
import { buildDeclarations } from './declarations.mjs';
import { printStep, root } from './report.mjs';

const declarations = ['dist/index.d.cts', 'dist/index.d.ts', 'dist/current-call.d.cts', 'dist/current-call.d.ts'];

/** The modules in dist/, by their files, each with a function that makes its text. The last one is newer than the others. */
const modules = {
  'dist/current-call.cjs': async () => (await bundleCommon('src/current-call.ts')).text,
  'dist/current-call.js': () => "export { currentCall } from './current-call.cjs';\n",
  'dist/cli.js': () => bundleProgram('src/cli/main.ts'),
  'dist/load.cjs': () => LOADING,
  'dist/index.cjs': async () => (await library()).text,
  'dist/index.js': async () => wrapper((await library()).exports),
};
const newest = 'dist/index.js';
const outputs = [...declarations, ...Object.keys(modules)];

/** Further files that affect the result. */
const makers = ['bundling', 'common-module', 'declarations', 'library', 'short-lines', 'syntax'].map(
  (name) => `scripts/setup/${name}.mjs`,
);

/**
 * Makes dist/ from src/, unless dist/ is newer: declarations in one file, and one module of all code, because Node.js takes
 * longer to find a hundred and twenty files than to run a short program. It is CommonJS, so that every program gets the same
 * classes, whether it uses `import` or `require`. `busbar/current-call` is a small module beside it: importing it has an
 * effect. After a failure the previous files remain: a running program may use them.
 */
export async function buildLibrary() {
  const reason = whyStale();
  if (reason === undefined) return;
  printStep(`building dist (${reason})`);
  mkdirSync(join(root, 'dist'), { recursive: true });
  await buildDeclarations();
  for (const output of orphans()) rmSync(join(root, output));
  for (const [file, text] of Object.entries(modules)) writeFileSync(join(root, file), await text());
  chmodSync(join(root, 'dist/cli.js'), 0o755);
}

let made;
/** The library as CommonJS. `setModuleUrl` is for the ES module only. */
const library = () => (made ??= bundleCommon('src/module.ts', [SET_URL]));
const SET_URL = 'setModuleUrl';

/**
 * If an ES module imports a CommonJS module, Node.js searches its text for names of exports, which takes longer than to run
 * the library. So the ES module imports this one.
 */
const LOADING = `'use strict';
const library = require('./index.cjs');
module.exports = library;
`;

/** The ES module: it exports what the CommonJS module exports. */
const wrapper = (names) => `import library from './load.cjs';
library.${SET_URL}(import.meta.url);
export const {
  ${names.join(',\n  ')},
} = library;
`;

function whyStale() {
  const missing = outputs.find((output) => !existsSync(join(root, output)));
  if (missing !== undefined) return `there is no ${missing}`;
  const inputs = ['tsconfig.json', 'tsconfig.build.json', ...makers, ...sources()];
  const changed = inputs.find((input) => modified(input) > modified(newest));
  if (changed !== undefined) return `${changed} changed`;
  const [orphan] = orphans();
  return orphan === undefined ? undefined : `${orphan} is obsolete`;
}

function sources() {
  return filesBelow('src').filter((path) => path.endsWith('.ts'));
}

/** Every file in dist/ that is not made any more. */
function orphans() {
  return filesBelow('dist').filter((path) => path !== archive && !outputs.includes(path));
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
