/** What a fuzz target is made of, so that its hours count until one of these files changes, whatever else does. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/report.mjs';

/** How all of them are built. */
const recipes = ['CMakeLists.txt', 'native/fuzz/CMakeLists.txt'];

/** A digest of the target's sources. */
export function stampOf(target) {
  const hash = createHash('sha256');
  for (const file of sourcesOf(target)) hash.update(`${file}\0${readFileSync(join(root, file))}\0`);
  return hash.digest('hex').slice(0, 16);
}

/** The recipes, the target, the headers that it includes and what implements them, and so on; by path, from the root. */
function sourcesOf(target) {
  const found = new Set([`native/fuzz/${target}_fuzz.cc`]);
  // A set gives what is added to it while it is walked, too.
  for (const file of found) for (const next of [...includedBy(file), ...implementationOf(file)]) found.add(next);
  return [...recipes, ...found].sort();
}

/** `#include "…"` names a file from `native/`; those of the system are in angle brackets. */
function includedBy(file) {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^#include "(.+)"$/gm)].map(([, path]) => `native/${path}`);
}

/** Each header is implemented by the file beside it that has its name, if by any. */
function implementationOf(file) {
  const implementation = file.replace(/\.h$/, '.cc');
  return existsSync(join(root, implementation)) ? [implementation] : [];
}
