/** What comes along with busbar: the packages of its dependencies, those in its module, and those in its binaries. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { modulesOf } from '../setup/bundling.mjs';
import { root } from '../setup/report.mjs';

/** The names of all packages that an installed busbar brings with it, by the lock file. */
export function runtimeDependencies() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, { dev, optional, link }]) => path.startsWith('node_modules/') && !dev && !optional && !link)
    .map(([path]) => path.slice('node_modules/'.length));
}

/** The names of the packages that are parts of the library's module. */
export async function bundledIn() {
  const modules = await modulesOf('src/index.ts');
  const names = modules.map((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

/** Packages whose headers are compiled in. */
export const compiledIn = ['node-addon-api', 'node-api-headers'];
