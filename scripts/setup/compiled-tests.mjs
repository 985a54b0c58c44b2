/**
 * The tests as JavaScript, with the sources and examples that they import, file by file, in build/tests. The
 * commands that run suites run these files: a process of them starts in a third of the time that one needs which compiles
 * its files itself, and there are hundreds of them. Bun and Deno cannot run the sources at all.
 *
 * Traces name the sources, by their maps. The folder looks like the package's own: it has the same name, `busbar` is its
 * `src/index.js`, `busbar/current-call` its `src/current-call.js`, and the addon is beside it.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root, SetupError } from './report.mjs';

const folder = join(root, 'build', 'tests');

/** Types are tested by the compiler, and each compiler has its own way with the dialects of decorators. */
const excluded = /^test\/(types\/|dialects\/(standard|legacy)\.ts)/;
const compiledFolders = ['src', 'test', 'examples', 'packages'];
const linked = ['build', 'prebuilds', 'scripts'];
const manifest = {
  name: 'busbar',
  private: true,
  type: 'module',
  exports: { '.': './src/index.js', './current-call': './src/current-call.js' },
};

/** Arguments of Node.js for compiled files. */
export const compiledArguments = ['--enable-source-maps', '--expose-gc'];

/** The compiled form of a file, both relative to the project. */
export function compiledPath(file) {
  return join(relative(root, folder), file.replace(/\.ts$/, '.js'));
}

/**
 * Compiles all files, in about a second. Files that stay the same are left alone, and the others replaced in one step:
 * another run may be reading them.
 */
export async function compileTests() {
  mkdirSync(folder, { recursive: true });
  for (const name of linked) if (!existsSync(join(folder, name))) symlinkSync(join(root, name), join(folder, name));
  const files = new Map([[join(folder, 'package.json'), Buffer.from(JSON.stringify(manifest))]]);
  for (const { path, contents } of await compiledFiles()) files.set(path, contents);
  for (const [path, contents] of files) replace(path, contents);
  // Outputs whose source was removed must not run.
  for (const name of compiledFolders) {
    for (const path of filesBelow(join(folder, name))) if (!files.has(path)) rmSync(path);
  }
}

async function compiledFiles() {
  const { build } = await import('esbuild');
  try {
    const { outputFiles } = await build({
      entryPoints: compiledFolders.flatMap((name) => filesBelow(join(root, name))).filter(isCompiled),
      absWorkingDir: root,
      outbase: '.',
      outdir: folder,
      write: false,
      format: 'esm',
      platform: 'node',
      // Decorators and `using` become code that every runtime has.
      target: 'es2022',
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'silent',
    });
    return outputFiles;
  } catch (error) {
    throw new SetupError(`The tests do not compile: ${error.message}`);
  }
}

function isCompiled(path) {
  return /(?<!\.d)\.ts$/.test(path) && !excluded.test(relative(root, path));
}

function replace(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

function filesBelow(path) {
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
