import { commonModule } from './common-module.mjs';
import { root } from './report.mjs';
import { shortLines } from './short-lines.mjs';

/**
 * Makes one ES module of many, for Node.js, Bun and Deno, and returns its text and the names that it exports. With
 * rolldown, which keeps `const` at the top of a module: esbuild makes it `var`, about which the compilers know less.
 *
 * @param input its path in the project
 */
export async function bundle(input) {
  const [{ code, exports }] = await rolldown(input);
  return { text: await shortLines(await shortened(code)), exports };
}

/** The same as a CommonJS module. Names in `hidden` are exported, but not enumerable. */
export async function bundleCommon(input, hidden = []) {
  const { text, exports } = await bundle(input);
  return { text: await commonModule(text, hidden), exports: exports.filter((name) => !hidden.includes(name)) };
}

/** The text of an executable ES module of many, which imports the library from `./index.js` beside it. */
export async function bundleProgram(input) {
  const [{ code }] = await rolldown(input, { minify: true, plugins: [besideLibrary] });
  return `#!/usr/bin/env node\n${await shortLines(code)}`;
}

/** Leaves the library out of a program. */
const besideLibrary = {
  name: 'library beside the program',
  resolveId: (id) => (/^(\.\.\/)+index\.js$/.test(id) ? { id: './index.js', external: true } : undefined),
};

/** The files that are part of a module, by their absolute paths. */
export async function modulesOf(input) {
  const chunks = await rolldown(input, { plugins: input === 'src/index.ts' ? [] : [besideLibrary] });
  return chunks.flatMap(({ moduleIds = [] }) => moduleIds);
}

/**
 * The same code in less text. Comments are in the declarations. Names of variables are short, and those of functions and
 * classes stay, because stacks show them. esbuild shortens statements and leaves `const`, which V8 treats better than `let`
 * in closures: oxc's own compression makes `let` of it. V8 keeps code of ASCII in half the memory, and there are other
 * characters only in literals, where they can be escaped.
 */
async function shortened(code) {
  const { transform } = await import('esbuild');
  const { minify } = await import('rolldown/utils');
  const statements = await transform(code, { minifySyntax: true, target: 'es2022', charset: 'utf8' });
  const result = await minify('module.mjs', statements.code, {
    ...{ module: true, compress: false, mangle: { toplevel: true, keepNames: true } },
    codegen: { removeWhitespace: true },
  });
  return result.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function rolldown(input, { minify = false, plugins = [] } = {}) {
  const { build } = await import('rolldown');
  const { output } = await build({
    ...{ input, plugins, cwd: root, platform: 'node', external: /^node-gyp-build/, transform: { target: 'es2022' } },
    ...{ output: { format: 'esm', comments: false, minify }, write: false, logLevel: 'warn' },
  });
  return output;
}
