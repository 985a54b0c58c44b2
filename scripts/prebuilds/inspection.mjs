/**
 * Whether a binary that the package ships exists, was built from the present sources, and keeps to the limits of
 * targets.mjs.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pages, readSection, replaceSection, table } from '../report.mjs';
import { root } from '../setup/report.mjs';
import { hasReadelf, inspect } from './elf.mjs';
import { readStamp, sourcesHash } from './stamp.mjs';
import { fileOf, floors, limits, targets } from './targets.mjs';

export const prebuilds = join(root, 'prebuilds');

/**
 * @param target of targets.mjs
 * @returns the `file`; the result, as a `statement` that is true unless there is a `problem`; the output of readelf for it,
 * unless there is no file or no readelf; whether the limits were checked and are kept; and whether it is `stale`: built
 * from other sources than the present ones
 */
export function inspection(target) {
  const file = fileOf(target);
  const path = join(prebuilds, file);
  if (!existsSync(path)) {
    const absent = { statement: `${file} is there`, problem: 'run npm run prebuild' };
    return { file, checks: [absent], kept: false };
  }
  const stale = readStamp()[file] !== sourcesHash(target);
  if (!hasReadelf()) return { file, checks: [], kept: false, stale };
  const elf = { ...inspect(path), bytes: statSync(path).size };
  const ofLimits = limitsKept(file, elf, target);
  return { file, elf, checks: ofLimits, kept: ofLimits.every((check) => check.problem === undefined), stale };
}

function limitsKept(file, elf, target) {
  const floor = floors[target.libc];
  const size = Math.max(elf.loaded, elf.bytes);
  const tooNew = elf.versions.filter(([family, version]) => isNewer(version, floor.versions[family]));
  return [
    ['is small', size <= limits.bytes ? undefined : `${size} bytes of at most ${limits.bytes}`],
    ['is stripped', elf.hasSymbolTable ? 'it has a symbol table' : undefined],
    ['is for its machine', elf.machine === target.machine ? undefined : elf.machine],
    ['needs common libraries only', unexpected(elf.needed.filter((name) => !floor.needed.test(name)))],
    ['has no search path', unexpected(elf.searchPaths)],
    [
      "exports Node-API's entry points only",
      elf.exported.join() === limits.exported.join() ? undefined : elf.exported.join(', '),
    ],
    ['makes no external buffers', unexpected(elf.imported.filter((name) => limits.externalMemory.test(name)))],
    ['checks its stack', elf.imported.includes('__stack_chk_fail') ? undefined : 'it has no stack protector'],
    // musl has no such functions.
    [
      'checks the lengths of copies',
      target.libc === 'musl' || elf.imported.includes('__memcpy_chk')
        ? undefined
        : 'it was not built with _FORTIFY_SOURCE',
    ],
    ['calls no libatomic', unexpected(elf.imported.filter((name) => limits.libatomic.test(name)))],
    ['leaves no function of a missing library open', unexpected(unresolved(elf, target))],
    ['runs on old systems', unexpected(tooNew.map(([family, version]) => `${family}_${version.join('.')}`))],
  ].map(([claim, problem]) => ({ statement: `${file} ${claim}`, problem }));
}

/** A binary without a C++ library must not need its functions: the loader refuses such a file. */
function unresolved({ needed, imported }, { libc }) {
  return libc === 'musl' && !needed.some((name) => /c\+\+/.test(name))
    ? imported.filter((name) => /^_Z/.test(name))
    : [];
}

function unexpected(values) {
  return values.length === 0 ? undefined : values.join(', ');
}

/** Whether a version is above the limit. A family without a limit is not expected at all. */
function isNewer(version, limit) {
  if (limit === undefined) return true;
  for (let i = 0; i < Math.max(version.length, limit.length); i++) {
    const difference = (version[i] ?? 0) - (limit[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** Writes the requirements of the binaries into docs/support.md. */
export function writeBinaries() {
  replaceSection(pages.support, 'binaries', binariesTable());
}

/** Whether docs/support.md has the requirements of the binaries. */
export function areBinariesDocumented() {
  return readSection(pages.support, 'binaries') === binariesTable();
}

/** Values that change with almost every build are left out. */
function binariesTable() {
  const rows = targets.map((target) => {
    const { file, elf, kept } = inspection(target);
    if (elf === undefined) return [file, 'not inspected', '', ''];
    return [file, elf.needed.join(', '), newestOf(elf.versions) || 'none', kept ? 'kept' : 'not kept'];
  });
  return table(['binary', 'libraries', 'newest symbol versions', 'limits'], rows);
}

/** `GLIBC 2.28, GLIBCXX 3.4.21`. */
function newestOf(versions) {
  const families = new Map();
  for (const [family, version] of versions) {
    if (!families.has(family) || isNewer(version, families.get(family))) families.set(family, version);
  }
  return [...families]
    .map(([family, version]) => `${family} ${version.join('.')}`)
    .sort()
    .join(', ');
}
