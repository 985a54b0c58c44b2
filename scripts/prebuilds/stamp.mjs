/**
 * `prebuilds/stamp.json`: which sources each committed binary was built from, so that a stale one is noticed.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../setup/report.mjs';

const path = join(root, 'prebuilds', 'stamp.json');

/**
 * A hash of all sources of a target's binary: `native/` without its tests and fuzz targets, `CMakeLists.txt`, and the
 * target's own toolchain.
 *
 * @param {{ toolchain?: string, toolchainIncludes?: readonly string[] }} target
 */
export function sourcesHash({ toolchain, toolchainIncludes = [] }) {
  const files = readdirSync(join(root, 'native'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .filter((file) => !['test', 'fuzz', 'cmake'].some((folder) => file.startsWith(join('native', folder))));
  const toolchains = toolchain === undefined ? [] : [toolchain, ...toolchainIncludes];
  const hash = createHash('sha256');
  for (const file of [...files, ...toolchains, 'CMakeLists.txt'].sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** The hashes of the sources by the binary's path below `prebuilds/`. */
export function readStamp() {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
}

/** Records that a binary was built from the sources as they were when `hash` was computed. */
export function writeStamp(file, hash) {
  const stamp = { ...readStamp(), [file]: hash };
  const sorted = Object.fromEntries(Object.entries(stamp).sort());
  writeFileSync(path, `${JSON.stringify(sorted, null, 2)}\n`);
}
