/**
 * Who is measured. A peer is a library with a program of its own in bench/peers/; preparing it installs or compiles
 * what it needs, and tells how its programs are started.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../test/helpers/paths.js';
import { pythonWith } from '../test/helpers/python.js';
import { type CLibrary, compilePeer, libraryVersion } from './prepare/c-program.js';
import { newerNode, type Runtime, thisNode } from './prepare/newer-node.js';
import { installPackage } from './prepare/node-package.js';
import { pythonPackageVersion } from './prepare/python-package.js';
import { Unavailable } from './prepare/unavailable.js';

import type { MeasuredPeer } from './results.js';

export type Language = 'C' | 'JavaScript' | 'Python';

/** How a prepared peer is started: a command, to which the address, the workload and its parameters are added. */
export interface PreparedPeer extends MeasuredPeer {
  /** @param nodeFlags options of Node.js itself, for peers in JavaScript */
  command(role: 'client' | 'service', nodeFlags?: readonly string[]): readonly string[];
  /** Parameters that every program of this peer gets. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Peer {
  readonly id: string;
  readonly title: string;
  readonly language: Language;
  /** Part of a quick run. */
  readonly quick: boolean;
  /** @throws {@link Unavailable} with the reason */
  prepare(): Promise<PreparedPeer>;
}

type Listed = Pick<Peer, 'id' | 'title' | 'quick'>;

function cPeer(listed: Listed, folder: string, library: CLibrary): Peer {
  const peer = { ...listed, language: 'C' as const };
  return {
    ...peer,
    async prepare() {
      const programs = compilePeer(folder, library);
      return { ...peer, version: libraryVersion(library), command: (role) => [programs[role]], parameters: {} };
    },
  };
}

interface NodePeer {
  /** The folder below bench/peers/. */
  readonly folder: string;
  readonly runtime: () => Promise<Runtime> | Runtime;
  readonly version: () => string;
  readonly parameters?: Readonly<Record<string, string>>;
}

function nodePeer(listed: Listed, { folder, runtime, version, parameters = {} }: NodePeer): Peer {
  const peer = { ...listed, language: 'JavaScript' as const };
  return {
    ...peer,
    async prepare() {
      const library = version();
      const { executable, version: node } = await runtime();
      const program = join(projectRoot, 'bench', 'peers', 'harness', 'main.mjs');
      const command = (_role: string, flags: readonly string[] = []) => [executable, ...flags, program, folder];
      return { ...peer, version: `${library}, Node.js ${node.slice(1)}`, command, parameters };
    },
  };
}

function npmPeer(listed: Listed, folder: string, runtime: () => Promise<Runtime> | Runtime = () => thisNode): Peer {
  return nodePeer(listed, { folder, runtime, version: () => installPackage(folder) });
}

function busbar(listed: Listed, transport: string, runtime: () => Promise<Runtime> | Runtime = () => thisNode): Peer {
  const version = () => JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).version as string;
  return nodePeer(listed, { folder: 'busbar', runtime, version, parameters: { transport } });
}

function pythonPeer(listed: Listed, module: string): Peer {
  const peer = { ...listed, language: 'Python' as const };
  return {
    ...peer,
    async prepare() {
      const python = pythonWith(module);
      if (python === undefined) throw new Unavailable(`the Python module ${module} is not installed`);
      const program = join(projectRoot, 'bench', 'peers', 'python', 'main.py');
      const version = await pythonPackageVersion(python, module);
      return { ...peer, version, command: () => [python, program, module], parameters: {} };
    },
  };
}

/** The reference: everything is told as a multiple of it. */
export const reference = 'c-sd-bus';

export const peers: readonly Peer[] = [
  cPeer({ id: reference, title: 'C, sd-bus', quick: true }, 'sd-bus', {
    pkgConfig: 'libsystemd',
    debian: 'libsystemd-dev',
  }),
  cPeer({ id: 'c-libdbus', title: 'C, libdbus', quick: false }, 'libdbus', {
    pkgConfig: 'dbus-1',
    debian: 'libdbus-1-dev',
  }),
  cPeer({ id: 'c-gdbus', title: 'C, GDBus', quick: false }, 'gdbus', {
    pkgConfig: 'gio-2.0',
    debian: 'libglib2.0-dev',
  }),
  busbar({ id: 'busbar-socket', title: 'busbar, socket', quick: true }, 'socket'),
  busbar({ id: 'busbar-sd-bus', title: 'busbar, sd-bus', quick: true }, 'sd-bus'),
  busbar({ id: 'busbar-socket-newer-node', title: 'busbar, newer Node.js', quick: true }, 'socket', newerNode),
  npmPeer({ id: 'dbus-native', title: 'dbus-native', quick: true }, 'dbus-native', newerNode),
  npmPeer({ id: 'homebridge', title: '@homebridge/dbus-native', quick: false }, 'homebridge'),
  npmPeer({ id: 'dbus-next', title: 'dbus-next', quick: true }, 'dbus-next'),
  npmPeer({ id: 'jellybrick', title: '@jellybrick/dbus-next', quick: false }, 'jellybrick'),
  pythonPeer({ id: 'python-dbus-fast', title: 'Python, dbus-fast', quick: false }, 'dbus_fast'),
  pythonPeer({ id: 'python-dbus-next', title: 'Python, dbus-next', quick: false }, 'dbus_next'),
];
