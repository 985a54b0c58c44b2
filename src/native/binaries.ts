/** Finds the binaries of the addon for this machine in a place. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Place } from './places.js';

/** The name of a C library in the names of binaries. */
export type CLibrary = 'glibc' | 'musl';

export interface Found {
  /** The files to try, in order. */
  readonly files: readonly string[];
  /** The error if a folder could not be read, although it may exist. */
  readonly failure?: unknown;
}

/**
 * The files to try in a place. A binary that was built in the package is the only one. Of the prebuilt binaries, it is
 * the one for the C library of this process, and the other one only if that is missing. If the library is unknown, both
 * are tried.
 *
 * @param require from within the place, for node-gyp-build
 */
export function binariesIn({ folder, of }: Place, require: (id: string) => unknown): Found {
  const built = of === 'package' ? builtBinary(folder, require) : undefined;
  if (built !== undefined) return { files: [built] };
  const { files: shipped, ...rest } = binariesOf(join(folder, machineFolder()));
  const library = cLibrary();
  const own = shipped.filter((file) => library === undefined || file.endsWith(`.${library}.node`));
  return { ...rest, files: own.length > 0 ? own : shipped };
}

/** The folder of the binaries for this machine, within a place. */
export function machineFolder(): string {
  return join('prebuilds', `${process.platform}-${process.arch}`);
}

/** The binaries of all machines in a place, for an error text. */
export function allBinaries(folder: string): readonly string[] {
  const prebuilds = join(folder, 'prebuilds');
  return namesIn(prebuilds)
    .names.flatMap((machine) => namesIn(join(prebuilds, machine)).names.map((name) => `${machine}/${name}`))
    .filter((name) => name.endsWith('.node'))
    .sort();
}

/**
 * The C library of this process; `undefined` if it cannot be determined. musl is its own loader, so every process has
 * it mapped: as `ld-musl-x86_64.so.1` or as `libc.so`, whichever of the two is not a link. glibc is `libc.so.6`.
 */
export function cLibrary(): CLibrary | undefined {
  try {
    const mapped = readFileSync('/proc/self/maps', 'latin1');
    if (/\/(ld-musl-[^/]+|libc\.so)$/m.test(mapped)) return 'musl';
    return /\/libc(\.so\.6|-2\.\d+\.so)$/m.test(mapped) ? 'glibc' : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The file that node-gyp-build picks, if it was built here. Its choice among the other files is not used: variables for
 * installing (`npm_config_arch`) mislead it, and it also looks beside the executable of Node.js.
 */
function builtBinary(root: string, require: (id: string) => unknown): string | undefined {
  const build = join(root, 'build');
  try {
    if (!existsSync(build)) return undefined;
    const { path } = require('node-gyp-build') as { path(folder: string): string };
    const picked = resolve(path(root));
    return picked.startsWith(build) ? picked : undefined;
  } catch {
    return undefined;
  }
}

/** Bundlers copy the binaries of several packages into one folder, so the name must begin with `busbar`. */
function binariesOf(folder: string): Found {
  const { names, failure } = namesIn(folder);
  const files = names.filter((name) => name.startsWith('busbar.') && name.endsWith('.node'));
  return { files: files.sort().map((name) => join(folder, name)), failure };
}

function namesIn(folder: string): { readonly names: readonly string[]; readonly failure?: unknown } {
  try {
    return { names: readdirSync(folder) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? { names: [] } : { names: [], failure: error };
  }
}
