/** Projects in which the package is found as an installed one, by its package.json. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/report.mjs';

/**
 * Makes a project.
 *
 * @param folder a new one below the checkout, so that the compiler finds the other installed packages
 * @param files sources by name
 * @param compilerOptions the options of the project besides the usual ones
 * @returns its configuration
 */
export function installedProject(folder, files, compilerOptions = {}) {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  symlinkSync(root, join(folder, 'node_modules/busbar'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const usual = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    types: [],
    noEmit: true,
  };
  const options = { ...usual, skipLibCheck: true, ...compilerOptions };
  const project = join(folder, 'tsconfig.json');
  writeFileSync(project, JSON.stringify({ compilerOptions: options, files: Object.keys(files) }));
  return project;
}
