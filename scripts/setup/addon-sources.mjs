/**
 * The sources of the addon as one archive in dist/, with which the package is smaller by 310 kB: few machines need them.
 * Every machine with busbar has Node.js, which reads Brotli, and Brotli takes a fifth less than gzip. The archive depends on
 * the sources alone, not on their times, their owner or the order in which the file system lists them.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { root } from './report.mjs';

/** Its path in the project and in the package; the cure in src/native/load-failure.ts unpacks it. */
export const archive = 'dist/native.tar.br';

/** Tests and fuzz targets are left out. */
const leftOut = /^native\/(test|fuzz)\//;

/** Writes the archive, unless it is current. */
export function packAddonSources() {
  const files = sources();
  if (existsSync(join(root, archive)) && [maker, ...files].every((file) => modified(file) <= modified(archive))) return;
  mkdirSync(dirname(join(root, archive)), { recursive: true });
  const bytes = Buffer.concat([...files.map(entry), Buffer.alloc(2 * BLOCK)]);
  writeFileSync(join(root, archive), brotliCompressSync(bytes));
}

function sources() {
  const files = readdirSync(join(root, 'native'), { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => relative(root, join(found.parentPath ?? found.path, found.name)));
  return ['CMakeLists.txt', ...files.filter((file) => !leftOut.test(file)).sort()];
}

const maker = 'scripts/setup/addon-sources.mjs';
const modified = (file) => statSync(join(root, file)).mtimeMs;

const BLOCK = 512;

/** A file in the format `ustar` of POSIX.1-1988, which every tar reads; names have at most 100 bytes. */
function entry(file) {
  const content = readFileSync(join(root, file));
  const header = Buffer.alloc(BLOCK);
  const octal = (value, length) => value.toString(8).padStart(length - 1, '0');
  header.write(file, 0, 100);
  header.write(octal(0o644, 8), 100);
  // The owner and the group are root, and the time is the beginning of 1970.
  for (const [start, length] of [
    [108, 8],
    [116, 8],
    [136, 12],
  ])
    header.write(octal(0, length), start);
  header.write(octal(content.length, 12), 124);
  header.write('0ustar\0' + '00', 156);
  header.write(' '.repeat(8), 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 7)}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc(-content.length & (BLOCK - 1))]);
}
