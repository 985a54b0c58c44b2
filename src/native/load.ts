/**
 * Finds and loads the addon, when the first connection is made: importing busbar works on every platform.
 *
 * node-gyp-build picks the file: what was built here in `build/Release`, else the binary in `prebuilds/` that fits this
 * platform, architecture and C library. In a bundle, which has no node-gyp-build, `prebuilds/` is expected beside it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConnectError } from '../errors.js';
import type { Addon } from './binding.js';

let addon: Addon | undefined;

/**
 * The addon, loaded once a thread.
 *
 * @throws {@link ConnectError} if there is no binary for this machine or it does not load; the text says what there is
 * and how to build one
 */
export function loadAddon(): Addon {
  addon ??= load();
  return addon;
}

function load(): Addon {
  const file = ownFile();
  const require = createRequire(file);
  const folder = packageFolder(file);
  try {
    const loadBuild = nodeGypBuild(require);
    return loadBuild === undefined ? loadBeside(folder, require) : loadBuild(folder);
  } catch (error) {
    throw new ConnectError(failureText(error, folder), { cause: error });
  }
}

/** This module, or the bundle that it has become part of: bundlers that write CommonJS leave `import.meta` empty. */
function ownFile(): string {
  return import.meta.url === undefined ? __filename : fileURLToPath(import.meta.url);
}

/** The package's folder, wherever in it this module is; of a bundle, where `prebuilds/` lies. */
function packageFolder(file: string): string {
  const holdsPackage = (folder: string) => ['prebuilds', 'package.json'].some((name) => existsSync(join(folder, name)));
  let folder = dirname(file);
  while (!holdsPackage(folder) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

/** `undefined` in a bundle: it is required by its name, so that bundlers leave it alone, and they cannot take it in. */
function nodeGypBuild(require: NodeJS.Require): ((folder: string) => Addon) | undefined {
  try {
    return require('node-gyp-build');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** The first binary for this platform and architecture that loads: one for another C library does not. */
function loadBeside(folder: string, require: NodeJS.Require): Addon {
  const directory = join(folder, 'prebuilds', `${process.platform}-${process.arch}`);
  let reason: unknown = new Error(`there is no node-gyp-build, and no binary in ${directory}`);
  for (const file of prebuilds(directory)) {
    try {
      return require(join(directory, file)) as Addon;
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
}

function failureText(error: unknown, folder: string): string {
  const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
  return (
    `the native addon of busbar could not be loaded: ${reason}\n` +
    `  this machine: ${machine()}\n` +
    `  prebuilt binaries: ${prebuilds(join(folder, 'prebuilds')).join(', ') || 'none'}\n` +
    `  ${hint(folder)}`
  );
}

function hint(folder: string): string {
  if (process.platform !== 'linux') return 'it works on Linux only, in a container or a virtual machine as well';
  if (!isOwnPackage(folder)) return `this is a bundle: busbar's folder "prebuilds" has to lie beside it`;
  return (
    `to build one, with a C++20 compiler and CMake, run in ${folder}:\n` +
    '    npm install --no-save --save-prod --omit=dev cmake-js node-addon-api && npm run build:native'
  );
}

function isOwnPackage(folder: string): boolean {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name === 'busbar';
  } catch {
    return false;
  }
}

function machine(): string {
  const parts = [`${process.platform}-${process.arch}`, `node ABI ${process.versions.modules}`];
  if (process.platform === 'linux') parts.splice(1, 0, cLibrary());
  return parts.join(', ');
}

/** Slow, and therefore only asked for to word an error. node-gyp-build itself knows musl by Alpine's release file. */
function cLibrary(): string {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined ? 'musl' : `glibc ${header.glibcVersionRuntime}`;
}

/** The binaries in a folder and in those below it. */
function prebuilds(folder: string): readonly string[] {
  try {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return files.filter((file) => file.endsWith('.node')).sort();
  } catch {
    return [];
  }
}
