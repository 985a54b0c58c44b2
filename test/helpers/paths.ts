/** Where things are: the project itself, the corpora beside it, and programs on the search path. */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const projectRoot = fileURLToPath(new URL('../../', import.meta.url));

/** A file of the corpora and tools that may lie beside the project; `undefined` where it is absent. */
export function sharedPath(path: string): string | undefined {
  const full = join(projectRoot, '..', 'shared', path);
  return existsSync(full) ? full : undefined;
}

/** The absolute path of a program on the search path; `undefined` where it is not installed. */
export function programPath(name: string): string | undefined {
  // Daemons may live in sbin, which is not on everybody's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** What a test needs and this machine lacks, as a reason for skipping; `undefined` where all is there. */
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
