/**
 * Peers from npm: each folder below bench/peers/ has a package.json of its own, so that the project's lock file knows
 * nothing of them. They are installed when the bench first needs them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { say } from '../../scripts/setup/report.mjs';
import { Unavailable } from './unavailable.js';

const peersFolder = fileURLToPath(new URL('../peers/', import.meta.url));

/** Installs the one package that a folder asks for, and returns its version. */
export function installPackage(folder: string): string {
  const [name, version] = wantedPackage(folder);
  if (installedVersion(folder, name) !== version) install(folder, `${name} ${version}`);
  const installed = installedVersion(folder, name);
  if (installed === undefined) throw new Unavailable(`${name} could not be installed`);
  return installed;
}

function install(folder: string, title: string): void {
  say(`npm install ${title} in bench/peers/${folder}`);
  // Their optional dependencies are native and would be compiled; none is needed for what is measured here.
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', '--omit=optional', '--ignore-scripts'];
  const { status, stderr, error } = spawnSync('npm', args, { cwd: join(peersFolder, folder), encoding: 'utf8' });
  if (status !== 0) throw new Unavailable(`npm could not install ${title}: ${error?.message ?? reasonOf(stderr)}`);
}

function wantedPackage(folder: string): readonly [name: string, version: string] {
  const [wanted] = Object.entries(readJson(join(peersFolder, folder, 'package.json')).dependencies ?? {});
  if (wanted === undefined) throw new Error(`bench/peers/${folder}/package.json names no package`);
  return wanted;
}

function installedVersion(folder: string, name: string): string | undefined {
  const file = join(peersFolder, folder, 'node_modules', name, 'package.json');
  return existsSync(file) ? readJson(file).version : undefined;
}

function readJson(file: string): { readonly version?: string; readonly dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** npm tells a code, an errno and where its log is, and among them what went wrong. */
function reasonOf(output: string): string {
  const lines = output.split('\n').filter((line) => line.startsWith('npm error'));
  const telling = lines.find((line) => !/^npm error (code|errno|syscall|path|A complete log)/.test(line));
  return (telling ?? lines[0] ?? '').replace('npm error ', '');
}
