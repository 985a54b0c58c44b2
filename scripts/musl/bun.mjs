/**
 * Bun for musl as a program of this machine: it is the one JavaScript runtime for musl that npm has. What Alpine would have
 * around it is put together from Debian's packages:
 *
 * - musl itself, from a package that only a few programs of Debian use;
 * - the C++ library that Bun needs, linked from Debian's static one, which was compiled for glibc: the functions of glibc
 *   that it wants are in glibc-names.c;
 * - an sd-bus library, Debian's libelogind, which wants a few more of them.
 *
 * busbar's binary takes no part in this: it needs musl alone.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importsOf, inspect } from '../prebuilds/elf.mjs';
import { unpackForeign } from '../setup/foreign-packages.mjs';
import { root, runQuietly } from '../setup/report.mjs';
import { installRuntime, runtimesFolder } from '../setup/runtime-packages.mjs';

const bun = { name: '@oven/bun-linux-x64-musl', version: '1.4.5', executable: 'bin/bun', foreign: true };
const triplet = 'x86_64-linux-musl';

/** Debian's musl for this machine's architecture. */
export const muslX64 = { name: 'musl-x64', architecture: 'amd64', packages: ['musl', 'musl-dev'] };
const elogind = { name: 'elogind-x64', architecture: 'amd64', packages: ['libelogind0', 'libcap2'] };

/** Installs and links what it needs, and returns the path of the program. Throws a `SetupError` where it cannot. */
export function muslBun() {
  const executable = installRuntime(bun);
  const musl = unpackForeign(muslX64);
  const libraries = join(unpackForeign(elogind), 'lib/x86_64-linux-gnu');
  const folder = join(runtimesFolder, 'musl-bun');
  mkdirSync(folder, { recursive: true });
  linkLibraries(folder, executable, musl);
  const [program, start] = ['bun', 'start.mjs'].map((name) => join(folder, name));
  // To Bun the loader is the program; what tests start with process.execPath is started like this one.
  writeFileSync(start, `process.execPath = ${JSON.stringify(program)};\n`);
  // Not by an environment variable, which would reach the programs of this machine that tests start.
  const loader = [join(musl, 'lib/ld-musl-x86_64.so.1'), '--library-path', `${folder}:${libraries}`];
  const command = [...loader, executable, '--preload', start].map((word) => `'${word}'`);
  writeFileSync(program, `#!/bin/sh\nexec ${command.join(' ')} "$@"\n`, { mode: 0o755 });
  return program;
}

/** What musl says that it is, `1.2.3`. */
export function muslVersion() {
  const { stderr } = spawnSync(join(unpackForeign(muslX64), 'lib/ld-musl-x86_64.so.1'), { encoding: 'utf8' });
  return /version (\d+\.\d+\.\d+)/i.exec(stderr)?.[1];
}

function linkLibraries(folder, executable, musl) {
  const ofCompiler = (name) => runQuietly('g++', [`-print-file-name=${name}`]).trim();
  const names = join(folder, 'glibc-names.o');
  runQuietly('gcc', [
    ...['-O1', '-fPIC', '-Wall', '-Wextra', '-Wno-unused-parameter', '-c', '-o', names],
    ...['-nostdinc', '-isystem', join(musl, 'usr/include', triplet), '-isystem', ofCompiler('include')],
    join(root, 'scripts/musl/glibc-names.c'),
  ]);
  const library = (name, ...contents) => {
    const path = join(folder, name);
    runQuietly('gcc', ['-shared', '-nostdlib', `-Wl,-soname,${name}`, '-o', path, ...contents]);
    return path;
  };
  // libelogind asks for glibc's loader, so that is the name of what stands in for glibc.
  const glibc = library('ld-linux-x86-64.so.2', names);
  const has = new Set(inspect(join(musl, 'lib', triplet, 'libc.so')).exported);
  const wanted = importsOf(executable).filter((name) => !has.has(name));
  library(
    'libstdc++.so.6',
    ...['-Wl,--no-as-needed', glibc, ofCompiler('crtbeginS.o'), ...wanted.map((name) => `-Wl,-u,${name}`)],
    ...['libstdc++.a', 'libgcc_eh.a', 'libgcc.a', 'crtendS.o'].map(ofCompiler),
  );
}
