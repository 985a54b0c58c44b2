/**
 * `npm run check:loading`: loads the binaries that no runtime can load here (musl, riscv64) into a small C program that
 * has a little of Node-API, under the C library that they are for, and writes docs/support/figures/loading.json.
 *
 * That proves that the loader takes the file and finds all that it needs, that its constructors run, that memory and
 * strings work without a C++ library, that it registers, and that calls reach the kernel. It proves nothing of what needs
 * an event loop or a JavaScript engine: no connection is made.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { emulatorVersion } from './architectures/emulated-node.mjs';
import { loadings } from './loading/list.mjs';
import { stubs } from './loading/stubs.mjs';
import { root, runQuietly } from './setup/report.mjs';
import { runtimesFolder } from './setup/runtime-packages.mjs';
import { requirePackages } from './setup/system-packages.mjs';
import { orExplain, setupDependencies } from './setup.mjs';

const build = join(root, 'build', 'loading');
const figures = join(root, 'docs/support/figures/loading.json');
const date = new Date().toISOString().slice(0, 10);

await orExplain(setupDependencies, () =>
  requirePackages(
    loadings
      .flatMap(({ compiler, qemu, libraries }) => [compiler, qemu, libraries])
      .filter((tool) => tool !== undefined),
  ),
);
mkdirSync(build, { recursive: true });
mkdirSync(runtimesFolder, { recursive: true });
const rows = [];
await orExplain(() => rows.push(...loadings.map(load)));

const sums = (key) => rows.reduce((sum, row) => sum + row[key], 0);
console.log(`loading: ${sums('passed')} passed, ${sums('failed')} failed`);
mkdirSync(dirname(figures), { recursive: true });
writeFileSync(figures, `{\n  "loads": [\n${rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n')}\n  ]\n}\n`);
process.exitCode = sums('failed') > 0 ? 1 : 0;

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
  // Asked without a program, musl's loader says what it is, as glibc's libc.so.6 does when it is run.
  const about = run(join(systemRoot, loading.loader));
  const version = /version (\d+\.\d+(?:\.\d+)?)/i.exec(`${about.stdout}${about.stderr}`)?.[1];
  const library = `${loading.file.includes('musl') ? 'musl' : 'glibc'} ${version}`;
  return { file: loading.file, library, emulator: emulatorOf(loading), passed, failed, date };
}

function compileHost({ file, compiler, flags }, systemRoot) {
  const generated = join(build, 'stubs.c');
  writeFileSync(generated, stubs());
  const host = join(build, `host-${basename(dirname(file))}-${file.includes('musl') ? 'musl' : 'glibc'}`);
  const nodeApi = createRequire(import.meta.url)('node-api-headers').include_dir;
  const headersOfCompiler = runQuietly(compiler.name, ['-print-file-name=include']).trim();
  runQuietly(compiler.name, [
    ...['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Wno-unused-parameter', '-I', nodeApi, '-rdynamic', '-o', host],
    ...[join(root, 'scripts/loading/host.c'), generated, ...flags(systemRoot, headersOfCompiler)],
  ]);
  return host;
}

/** On a machine of its own architecture the host runs by its loader, which need not be where the file says. */
function commandOf({ qemu, loader }, systemRoot, program) {
  if (qemu !== undefined) return [qemu.name, '-L', systemRoot, program];
  const own = join(systemRoot, loader);
  return program === own ? [own] : [own, program];
}

function emulatorOf({ qemu }) {
  return qemu === undefined ? undefined : `QEMU ${emulatorVersion(qemu.name)}`;
}
