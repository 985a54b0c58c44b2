/** Programs in C and C++ of tests and benchmarks: compiled when they are first needed, and when a source is newer. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Compilation {
  readonly compiler: 'gcc' | 'g++';
  /** Options and sources, followed by the libraries. */
  readonly args: readonly string[];
  /** Every file in these folders counts as a source. */
  readonly folders: readonly string[];
}

/**
 * Compiles a program unless it is newer than its sources.
 *
 * @throws Error with the output of the compiler
 */
export function compileProgram(program: string, { compiler, args, folders }: Compilation): void {
  if (existsSync(program) && statSync(program).mtimeMs > newestIn(folders)) return;
  mkdirSync(dirname(program), { recursive: true });
  // Suites run in parallel, and a program cannot run while it is written: it gets its name once it is complete.
  const unfinished = `${program}.${process.pid}`;
  const { status, stderr, error } = spawnSync(compiler, [...args, '-o', unfinished], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} does not compile: ${error?.message ?? stderr}`);
  renameSync(unfinished, program);
}

function newestIn(folders: readonly string[]): number {
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}
