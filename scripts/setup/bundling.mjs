import { root } from './report.mjs';

/**
 * Makes one module of many, for Node.js, Bun and Deno; paths are relative to the project. By rolldown, which leaves
 * `const` at the top of a module as it is: where esbuild makes it `var`, the compilers know less.
 */
export async function bundle(input, file) {
  await rolldown({ input, output: { ...format, file } });
}

/** The files that a module is made of, by their absolute paths. */
export async function modulesOf(input) {
  const { output } = await rolldown({ input, output: format, write: false });
  return output.flatMap(({ moduleIds = [] }) => moduleIds);
}

/** Comments are in the declarations. */
const format = { format: 'esm', comments: false };

async function rolldown(options) {
  const { build } = await import('rolldown');
  return build({
    ...{ cwd: root, platform: 'node', external: /^node-gyp-build/, transform: { target: 'es2022' }, logLevel: 'warn' },
    ...options,
  });
}
