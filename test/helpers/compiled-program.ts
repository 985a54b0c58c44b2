/** Programs in C and C++ that tests and benchmarks use: compiled when they are first needed, and when a source is newer. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Compilation {
  readonly compiler: 'gcc' | 'g++';
  /** Options and sources, and the libraries behind them. */
  readonly args: readonly string[];
  /** Every file in these folders counts as a source. */
  readonly folders: readonly string[];
}

/**
 * Sees to it that a program is there and as new as its sources.
 *
 * @throws Error with what the compiler said
 */
export function compileProgram(program: string, { compiler, args, folders }: Compilation): void {
  if (existsSync(program) && statSync(program).mtimeMs > newestIn(folders)) return;
  mkdirSync(dirname(program), { recursive: true });
  // Suites run beside one another, and nobody can run a program that somebody is writing: it gets its name when it is whole.
  const unfinished = `${program}.${process.pid}`;
  const { status, stderr, error } = spawnSync(compiler, [...args, '-o', unfinished], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} does not compile: ${error?.message ?? stderr}`);
  renameSync(unfinished, program);
}

function newestIn(folders: readonly string[]): number {
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}
