/**
 * Finds and loads the addon, when the first connection is made: importing busbar works on every platform.
 *
 * It is what was built here in `build/Release`, which node-gyp-build finds, else the binary in `prebuilds/` that fits this
 * platform, architecture and C library. `BUSBAR_PREBUILD` names another folder with these two. A bundle has no
 * node-gyp-build, and `prebuilds/` beside itself. No other folder is looked into: a user who can write to a folder above a
 * program must not choose the code that it loads.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { ConnectError } from '../errors.js';
import type { Addon } from './binding.js';

/** Where in the package this module is: as it is installed, and as it is developed. */
const ownPlaces = [
  { place: '/dist', root: '..' },
  { place: '/src/native', root: '../..' },
] as const;

let addon: Addon | undefined;

/**
 * What runs when the event loop has gone round, as it is before a test suite may take the clock into its own hands. In Deno
 * it is a timer: sockets are not served there while there always is an immediate.
 */
const [immediate, timeout] = [setImmediate, setTimeout];
const afterRound = process.versions.deno === undefined ? immediate : (callback: () => void) => timeout(callback, 0);

/**
 * The addon, loaded once a thread.
 *
 * @throws {@link ConnectError} if there is no binary for this machine or it does not load; the text says what there is
 * and how to build one
 */
export function loadAddon(): Addon {
  if (addon === undefined) {
    addon = load();
    addon.useImmediate(afterRound);
  }
  return addon;
}

function load(): Addon {
  const file = ownFile();
  const require = createRequire(file);
  const root = packageRoot(file);
  const folder = namedFolder() ?? root ?? dirname(file);
  const errors: unknown[] = [];
  for (const binary of binaries(folder, root === undefined ? undefined : builtBinary(root, require))) {
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

/** The folder that the environment names in place of the package's. */
function namedFolder(): string | undefined {
  const { BUSBAR_PREBUILD: folder } = process.env;
  return folder === undefined || folder === '' ? undefined : resolve(folder);
}

/** The package's folder where this module is a part of it; `undefined` in a bundle. */
function packageRoot(file: string): string | undefined {
  const folder = dirname(file);
  const roots = ownPlaces.filter(({ place }) => folder.endsWith(place)).map(({ root }) => resolve(folder, root));
  return roots.find(isOwnPackage);
}

/**
 * The files to try, in order. What was built here is the only one. Of those that were shipped the ones for this C library
 * come first, which node-gyp-build knows in Alpine alone. The others are tried as well, though they are unlikely to load.
 */
function binaries(folder: string, built: string | undefined): readonly string[] {
  if (built?.startsWith(join(folder, 'build'))) return [built];
  const shipped = filesIn(folder, `prebuilds/${process.platform}-${process.arch}`);
  const foreign = runsOnMusl() ? '.glibc.node' : '.musl.node';
  const isForeign = (file: string) => file.endsWith(foreign);
  return [...shipped.filter((file) => !isForeign(file)), ...shipped.filter(isForeign)];
}

/**
 * What node-gyp-build picks, of which only what was built counts: variables that are for installing (`npm_config_arch`)
 * mislead it about the rest, and it looks beside the program of Node.js as well. It is required by its name, so that
 * bundlers leave it alone.
 */
function builtBinary(root: string, require: NodeJS.Require): string | undefined {
  try {
    return resolve(require('node-gyp-build').path(root));
  } catch {
    return undefined;
  }
}

/** The binaries in a folder below another one, by their paths. */
function filesIn(folder: string, name: string): readonly string[] {
  const directory = join(folder, name);
  try {
    const files = readdirSync(directory).filter((file) => file.startsWith('busbar.') && file.endsWith('.node'));
    return files.sort().map((file) => join(directory, file));
  } catch {
    return [];
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
