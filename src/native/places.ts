/**
 * Where binaries of the addon may lie. In the package that is the package's own folder, and nowhere else. A bundle has busbar's
 * folder `prebuilds` beside itself, beside the executable that it is in, or beside the script that was started; bundlers
 * that move files about may have left it in the `node_modules` beside that. `BUSBAR_PREBUILD` names one folder in place of
 * all these.
 *
 * No folder above is looked into: a user who can write there must not choose the code that the process loads. A user
 * who can write to one of these folders can write to the program as well.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentVariable } from './environment.js';

/** A folder with `prebuilds` in it, or without where something is wrong. */
export interface Place {
  readonly folder: string;
  /** What named it: the variable, the package that this module is part of, or the bundle. */
  readonly of: 'variable' | 'package' | 'bundle';
}

/** Bundlers of webpack's kind put the path that a module had where it was bundled in place of `import.meta.url`. */
declare const __webpack_require__: unknown;

/** Where in the package this module is: as it is installed, and as it is developed. */
const ownPlaces = [
  { place: '/dist', root: '..' },
  { place: '/src/native', root: '../..' },
] as const;

/** The places to look at, in order. There may be none. */
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
 * The folders in the package's `prebuilds`. Tools that find out which files a program reads follow this expression as it
 * stands here, and take the binaries along: it has to be in the file that is published, and to name the folder from there.
 */
export function shippedFolders(): readonly string[] {
  try {
    return readdirSync(join(dirname(fileURLToPath(import.meta.url)), '../prebuilds'));
  } catch {
    return [];
  }
}

/** This module, or the bundle that it has become part of. `undefined` where that does not tell. */
function ownFile(): string | undefined {
  if (typeof __webpack_require__ !== 'function' && import.meta.url !== undefined) return urlPath(import.meta.url);
  try {
    // Bundlers that write CommonJS leave `import.meta` empty. webpack says that this is a string where it is not there, too.
    return isAbsolute(__filename) ? __filename : undefined;
  } catch {
    return undefined;
  }
}

function urlPath(url: string): string | undefined {
  return url.startsWith('file:') ? fileURLToPath(url) : undefined;
}

/** The package's folder where this module is a part of it; `undefined` in a bundle. */
function packageRoot(file: string): string | undefined {
  const folder = dirname(file);
  const roots = ownPlaces.filter(({ place }) => folder.endsWith(place)).map(({ root }) => resolve(folder, root));
  return roots.find(isOwnPackage);
}

function isOwnPackage(folder: string): boolean {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name === 'busbar';
  } catch (error) {
    // A process may be forbidden to read it.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT' && folder.endsWith('/node_modules/busbar');
  }
}

/** Of a program that is one executable with its code in it: that code's files are nowhere in the file system. */
function executableFolder(): string {
  return dirname(process.execPath);
}

/** The folder of the script that was started. With `--eval` an argument of the program's is in its place. */
function scriptFolder(): string | undefined {
  const [, script] = process.argv;
  const evaluated = (process as { readonly _eval?: string })._eval !== undefined;
  return !evaluated && script !== undefined && isAbsolute(script) && isOnDisk(script) && isFile(script)
    ? dirname(script)
    : undefined;
}

/** Executables of Bun say that the files in them are there. Node.js 20 throws where it may not tell. */
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
