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

/** The files that are part of a module, by their absolute paths. */
export async function modulesOf(input) {
  const { output: chunks } = await rolldown({ input, output: { ...output, format: 'esm' }, write: false });
  return chunks.flatMap(({ moduleIds = [] }) => moduleIds);
}

/** Comments are in the declarations. */
const output = { comments: false };

/** For code that few programs load: short, but with the names of functions and classes, which stacks show. */
const small = { minify: { compress: true, mangle: { toplevel: false }, codegen: { removeWhitespace: true } } };

async function rolldown(options) {
  const { build } = await import('rolldown');
  return build({
    ...{ cwd: root, platform: 'node', external: /^node-gyp-build/, transform: { target: 'es2022' }, logLevel: 'warn' },
    ...options,
  });
}
