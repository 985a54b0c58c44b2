/** The readers in C and C++: compiled when they are first needed, as a distribution would, and when a source is newer. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { missingPrograms, projectRoot } from '../../helpers/paths.js';

const buildFolder = join(projectRoot, 'build', 'differential');
const sourceFolder = join(projectRoot, 'test', 'differential', 'readers');
const wireFolder = join(projectRoot, 'native', 'wire');

/** A library that a reader is written for, by its name in pkg-config; with Debian's package that has the headers. */
export interface Library {
  readonly name: string;
  readonly debian: string;
}

/** What a reader in C needs and this machine lacks. */
export function missingForC({ name, debian }: Library): string | undefined {
  const missing = missingPrograms('gcc', 'pkg-config');
  if (missing !== undefined) return missing;
  return libraryVersion(name) === undefined ? `${debian} not installed` : undefined;
}

/** The version of a library; `undefined` where its headers are not installed. */
export function libraryVersion(name: string): string | undefined {
  const { status, stdout } = spawnSync('pkg-config', ['--modversion', name], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** Compiles `SOURCE.c` of this folder; returns the program. */
export function compileC(source: string, library: Library): string {
  const { stdout } = spawnSync('pkg-config', ['--cflags', '--libs', library.name], { encoding: 'utf8' });
  const file = join(sourceFolder, `${source}.c`);
  const flags = ['-std=gnu17', '-D_GNU_SOURCE', '-O1', '-Wall', '-Wextra', '-Wno-unused-function'];
  return compiled('gcc', [...flags, file], stdout.trim().split(/\s+/), source, [sourceFolder]);
}

/** What busbar's own check needs and this machine lacks. */
export const missingForWire = (): string | undefined => missingPrograms('g++');

/** Compiles the check of whole messages: `native/wire`, which needs the standard library only. */
export function compileWire(): string {
  const sources = readdirSync(wireFolder).filter((name) => name.endsWith('.cc'));
  const files = [join(sourceFolder, 'wire.cc'), ...sources.map((name) => join(wireFolder, name))];
  const flags = ['-std=c++20', '-O1', '-fno-exceptions', '-fno-rtti', '-I', join(projectRoot, 'native')];
  return compiled('g++', [...flags, ...files], [], 'wire', [sourceFolder, wireFolder]);
}

function compiled(
  compiler: string,
  args: readonly string[],
  libraries: readonly string[],
  name: string,
  sources: readonly string[],
): string {
  const program = join(buildFolder, name);
  if (existsSync(program) && statSync(program).mtimeMs > newestIn(sources)) return program;
  mkdirSync(buildFolder, { recursive: true });
  const { status, stderr, error } = spawnSync(compiler, [...args, '-o', program, ...libraries], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name} does not compile: ${error?.message ?? stderr}`);
  return program;
}

function newestIn(folders: readonly string[]): number {
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}
