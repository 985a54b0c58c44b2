/**
 * The package as npm would publish it, and its dependencies at run time, as tarballs in a folder. Nothing is built for
 * them: `dist/` has to exist.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeDependencies } from './notices.mjs';
import { root, SetupError } from './setup/report.mjs';

/** Packs busbar alone; returns npm's description of the tarball. */
export function packBusbar(folder) {
  return pack(folder, ['.'])[0];
}

/** Packs busbar and all its dependencies, from where they are installed. */
export function packWithDependencies(folder) {
  return pack(folder, ['.', ...runtimeDependencies().map((name) => `./node_modules/${name}`)]);
}

function pack(folder, packages) {
  mkdirSync(folder, { recursive: true });
  const args = ['pack', ...packages, '--ignore-scripts', '--json', '--pack-destination', folder];
  const { status, stdout, stderr, error } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0) throw new SetupError(`npm could not pack ${packages.join(', ')}: ${error?.message ?? stderr}`);
  // An array of them, or from npm 12 on an object by their names.
  return Object.values(JSON.parse(stdout)).map((tarball) => ({ ...tarball, path: join(folder, tarball.filename) }));
}
