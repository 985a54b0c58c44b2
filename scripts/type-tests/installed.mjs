/** Projects in which the package is found as it is where it is installed, by what its package.json says of it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../setup/report.mjs';

/**
 * Makes a project.
 *
 * @param folder a new one below the checkout, for the compiler to find what else is installed
 * @param files sources by name
 * @param compilerOptions what the project needs besides what is usual
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

/** What a compiler says, run in a folder. @param compiler its package.json */
export function compilerOutput(compiler, cwd, ...args) {
  const tsc = join(dirname(compiler), 'bin/tsc');
  return spawnSync(process.execPath, [tsc, '--pretty', 'false', ...args], { cwd, encoding: 'utf8' }).stdout;
}

/** The version of a compiler. @param compiler its package.json */
export function versionOf(compiler) {
  return JSON.parse(readFileSync(compiler, 'utf8')).version;
}
