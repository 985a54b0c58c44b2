/**
 * JavaScript runtimes from npm, as packages that hold little but the executable. They are installed below
 * build/runtimes/, each in a folder of its own, so that the project's dependencies and its lock file know nothing of
 * them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, SetupError, say } from './report.mjs';

/** Where what is made for other runtimes lies. */
export const runtimesFolder = join(root, 'build', 'runtimes');

/** Installs a package unless it is there, and returns the path of its executable. Throws a `SetupError` where it cannot. */
export function installRuntime({ name, version, executable }) {
  const folder = join(runtimesFolder, `${name.replace(/[@/]/g, '-').replace(/^-/, '')}-${version}`);
  const path = join(folder, 'node_modules', name, executable);
  if (existsSync(path)) return path;
  say(`npm install ${name} ${version} in ${folder.slice(root.length + 1)}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: { [name]: version } }));
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts'];
  const { status, stderr, error } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new SetupError(`npm could not install ${name}: ${error?.message ?? reasonOf(stderr)}`);
  if (!existsSync(path)) throw new SetupError(`${name} ${version} has no ${executable}`);
  return path;
}

/** npm tells a code, an errno and where its log is, and among them what went wrong. */
function reasonOf(output) {
  const lines = output.split('\n').filter((line) => line.startsWith('npm error'));
  const telling = lines.find((line) => !/^npm error (code|errno|syscall|path|A complete log)/.test(line));
  return (telling ?? lines[0] ?? '').replace('npm error ', '');
}
