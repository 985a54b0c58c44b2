/** Projects in which the package is found as an installed one, by its package.json. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../setup/report.mjs';

/**
 * Makes a project.
 *
 * @param folder a new one below the checkout, so that the compiler finds the other installed packages
 * @param files sources by name
 * @param compilerOptions the options of the project besides the usual ones
 */
export function installedProject(folder, files, compilerOptions = {}) {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  symlinkSync(root, join(folder, 'node_modules/busbar'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const usual = { target: 'es2022', module: 'nodenext', strict: true, exactOptionalPropertyTypes: true, types: [] };
  const options = { ...usual, skipLibCheck: true, ...compilerOptions };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: Object.keys(files) }));
}

/** The output of a compiler, run in a folder. @param compiler its package.json */
export function compilerOutput(compiler, cwd, ...args) {
  const tsc = join(dirname(compiler), 'bin/tsc');
  return spawnSync(process.execPath, [tsc, '--pretty', 'false', ...args], { cwd, encoding: 'utf8' }).stdout;
}

/** The version of a compiler. @param compiler its package.json */
export function versionOf(compiler) {
  return JSON.parse(readFileSync(compiler, 'utf8')).version;
}
