/**
 * `npm run check:loading`: loads the binaries that no runtime can load here (musl, riscv64) into a small C program with a
 * part of Node-API, under the C library that they are for.
 *
 * That proves that the loader accepts the file and finds everything that it needs, that its constructors run, that memory
 * and strings work without a C++ library, that it registers, and that calls reach the kernel. It does not test the parts
 * that need an event loop or a JavaScript engine: no connection is made.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { readOptions } from './options.mjs';
import { pages, table, today, writeResults } from './report.mjs';
import { emulatorVersion, muslX64 } from './runtimes/foreign.mjs';
import { unpackForeign } from './setup/foreign-packages.mjs';
import { root, runQuietly } from './setup/report.mjs';
import { runtimesFolder } from './setup/runtime-packages.mjs';
import { emulator, program, requirePackages } from './setup/system-packages.mjs';
import { runSetup, setupDependencies } from './setup.mjs';

const USAGE = `Usage: npm run check:loading -- [options]

  loads the binaries that no runtime can load on this machine, under their C library.

  --report    writes docs/support.md
  --help      prints this text`;

const { values } = readOptions(USAGE, { report: { type: 'boolean', default: false } });

const build = join(root, 'build', 'loading');
const gcc = program('gcc', 'gcc');
const crossGcc = (triplet) => program(`${triplet}-gcc`, `gcc-${triplet}`);
const nodeApi = createRequire(import.meta.url)('node-api-headers');

/**
 * Each has a compiler for the host program, `flags` that make it a program of that C library, and the loader that runs it.
 */
const loadings = [
  musl({ arch: 'x64', packages: muslX64, machine: 'x86_64', compiler: gcc }),
  musl({
    ...{ arch: 'arm64', machine: 'aarch64', compiler: crossGcc('aarch64-linux-gnu') },
    packages: { ...muslX64, name: 'musl-arm64', architecture: 'arm64' },
    qemu: emulator('qemu-aarch64-static'),
  }),
  {
    file: 'linux-riscv64/busbar.glibc.node',
    compiler: crossGcc('riscv64-linux-gnu'),
    qemu: emulator('qemu-riscv64-static'),
    libraries: program('riscv64-linux-gnu-g++', 'g++-riscv64-linux-gnu'),
    systemRoot: () => '/usr/riscv64-linux-gnu',
    flags: () => ['-ldl'],
    loader: 'lib/libc.so.6',
  },
];

await runSetup(setupDependencies, () =>
  requirePackages(
    loadings
      .flatMap(({ compiler, qemu, libraries }) => [compiler, qemu, libraries])
      .filter((tool) => tool !== undefined),
  ),
);
mkdirSync(build, { recursive: true });
mkdirSync(runtimesFolder, { recursive: true });
const rows = [];
await runSetup(() => rows.push(...loadings.map(load)));
const sum = (column) => rows.reduce((total, row) => total + row[column], 0);
writeResults({
  ...{ page: pages.support, section: 'loading', command: 'npm run check:loading', figures: rows },
  text: table(['binary', 'under', 'passed', 'failed', 'date'], rows),
  write: values.report,
});
console.log(`loading: ${sum(2)} passed, ${sum(3)} failed`);
process.exitCode = sum(3) > 0 ? 1 : 0;

function load(loading) {
  const systemRoot = loading.systemRoot();
  const host = compileHost(loading, systemRoot);
  const run = (program, ...args) => {
    const command = commandOf(loading, systemRoot, program);
    return spawnSync(command[0], [...command.slice(1), ...args], { encoding: 'utf8' });
  };
  console.log(`\n${loading.file}`);
  const { stdout, stderr, status } = run(host, join(root, 'prebuilds', loading.file));
  process.stdout.write(`${stdout}${stderr}`);
  const passed = stdout.match(/^ok - /gm)?.length ?? 0;
  const failed = Math.max(stdout.match(/^not ok - /gm)?.length ?? 0, Number(status !== 0));
  // Without a program, musl's loader prints its version, as glibc's libc.so.6 does when it is run.
  const about = run(join(systemRoot, loading.loader));
  const version = /version (\d+\.\d+(?:\.\d+)?)/i.exec(`${about.stdout}${about.stderr}`)?.[1];
  const library = `${loading.file.includes('musl') ? 'musl' : 'glibc'} ${version}`;
  const emulation = loading.qemu === undefined ? '' : ` in QEMU ${emulatorVersion(loading.qemu.name)}`;
  return [loading.file, `${library}${emulation}`, passed, failed, today()];
}

function compileHost({ file, compiler, flags }, systemRoot) {
  const generated = join(build, 'stubs.c');
  writeFileSync(generated, stubs());
  const host = join(build, `host-${basename(dirname(file))}-${file.includes('musl') ? 'musl' : 'glibc'}`);
  const headersOfCompiler = runQuietly(compiler.name, ['-print-file-name=include']).trim();
  runQuietly(compiler.name, [
    ...[
      '-std=gnu11',
      '-O1',
      '-Wall',
      '-Wextra',
      '-Wno-unused-parameter',
      '-I',
      nodeApi.include_dir,
      '-rdynamic',
      '-o',
      host,
    ],
    ...[join(root, 'scripts/loading/host.c'), generated, ...flags(systemRoot, headersOfCompiler)],
  ]);
  return host;
}

/** On a machine of its own architecture the host is run by its loader, which need not be where the file says. */
function commandOf({ qemu, loader }, systemRoot, program) {
  if (qemu !== undefined) return [qemu.name, '-L', systemRoot, program];
  const own = join(systemRoot, loader);
  return program === own ? [own] : [own, program];
}

/** The functions of Node-API that host.c does not have: weak ones, which print their name and end the process. */
function stubs() {
  const { js_native_api_symbols: engine, node_api_symbols: runtime } = nodeApi.symbols.v9;
  const functions = [...engine, ...runtime].map(
    (name) => `__attribute__((weak)) int ${name}(void) { return unexpected("${name}"); }`,
  );
  return ['int unexpected(const char* name);', ...functions, ''].join('\n');
}

/**
 * Debian's musl: neither built nor linked by zig, which makes the binaries. The host is put together as musl-gcc does,
 * which exists for this machine only.
 */
function musl({ arch, packages, machine, compiler, qemu }) {
  return {
    file: `linux-${arch}/busbar.musl.node`,
    ...{ compiler, qemu },
    systemRoot: () => unpackForeign(packages),
    flags(systemRoot, headersOfCompiler) {
      const headers = join(systemRoot, 'usr/include', `${machine}-linux-musl`);
      const objects = join(systemRoot, 'usr/lib', `${machine}-linux-musl`);
      const loader = `/lib/ld-musl-${machine}.so.1`;
      return [
        ...['-nostdinc', '-isystem', headers, '-isystem', headersOfCompiler],
        ...['-nostdlib', '-fPIE', '-pie', `-Wl,-dynamic-linker,${loader}`],
        ...['Scrt1.o', 'crti.o', 'crtn.o'].map((name) => join(objects, name)),
        ...['-L', join(systemRoot, 'lib', `${machine}-linux-musl`), '-l:libc.so', '-lgcc'],
      ];
    },
    loader: `lib/ld-musl-${machine}.so.1`,
  };
}
