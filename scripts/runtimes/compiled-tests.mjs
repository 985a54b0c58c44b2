/**
 * The tests and the library as JavaScript, file by file, for runtimes that cannot run the sources. The folder looks like
 * the project's root to them: files that are not compiled are linked.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../setup/report.mjs';
import { runtimesFolder } from '../setup/runtime-packages.mjs';

export const compiledFolder = join(runtimesFolder, 'compiled');

const linked = ['node_modules', 'build', 'prebuilds', 'examples', 'scripts', 'dist', 'package.json'];

export async function compileTests() {
  // Outputs whose source was removed must not run.
  for (const folder of ['src', 'test']) rmSync(join(compiledFolder, folder), { recursive: true, force: true });
  mkdirSync(compiledFolder, { recursive: true });
  for (const name of linked) {
    if (!existsSync(join(compiledFolder, name))) symlinkSync(join(root, name), join(compiledFolder, name));
  }
  // What tests look for beside the project.
  const [shared, link] = [join(root, '..', 'shared'), join(runtimesFolder, 'shared')];
  if (existsSync(shared) && !existsSync(link)) symlinkSync(shared, link);
  // Some tests read the sources.
  cpSync(join(root, 'src'), join(compiledFolder, 'src'), { recursive: true });
  await build({
    entryPoints: ['src', 'test'].flatMap(sources),
    absWorkingDir: root,
    outbase: '.',
    outdir: compiledFolder,
    format: 'esm',
    platform: 'node',
    // Decorators and `using` are compiled to code that every runtime has.
    target: 'es2022',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
}

function sources(folder) {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  // Type tests are for the compiler, and dialects for the compilers in their names.
  return files
    .filter((file) => /(?<!\.d)\.ts$/.test(file) && !/^(types|dialects)\//.test(file))
    .map((f) => join(folder, f));
}
