import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './report.mjs';

/**
 * Makes one module of many, for Node.js, Bun and Deno; paths are relative to the project. With rolldown, which keeps
 * `const` at the top of a module: esbuild makes it `var`, about which the compilers know less.
 *
 * @param format `esm` or `cjs`
 */
export async function bundle(input, file, format = 'esm') {
  await rolldown({ input, output: { ...output, ...(format === 'cjs' ? small : {}), format, file } });
}

/** Makes an executable ES module of many, which imports the library from `./index.js` beside it. */
export async function bundleProgram(input, file) {
  const options = { comments: false, minify: true, banner: '#!/usr/bin/env node', format: 'esm', file };
  await rolldown({ input, output: options, plugins: [besideLibrary] });
  chmodSync(join(root, file), 0o755);
}

/** Leaves the library out of a program. */
const besideLibrary = {
  name: 'library beside the program',
  resolveId: (id) => (/^(\.\.\/)+index\.js$/.test(id) ? { id: './index.js', external: true } : undefined),
};

/** The files that are part of a module, by their absolute paths. */
export async function modulesOf(input) {
  const plugins = input === 'src/index.ts' ? [] : [besideLibrary];
  const { output: chunks } = await rolldown({ input, output: { ...output, format: 'esm' }, write: false, plugins });
  return chunks.flatMap(({ moduleIds = [] }) => moduleIds);
}

/**
 * Comments are in the declarations. Lines stay, because Node.js prints the line that threw, and so do the names of
 * functions and classes, which stacks show; names of variables are short. Nothing is rewritten: V8 treats `const` in
 * closures better than `let`.
 */
const names = { toplevel: false, keepNames: true };
const output = { comments: false, minify: { compress: false, mangle: names, codegen: { removeWhitespace: false } } };

/** For code that few programs load: short, but with the names of functions and classes, which stacks show. */
const small = { minify: { compress: true, mangle: names, codegen: { removeWhitespace: true } } };

async function rolldown(options) {
  const { build } = await import('rolldown');
  return build({
    ...{ cwd: root, platform: 'node', external: /^node-gyp-build/, transform: { target: 'es2022' }, logLevel: 'warn' },
    ...options,
  });
}
