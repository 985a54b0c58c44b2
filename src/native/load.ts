/**
 * Finds and loads the addon, when the first connection is made: importing busbar works on every platform.
 *
 * It is what was built here in `build/Release`, which node-gyp-build finds, else the binary in `prebuilds/` that fits this
 * platform, architecture and C library. In a bundle, which has no node-gyp-build, `prebuilds/` is expected beside it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { ConnectError } from '../errors.js';
import type { Addon } from './binding.js';

let addon: Addon | undefined;

/** As it is before a test suite may take the clock into its own hands. */
const immediate = setImmediate;

/**
 * The addon, loaded once a thread.
 *
 * @throws {@link ConnectError} if there is no binary for this machine or it does not load; the text says what there is
 * and how to build one
 */
export function loadAddon(): Addon {
  if (addon === undefined) {
    addon = load();
    addon.useImmediate(immediate);
  }
  return addon;
}

function load(): Addon {
  const file = ownFile();
  const require = createRequire(file);
  const folder = packageFolder(file);
  const errors: unknown[] = [];
  for (const binary of binaries(folder, require)) {
    try {
      return require(binary) as Addon;
    } catch (error) {
      errors.push(error);
    }
  }
  throw new ConnectError(failureText(errors, folder), { cause: errors[0] });
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

/**
 * The files to try, in order. What was built here, or what the environment names, is the only one. Of those that were
 * shipped the ones for this C library come first, which node-gyp-build knows in Alpine alone: elsewhere it takes musl for
 * glibc. The others are tried as well, though they are unlikely to load.
 */
function binaries(folder: string, require: NodeJS.Require): readonly string[] {
  const directory = join(folder, 'prebuilds', `${process.platform}-${process.arch}`);
  const files = prebuilds(directory);
  const foreign = runsOnMusl() ? '.glibc.node' : '.musl.node';
  const isForeign = (file: string) => file.endsWith(foreign);
  const shipped = [...files.filter((file) => !isForeign(file)), ...files.filter(isForeign)].map((file) =>
    join(directory, file),
  );
  const picked = pickedBinary(folder, require);
  return picked === undefined || shipped.includes(picked) ? shipped : [picked];
}

/**
 * What node-gyp-build picks; `undefined` where it finds nothing, and in a bundle. It is required by its name, so that
 * bundlers leave it alone, and they cannot take it in.
 */
function pickedBinary(folder: string, require: NodeJS.Require): string | undefined {
  try {
    return require('node-gyp-build').path(folder);
  } catch {
    return undefined;
  }
}

function failureText(errors: readonly unknown[], folder: string): string {
  const reasons = errors.map((error) => (error instanceof Error ? error.message.split('\n', 1)[0] : String(error)));
  return (
    `the native addon of busbar could not be loaded: ${reasons.join('; ') || 'there is no binary for this machine'}\n` +
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

/** Slow, and therefore only asked for to word an error. */
function cLibrary(): string {
  if (runsOnMusl()) return 'musl';
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return `glibc ${header?.glibcVersionRuntime ?? ''}`.trimEnd();
}

/**
 * musl is its own loader, so every process has it mapped: as `ld-musl-x86_64.so.1` or as `libc.so`, whichever of the two is
 * no link. glibc is `libc.so.6`.
 */
function runsOnMusl(): boolean {
  try {
    return /\/(ld-musl-[^/]+|libc\.so)$/m.test(readFileSync('/proc/self/maps', 'latin1'));
  } catch {
    return false;
  }
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
