/**
 * The peers of the benchmark. A peer is a library with its programs in bench/peers/; preparing it installs or compiles what
 * it needs, and returns how its programs are started. npm packages are installed below build/, so that they are not in the
 * project's lock file.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { newestNode } from '../scripts/runtimes/list.mjs';
import { SetupError } from '../scripts/setup/report.mjs';
import { installPackages, installRuntime } from '../scripts/setup/runtime-packages.mjs';
import { requirePackages } from '../scripts/setup/system-packages.mjs';
import { compileProgram } from '../test/helpers/compiled-program.js';
import { programPath, projectRoot } from '../test/helpers/paths.js';
import { outputOf } from '../test/helpers/program.js';
import { pythonWith } from '../test/helpers/python.js';

export interface MeasuredPeer {
  readonly id: string;
  readonly title: string;
  readonly language: 'C' | 'C++' | 'GJS' | 'JavaScript' | 'Python';
  /** The version of the library, and of its runtime. */
  readonly version: string;
}

/** How a prepared peer is started: a command, to which the address, the workload and its parameters are added. */
export interface PreparedPeer extends MeasuredPeer {
  /** @param nodeFlags options of Node.js itself, for peers in JavaScript */
  command(role: 'client' | 'service', nodeFlags?: readonly string[]): readonly string[];
  /** Parameters of every program of this peer. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly programs?: readonly string[] | undefined;
}

type Listed = Pick<MeasuredPeer, 'id' | 'title' | 'language'> & {
  /** Part of a quick run. */
  readonly quick?: boolean;
  /** The workloads that its program has; all of them, if left out. */
  readonly programs?: readonly string[];
};

export interface Peer extends Listed {
  /** @throws `SetupError` with the reason why it cannot take part; the benchmark continues without it */
  prepare(): Promise<PreparedPeer>;
}

/** All results are also given as a multiple of it. */
export const reference = 'c-sd-bus';
/** busbar with its defaults, and on the runtime that {@link rival} needs. */
export const subject = 'busbar-socket';
export const newer = 'busbar-socket-newer-node';
export const rival = 'dbus-native';

/** A Node.js, and its reported version. */
export interface Runtime {
  readonly executable: string;
  readonly version: string;
}

export const thisNode = (): Runtime => ({ executable: process.execPath, version: process.version });

/** A newer one for peers that need it, and for busbar, for a fair comparison with them. */
export function newerNode(): Runtime {
  if (`${process.platform}-${process.arch}` !== 'linux-x64')
    throw new SetupError('a newer Node.js is set up for linux-x64 alone');
  return { executable: installRuntime(newestNode), version: `v${newestNode.version}` };
}

/** npm packages, and how they are imported: by a file, from whose folder their own parts are found. */
const packages = {
  'dbus-native': { 'dbus-native': '0.16.1' },
  homebridge: { '@homebridge/dbus-native': '0.7.9' },
  'dbus-next': { 'dbus-next': '0.10.2' },
  jellybrick: { '@jellybrick/dbus-next': '0.11.3' },
} as const;

export type NodePackage = keyof typeof packages;

/** Installs a package unless it is there; returns its name, its version and its folder. */
export function installPeer(id: NodePackage): {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
} {
  const [[name, version]] = Object.entries(packages[id]) as [[string, string]];
  return { name, version, folder: join(installPackages(name, packages[id]), name) };
}

function nodePeer(
  listed: Listed,
  program: string,
  runtime: () => Runtime,
  library: () => { version: string; arguments: readonly string[] },
): Peer {
  return {
    ...listed,
    async prepare() {
      const { version, arguments: args } = library();
      const { executable, version: node } = runtime();
      const harness = [join(projectRoot, 'bench/peers/harness.mjs'), join(projectRoot, `bench/peers/${program}.mjs`)];
      const command = (_role: string, flags: readonly string[] = []) => [executable, ...flags, ...harness, ...args];
      const parameters = program === 'busbar' ? { transport: listed.id.includes('sd-bus') ? 'sd-bus' : 'socket' } : {};
      return { ...listed, version: `${version}, Node.js ${node.slice(1)}`, command, parameters };
    },
  };
}

function npmPeer(
  id: NodePackage,
  title: string,
  more: { program?: string; quick?: boolean; runtime?: () => Runtime } = {},
): Peer {
  const { program = id, runtime = thisNode, quick = false } = more;
  return nodePeer({ id, title, language: 'JavaScript', quick }, program, runtime, () => {
    const { version, folder } = installPeer(id);
    return { version, arguments: [folder] };
  });
}

function busbar(id: string, title: string, runtime: () => Runtime = thisNode): Peer {
  return nodePeer({ id, title, language: 'JavaScript', quick: true }, 'busbar', runtime, () => {
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
    return { version, arguments: [projectRoot] };
  });
}

const program = (name: string, debian = name) => ({
  name,
  present: () => programPath(name) !== undefined,
  packages: { 'apt-get': debian },
});

const c: Peer = {
  ...{ id: reference, title: 'C, sd-bus', language: 'C', quick: true },
  async prepare() {
    const pkgConfig = (...args: string[]) => spawnSync('pkg-config', [...args, 'libsystemd'], { encoding: 'utf8' });
    const headers = {
      name: 'headers of libsystemd',
      present: () => pkgConfig('--exists').status === 0,
      packages: { 'apt-get': 'libsystemd-dev' },
    };
    requirePackages([program('gcc'), program('pkg-config'), headers]);
    const sources = join(projectRoot, 'bench/peers/sd-bus');
    const compile = (role: string) => {
      const options = ['-std=gnu17', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-Wno-unused-function'];
      const flags = pkgConfig('--cflags', '--libs').stdout.trim().split(/\s+/);
      const executable = join(projectRoot, `build/bench/sd-bus-${role}`);
      const args = [...options, join(sources, `${role}.c`), ...flags];
      compileProgram(executable, { compiler: 'gcc', args, folders: [sources] });
      return executable;
    };
    const programs = { client: compile('client'), service: compile('service') };
    const version = pkgConfig('--modversion').stdout.trim();
    return { ...this, version, command: (role) => [programs[role]], parameters: {} };
  },
};

/** The workloads of the libraries of other languages. */
const mainPrograms = ['calls', 'signals', 'objects', 'service'];

/** A C++ library that pkg-config knows, and its program. */
function cppPeer(
  listed: Pick<Listed, 'id' | 'title'>,
  library: { readonly name: string; readonly debian: string; readonly standard: string },
  generate: (library: string, source: string) => readonly string[] = () => [],
): Peer {
  return {
    ...{ ...listed, language: 'C++', programs: mainPrograms },
    async prepare() {
      const pkgConfig = (...args: string[]) => spawnSync('pkg-config', [...args, library.name], { encoding: 'utf8' });
      const headers = {
        name: `headers of ${library.name}`,
        present: () => pkgConfig('--exists').status === 0,
        packages: { 'apt-get': library.debian },
      };
      requirePackages([program('g++'), program('pkg-config'), headers]);
      const sources = join(projectRoot, 'bench/peers');
      const executable = join(projectRoot, `build/bench/${listed.id}`);
      const source = join(sources, `${listed.id}.cc`);
      const flags = pkgConfig('--cflags', '--libs').stdout.trim().split(/\s+/);
      const options = [`-std=${library.standard}`, '-O2', '-fPIC', '-Wall', '-Wextra', '-Wno-unused-function'];
      const args = [...options, ...generate(library.name, source), source, ...flags];
      compileProgram(executable, { compiler: 'g++', args, folders: [sources] });
      const version = pkgConfig('--modversion').stdout.trim();
      return { ...this, version, command: () => [executable], parameters: {} };
    },
  };
}

/** Writes the code that Qt needs for the slots of a program; returns the option for the compiler to find it. */
function mocOf(library: string, source: string): readonly string[] {
  const tools = spawnSync('pkg-config', ['--variable=host_bins', library.replace('DBus', 'Core')], {
    encoding: 'utf8',
  });
  const folder = join(projectRoot, 'build/bench/moc');
  mkdirSync(folder, { recursive: true });
  const args = [source, '-o', join(folder, `${basename(source, '.cc')}.moc`)];
  const { status, stderr } = spawnSync(join(tools.stdout.trim(), 'moc'), args, { encoding: 'utf8' });
  if (status !== 0) throw new SetupError(`moc failed: ${stderr}`);
  return [`-I${folder}`];
}

const gjs: Peer = {
  // It does not receive signals here: GJS 1.74 drops some of many while it collects garbage.
  ...{ id: 'gjs', title: 'GJS', language: 'GJS', programs: ['calls', 'objects', 'service'] },
  async prepare() {
    requirePackages([program('gjs')]);
    const version = (await outputOf('gjs', ['--version'])).trim().replace('gjs ', '');
    const main = join(projectRoot, 'bench/peers/gjs_peer.js');
    return { ...this, version, command: () => ['gjs', '-m', main], parameters: {} };
  },
};

const python: Peer = {
  ...{ id: 'python-dbus-fast', title: 'Python, dbus-fast', language: 'Python' },
  async prepare() {
    const interpreter = pythonWith('dbus_fast');
    if (interpreter === undefined) throw new SetupError('the Python module dbus_fast is not installed');
    const script = `
import importlib.metadata, platform
try: version = importlib.metadata.version("dbus-fast")
except importlib.metadata.PackageNotFoundError: version = "of the distribution"
print(version + ", Python " + platform.python_version())`;
    const version = (await outputOf(interpreter, ['-c', script])).trim();
    const main = join(projectRoot, 'bench/peers/dbus_fast_peer.py');
    return { ...this, version, command: () => [interpreter, main], parameters: {} };
  },
};

export const peers: readonly Peer[] = [
  c,
  busbar(subject, 'busbar, socket'),
  busbar('busbar-sd-bus', 'busbar, sd-bus'),
  busbar(newer, 'busbar, newer Node.js', newerNode),
  npmPeer(rival, 'dbus-native', { runtime: newerNode, quick: true }),
  npmPeer('homebridge', '@homebridge/dbus-native'),
  npmPeer('dbus-next', 'dbus-next', { quick: true }),
  // The maintained fork of dbus-next has the same interface.
  npmPeer('jellybrick', '@jellybrick/dbus-next', { program: 'dbus-next' }),
  python,
  cppPeer(
    { id: 'sdbus-c++', title: 'C++, sdbus-c++' },
    { name: 'sdbus-c++', debian: 'libsdbus-c++-dev', standard: 'c++20' },
  ),
  cppPeer({ id: 'qtdbus', title: 'C++, QtDBus' }, { name: 'Qt5DBus', debian: 'qtbase5-dev', standard: 'c++17' }, mocOf),
  gjs,
];
