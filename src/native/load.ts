/**
 * Finds and loads the addon, when the first connection is made: importing busbar works on every platform.
 *
 * node-gyp-build picks the file: what was built here in `build/Release`, else the binary in `prebuilds/` that fits this
 * platform, architecture and C library.
 */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
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
  let folder: string | undefined;
  try {
    const manifest = packageManifest();
    folder = dirname(manifest);
    // Seen from the package, who may be the only one that has it.
    const loadBuild = createRequire(manifest)('node-gyp-build') as (folder: string) => Addon;
    return loadBuild(folder);
  } catch (error) {
    throw new ConnectError(failureText(folder, error), { cause: error });
  }
}

/** Asked for by name, because this file may be a part of `dist/index.js`, or of what somebody else bundled. */
function packageManifest(): string {
  return createRequire(import.meta.url).resolve('busbar/package.json');
}

function failureText(folder: string | undefined, error: unknown): string {
  const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
  return (
    `the native addon of busbar could not be loaded: ${reason}\n` +
    `  this machine: ${machine()}\n` +
    `  prebuilt binaries: ${prebuilds(folder).join(', ') || 'none'}\n` +
    `  to build one, with a C++20 compiler and CMake, run in ${folder ?? 'the folder of busbar'}:\n` +
    '    npm install --no-save cmake-js node-addon-api node-api-headers && npm run build:native'
  );
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

function prebuilds(folder: string | undefined): readonly string[] {
  if (folder === undefined) return [];
  try {
    const files = readdirSync(join(folder, 'prebuilds'), { recursive: true, encoding: 'utf8' });
    return files.filter((file) => file.endsWith('.node')).sort();
  } catch {
    return [];
  }
}
