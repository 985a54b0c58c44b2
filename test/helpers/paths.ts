/** Paths: the project itself, the code that runs, the corpora beside the project, and programs on the search path. */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with the `src` and `test` of this file: the project, or `build/tests` if it was compiled. */
export const codeRoot = fileURLToPath(new URL('../../', import.meta.url));

/** Whether the code that runs was compiled by `scripts/setup/compiled-tests.mjs`; otherwise tsx compiles it. */
export const isCompiled = extname(import.meta.url) === '.js';

/** The project's root folder. */
export const projectRoot = isCompiled ? fileURLToPath(new URL('../../../../', import.meta.url)) : codeRoot;

/** The path of a source file, relative to the project, in the form that runs. */
export function codePath(file: string): string {
  return join(codeRoot, isCompiled ? file.replace(/\.ts$/, '.js') : file);
}

/** A file of the corpora and tools that may be beside the project; `undefined` if it is absent. */
export function sharedPath(path: string): string | undefined {
  const full = join(projectRoot, '..', 'shared', path);
  return existsSync(full) ? full : undefined;
}

/** The absolute path of a program on the search path; `undefined` if it is not installed. */
export function programPath(name: string): string | undefined {
  // Daemons may be in sbin, which is not on every user's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** The requirements of a test that this machine lacks, as a reason for skipping; `undefined` if there are none. */
export function missingPrograms(...names: readonly string[]): string | undefined {
  const missing = names.filter((name) => programPath(name) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(', ')} not installed`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
