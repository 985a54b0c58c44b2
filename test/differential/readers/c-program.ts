/** The readers in C and C++, compiled as a distribution would. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compileProgram } from '../../helpers/compiled-program.js';
import { missingPrograms, projectRoot } from '../../helpers/paths.js';

const buildFolder = join(projectRoot, 'build', 'differential');
const sourceFolder = join(projectRoot, 'test', 'differential', 'readers');
const wireFolder = join(projectRoot, 'native', 'wire');

/** The library of a reader, by its name in pkg-config, with the Debian package that has the headers. */
export interface Library {
  readonly name: string;
  readonly debian: string;
}

/** The requirements of a reader in C that this machine lacks. */
export function missingForC({ name, debian }: Library): string | undefined {
  const missing = missingPrograms('gcc', 'pkg-config');
  if (missing !== undefined) return missing;
  return libraryVersion(name) === undefined ? `${debian} not installed` : undefined;
}

/** The version of a library; `undefined` if its headers are not installed. */
export function libraryVersion(name: string): string | undefined {
  const { status, stdout } = spawnSync('pkg-config', ['--modversion', name], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** Compiles `SOURCE.c` of this folder; returns the program. */
export const compileC = (source: string, library: Library): string => compileProgramOf(sourceFolder, source, library);

/** Compiles `SOURCE.c` of a folder beside this one; returns the program. */
export function compileProgramOf(folder: string, source: string, library: Library): string {
  const { stdout } = spawnSync('pkg-config', ['--cflags', '--libs', library.name], { encoding: 'utf8' });
  const file = join(folder, `${source}.c`);
  const flags = ['-std=gnu17', '-D_GNU_SOURCE', '-O1', '-Wall', '-Wextra', '-Wno-unused-function'];
  const program = join(buildFolder, folder === sourceFolder ? source : `${basename(folder)}-${source}`);
  const args = [...flags, file, ...stdout.trim().split(/\s+/)];
  compileProgram(program, { compiler: 'gcc', args, folders: [folder] });
  return program;
}

/** The requirements of busbar's own check that this machine lacks. */
export const missingForWire = (): string | undefined => missingPrograms('g++');

/** Compiles the check of whole messages: `native/wire`, which needs the standard library only. */
export function compileWire(): string {
  const sources = readdirSync(wireFolder).filter((name) => name.endsWith('.cc'));
  const files = [join(sourceFolder, 'wire.cc'), ...sources.map((name) => join(wireFolder, name))];
  const flags = ['-std=c++20', '-O1', '-fno-exceptions', '-fno-rtti', '-I', join(projectRoot, 'native')];
  const program = join(buildFolder, 'wire');
  compileProgram(program, { compiler: 'g++', args: [...flags, ...files], folders: [sourceFolder, wireFolder] });
  return program;
}
