/**
 * Finds the places where binaries of the addon may be. For the package, that is only the package's own folder. For a
 * bundle, it is busbar's folder `prebuilds` beside the bundle, beside the executable that contains it, or beside the
 * script that was started; bundlers that move files may have left it in the `node_modules` beside that.
 * `BUSBAR_PREBUILD` names one folder instead of all these.
 *
 * Parent folders are never searched: a user who can write there must not choose the code that the process loads. A user
 * who can write to one of these folders can write to the program as well.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentVariable } from './environment.js';

/** A folder that contains `prebuilds`, or lacks it if something is wrong. */
export interface Place {
  readonly folder: string;
  /** What determined the place: the variable, the package that this module is part of, or the bundle. */
  readonly of: 'variable' | 'package' | 'bundle';
}

/** webpack and similar bundlers replace `import.meta.url` with the path that a module had when it was bundled. */
declare const __webpack_require__: unknown;

let moduleUrl: string | undefined;

/**
 * Tells the `import.meta.url` of the package's ES module. This code is CommonJS, and in a bundle of ES modules it cannot
 * determine the location of the bundle itself.
 */
export function setModuleUrl(url: string | undefined): void {
  moduleUrl = url;
}

/** Where this module is within the package: installed, and in development. */
const ownPlaces = [
  { place: '/dist', root: '..' },
  { place: '/src/native', root: '../..' },
] as const;

/** The places to search, in order. There may be none. */
export function places(): readonly Place[] {
  const named = environmentVariable('BUSBAR_PREBUILD');
  if (named !== undefined) return [{ folder: resolve(named), of: 'variable' }];
  const file = ownFile();
  const root = file && packageRoot(file);
  if (root !== undefined) return [{ folder: root, of: 'package' }];
  const script = scriptFolder();
  const folders = [
    file && (isOnDisk(file) ? dirname(file) : executableFolder()),
    script,
    script && join(script, 'node_modules/busbar'),
  ];
  const known = new Set(folders.flatMap((folder) => folder || []));
  return [...known].map((folder) => ({ folder, of: 'bundle' }));
}

/**
 * The names of the folders in the package's `prebuilds`. Tools that trace the files of a program recognise this exact
 * expression and include the binaries. So it has to be in the file that is published, and the path has to be relative
 * to that file.
 */
export function shippedFolders(): readonly string[] {
  try {
    return readdirSync(`${import.meta.dirname}/../prebuilds`);
  } catch {
    return [];
  }
}

/** The path of this module, or of the bundle that it has become part of; `undefined` if it cannot be determined. */
function ownFile(): string | undefined {
  if (typeof __webpack_require__ !== 'function' && moduleUrl !== undefined) return urlPath(moduleUrl);
  try {
    // `__filename` in the package. A bundle of ES modules has no such variable, and webpack claims that it is a string
    // even there.
    return isAbsolute(import.meta.filename) ? import.meta.filename : undefined;
  } catch {
    return undefined;
  }
}

function urlPath(url: string): string | undefined {
  return url.startsWith('file:') ? fileURLToPath(url) : undefined;
}

/** The package's folder if this module is a part of it; `undefined` in a bundle. */
function packageRoot(file: string): string | undefined {
  const folder = dirname(file);
  const roots = ownPlaces.filter(({ place }) => folder.endsWith(place)).map(({ root }) => resolve(folder, root));
  return roots.find(isOwnPackage);
}

function isOwnPackage(folder: string): boolean {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name === 'busbar';
  } catch (error) {
    // The process may not be allowed to read it.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT' && folder.endsWith('/node_modules/busbar');
  }
}

/**
 * The folder of an executable that contains the program's code: the files of that code do not exist in the file system.
 */
function executableFolder(): string {
  return dirname(process.execPath);
}

/** The folder of the script that was started. With `--eval`, an argument of the program is in its place. */
function scriptFolder(): string | undefined {
  const [, script] = process.argv;
  const evaluated = (process as { readonly _eval?: string })._eval !== undefined;
  return !evaluated && script !== undefined && isAbsolute(script) && isOnDisk(script) && isFile(script)
    ? dirname(script)
    : undefined;
}

/** Executables of Bun claim that the files in them exist. Node.js 20 throws if it may not check. */
function isOnDisk(path: string): boolean {
  try {
    return !path.startsWith('/$bunfs/') && existsSync(path);
  } catch {
    return true;
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
