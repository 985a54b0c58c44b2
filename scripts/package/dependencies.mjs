/** What comes along with busbar: the packages of its dependencies, and those that are compiled into its binaries. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/report.mjs';

/** The names of all packages that an installed busbar brings with it, by the lock file. */
export function runtimeDependencies() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, { dev, optional, link }]) => path.startsWith('node_modules/') && !dev && !optional && !link)
    .map(([path]) => path.slice('node_modules/'.length));
}

/** Packages whose headers are compiled in. */
export const compiledIn = ['node-addon-api', 'node-api-headers'];
