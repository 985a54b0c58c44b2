/** Loads a library that is not a dependency of the project, from the folder where it was installed. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export async function libraryIn(folder) {
  const { main, module = main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const library = await import(pathToFileURL(join(folder, module)).href);
  return library.default ?? library;
}

/** Loads a part of the library that it does not export. */
export function partOf(folder, file) {
  return createRequire(join(folder, 'package.json'))(join(folder, file));
}
