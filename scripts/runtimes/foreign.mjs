/**
 * Runtimes of other architectures and C libraries as programs of this machine, so that tests can start them like any other.
 * The kernel cannot run an emulated one, and binfmt_misc is not used because it would affect the whole machine.
 *
 * Bun is the only JavaScript runtime for musl on npm. The libraries that it has in Alpine are put together from Debian's
 * packages:
 *
 * - musl itself, from a package that only a few programs of Debian use;
 * - the C++ library that Bun needs, linked from Debian's static one, which was compiled for glibc: the functions of glibc
 *   that it needs are in glibc-names.c;
 * - an sd-bus library, Debian's libelogind, which needs a few more of them.
 *
 * busbar's binary does not use these: it needs musl alone.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importsOf, inspect } from '../prebuilds/elf.mjs';
import { unpackForeign } from '../setup/foreign-packages.mjs';
import { root, runQuietly } from '../setup/report.mjs';
import { installRuntime, runtimesFolder } from '../setup/runtime-packages.mjs';
import { emulator } from '../setup/system-packages.mjs';

/** libsystemd contains the sd-bus library; the rest of the line is its dependencies. */
const libraries = [
  ...['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1'],
  ...['libsystemd0', 'libcap2', 'libgcrypt20', 'libgpg-error0', 'liblz4-1', 'liblzma5', 'libzstd1'],
];

/** A Node.js whose processor QEMU emulates, with Debian's libraries for it. */
export function emulated(arch, { debian, cpu, version, qemu }) {
  const systemRoot = { name: `glibc-${arch}`, architecture: debian, packages: libraries };
  const node = { name: `node-linux-${cpu}`, version, executable: 'bin/node', foreign: true };
  const emulatedNode = () => {
    const command = [qemu, '-L', unpackForeign(systemRoot), installRuntime(node)];
    return programOf(`emulated-${node.name}`, 'node', command, '--import');
  };
  return { tools: [emulator(qemu)], program: emulatedNode, under: () => `QEMU ${emulatorVersion(qemu)}` };
}

export function emulatorVersion(qemu) {
  return /version (\d+\.\d+\.\d+)/.exec(runQuietly(qemu, ['--version']))?.[1];
}

/**
 * A program that runs a command with a preloaded module. Programs that tests start with process.execPath are started like
 * this, too.
 */
function programOf(name, executable, command, option) {
  const folder = join(runtimesFolder, name);
  mkdirSync(folder, { recursive: true });
  const [program, start] = [executable, 'start.mjs'].map((file) => join(folder, file));
  writeFileSync(start, `process.execPath = ${JSON.stringify(program)};\n`);
  const words = [...command, option, start].map((word) => `'${word}'`);
  writeFileSync(program, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
  return program;
}

const bun = { name: '@oven/bun-linux-x64-musl', version: '1.4.5', executable: 'bin/bun', foreign: true };
const triplet = 'x86_64-linux-musl';

/** Debian's musl for this machine's architecture. */
export const muslX64 = { name: 'musl-x64', architecture: 'amd64', packages: ['musl', 'musl-dev'] };
const elogind = { name: 'elogind-x64', architecture: 'amd64', packages: ['libelogind0', 'libcap2'] };

/** Installs and links its requirements, and returns the path of the program. Throws a `SetupError` if it cannot. */
export function muslBun() {
  const executable = installRuntime(bun);
  const musl = unpackForeign(muslX64);
  const elogindLibraries = join(unpackForeign(elogind), 'lib/x86_64-linux-gnu');
  const folder = join(runtimesFolder, 'musl-bun');
  mkdirSync(folder, { recursive: true });
  linkLibraries(folder, executable, musl);
  // By options, and not by an environment variable, which would affect the programs of this machine that tests start.
  const loader = [join(musl, 'lib/ld-musl-x86_64.so.1'), '--library-path', `${folder}:${elogindLibraries}`];
  return programOf('musl-bun', 'bun', [...loader, executable], '--preload');
}

/** The version that musl reports, `1.2.3`. */
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
    join(root, 'scripts/runtimes/glibc-names.c'),
  ]);
  const library = (name, ...contents) => {
    const path = join(folder, name);
    runQuietly('gcc', ['-shared', '-nostdlib', `-Wl,-soname,${name}`, '-o', path, ...contents]);
    return path;
  };
  // libelogind needs glibc's loader, so that is the name of the library in its place.
  const glibc = library('ld-linux-x86-64.so.2', names);
  const has = new Set(inspect(join(musl, 'lib', triplet, 'libc.so')).exported);
  const wanted = importsOf(executable).filter((name) => !has.has(name));
  library(
    'libstdc++.so.6',
    ...['-Wl,--no-as-needed', glibc, ofCompiler('crtbeginS.o'), ...wanted.map((name) => `-Wl,-u,${name}`)],
    ...['libstdc++.a', 'libgcc_eh.a', 'libgcc.a', 'crtendS.o'].map(ofCompiler),
  );
}
