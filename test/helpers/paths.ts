/** Paths: the project itself, the corpora beside it, and programs on the search path. */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const projectRoot = fileURLToPath(new URL('../../', import.meta.url));

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
