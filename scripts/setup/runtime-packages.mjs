/**
 * JavaScript runtimes from npm, and a compiler, as packages that contain little but the executable. They are installed
 * below build/runtimes/, each in a separate folder, so that they are not in the project's dependencies and its lock file.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printStep, root, SetupError } from './report.mjs';

/** The folder of files for other runtimes. */
export const runtimesFolder = join(root, 'build', 'runtimes');

/**
 * Installs a package unless it is there, and returns the path of its executable. Throws a `SetupError` if it cannot.
 *
 * @param what an npm package: the `executable` in it; whether it is `foreign`, which is for another machine than this one;
 * and its `integrity`, if it affects published files and must be known to the byte
 */
export function installRuntime({ name, version, executable, foreign = false, integrity }) {
  const folder = join(runtimesFolder, `${name.replace(/[@/]/g, '-').replace(/^-/, '')}-${version}`);
  const path = join(folder, 'node_modules', name, executable);
  if (existsSync(path)) return path;
  printStep(`npm install ${name} ${version} in ${folder.slice(root.length + 1)}`);
  mkdirSync(folder, { recursive: true });
  const project = { private: true, dependencies: { [name]: version } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(project));
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts'];
  // npm can be told another processor, but not another C library.
  if (foreign) args.push('--force');
  if (integrity === undefined) args.push('--no-package-lock');
  else writeFileSync(join(folder, 'package-lock.json'), lockFile(project, { version, integrity }));
  const { status, stderr, error } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new SetupError(`npm could not install ${name}: ${error?.message ?? reasonOf(stderr)}`);
  if (!existsSync(path)) throw new SetupError(`${name} ${version} has no ${executable}`);
  return path;
}

/**
 * Installs a tool with the packages that it needs, unless it is there, and returns its `node_modules`. Throws a
 * `SetupError` if it cannot.
 *
 * @param name of the folder
 * @param dependencies names of packages, with their versions
 */
export function installPackages(name, dependencies) {
  const version = Object.values(dependencies)[0];
  const folder = join(runtimesFolder, `tool-${name.replace(/[@/]/g, '-').replace(/^-/, '')}-${version}`);
  const path = join(folder, 'node_modules');
  if (existsSync(join(path, name, 'package.json'))) return path;
  printStep(`npm install ${Object.keys(dependencies).join(', ')} in ${folder.slice(root.length + 1)}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock'];
  const { status, stderr, error } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new SetupError(`npm could not install ${name}: ${error?.message ?? reasonOf(stderr)}`);
  return path;
}

/** Makes npm compare a package of the project with its hash. */
function lockFile(project, locked) {
  const [name] = Object.keys(project.dependencies);
  return JSON.stringify({ lockfileVersion: 3, packages: { '': project, [`node_modules/${name}`]: locked } });
}

/** npm prints a code, an errno and the path of its log, and the cause between them. */
function reasonOf(output) {
  const lines = output.split('\n').filter((line) => line.startsWith('npm error'));
  const telling = lines.find((line) => !/^npm error (code|errno|syscall|path|A complete log)/.test(line));
  return (telling ?? lines[0] ?? '').replace('npm error ', '');
}
