/**
 * The sources of the addon as one archive in dist/, with which the package is smaller by 300 kB: few machines need them. The
 * archive depends on the sources alone, not on their times, their owner or the order in which the file system lists them.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './report.mjs';

/** Its path in the project and in the package; the cure in src/native/load-failure.ts unpacks it. */
export const archive = 'dist/native.tar.gz';

/** Tests and fuzz targets are left out. */
const leftOut = /^native\/(test|fuzz)\//;

/** Writes the archive, unless it is current. */
export function packAddonSources() {
  const path = join(root, archive);
  const bytes = gzipSync(Buffer.concat([...sources().map(entry), Buffer.alloc(2 * BLOCK)]), { level: 9 });
  if (existsSync(path) && readFileSync(path).equals(bytes)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

function sources() {
  const files = readdirSync(join(root, 'native'), { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => relative(root, join(found.parentPath ?? found.path, found.name)));
  return ['CMakeLists.txt', ...files.filter((file) => !leftOut.test(file)).sort()];
}

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
