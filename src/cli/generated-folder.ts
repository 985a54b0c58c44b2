/** Brings generated files into a folder. Files that were not generated are never replaced. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GeneratedFile, HEADER } from '../generator/generate.js';

/**
 * What a file in the folder is to a generated one: it does not exist, has the same text, has another text, or was not
 * generated and has another text; or it is `undescribed`: generated, but from other data.
 */
export type FileState = 'missing' | 'same' | 'changed' | 'foreign' | 'undescribed';

/** What happened to a file. */
export interface OutputFile {
  readonly name: string;
  /** The state before. */
  readonly state: FileState;
}

/**
 * Writes files into a folder, which is made if it does not exist. Nothing is written if one of the files in the folder was
 * not generated.
 *
 * @param isCheck whether the files are only compared
 * @returns what the files in the folder were before
 */
export async function outputFiles(
  folder: string,
  files: readonly GeneratedFile[],
  isCheck = false,
): Promise<readonly OutputFile[]> {
  const states = await Promise.all(
    files.map(async (file) => ({ name: file.name, state: await stateOf(join(folder, file.name), file.text) })),
  );
  if (isCheck || states.some(({ state }) => state === 'foreign')) return states;
  await mkdir(folder, { recursive: true });
  for (const [index, { name, text }] of files.entries()) {
    if (states[index]?.state !== 'same') await writeFile(join(folder, name), text);
  }
  return states;
}

/** The generated files in a folder that are not among the given ones. */
export async function undescribedFiles(
  folder: string,
  files: readonly GeneratedFile[],
): Promise<readonly OutputFile[]> {
  const names = await readdir(folder).catch(() => []);
  const known = new Set(files.map(({ name }) => name));
  const others = names.filter((name) => name.endsWith('.ts') && !known.has(name)).sort();
  const states = await Promise.all(others.map((name) => stateOf(join(folder, name), '')));
  return others.filter((_, index) => states[index] === 'changed').map((name) => ({ name, state: 'undescribed' }));
}

async function stateOf(path: string, text: string): Promise<FileState> {
  try {
    const found = await readFile(path, 'utf8');
    if (found === text) return 'same';
    return found.startsWith(HEADER) ? 'changed' : 'foreign';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    // Reading a folder fails without its path.
    throw Object.assign(error as Error, { path });
  }
}
