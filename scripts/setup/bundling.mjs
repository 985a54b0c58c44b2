import { root } from './report.mjs';

/**
 * Makes one module of many, for Node.js, Bun and Deno; paths are relative to the project. By rolldown, which leaves
 * `const` at the top of a module as it is: where esbuild makes it `var`, the compilers know less.
 */
export async function bundle(input, file) {
  const { build } = await import('rolldown');
  await build({
    ...{ input, cwd: root, platform: 'node', external: /^node-gyp-build/ },
    transform: { target: 'es2022' },
    // The sources are in the package, and comments in the declarations.
    output: { file, format: 'esm', sourcemap: true, sourcemapExcludeSources: true, comments: false },
    logLevel: 'warn',
  });
}
