/**
 * Requirements from the distribution: a message bus, the sd-bus library, and for the tests the programs and modules with
 * which busbar is compared. Missing ones are installed if that is possible, otherwise named with the command.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { printStep, runQuietly, SetupError } from './report.mjs';

/** Package managers by program: how each installs without a prompt. */
const installers = {
  'apt-get': ['apt-get', 'install', '-y', '--no-install-recommends'],
  dnf: ['dnf', 'install', '-y'],
  apk: ['apk', 'add'],
  pacman: ['pacman', '-S', '--noconfirm', '--needed'],
};

/** The program of a private bus, with its package by package manager. */
export const bus = {
  name: 'dbus-daemon',
  present: () => hasProgram('dbus-daemon'),
  packages: { 'apt-get': 'dbus', dnf: 'dbus-daemon', apk: 'dbus', pacman: 'dbus' },
};

/**
 * The library of the transport `sd-bus`.
 *
 * @param loadAddon returns the sd-bus library that the addon found, by its own search
 */
export const sdbusLibrary = (loadAddon) => ({
  name: 'libsystemd.so.0',
  need: 'the sd-bus library',
  present: () => loadAddon()?.sdbusLibrary() !== undefined,
  packages: { 'apt-get': 'libsystemd0', dnf: 'systemd-libs', apk: 'basu', pacman: 'systemd-libs' },
});

/** A program, and its package in Debian. */
export const program = (name, debianPackage) => ({
  name,
  present: () => hasProgram(name),
  packages: { 'apt-get': debianPackage },
});

const pythonModule = (name, debianPackage) => ({
  name: `python module ${name}`,
  present: () => existsSync(join('/usr/lib/python3/dist-packages', name)) || hasPythonModule(name),
  packages: { 'apt-get': debianPackage },
});

const header = (file, debianPackage) => ({
  name: debianPackage,
  present: () => existsSync(join('/usr/include', file)),
  packages: { 'apt-get': debianPackage },
});

/** The programs and modules with which the tests compare busbar. Tests whose peer is missing are skipped and say so. */
export const testPeers = [
  bus,
  program('dbus-send', 'dbus'),
  program('dbus-broker', 'dbus-broker'),
  program('xdg-dbus-proxy', 'xdg-dbus-proxy'),
  program('busctl', 'systemd'),
  {
    name: 'polkitd',
    // Not in a folder of programs: the bus starts it.
    present: () => ['/usr/lib/polkit-1', '/usr/libexec'].some((folder) => existsSync(join(folder, 'polkitd'))),
    packages: { 'apt-get': 'polkitd' },
  },
  program('gdbus', 'libglib2.0-bin'),
  program('tshark', 'tshark'),
  program('fish', 'fish'),
  program('zsh', 'zsh'),
  program('playerctl', 'playerctl'),
  program('notify-send', 'libnotify-bin'),
  program('bluetoothctl', 'bluez'),
  program('upower', 'upower'),
  program('powerprofilesctl', 'power-profiles-daemon'),
  program('secret-tool', 'libsecret-tools'),
  program('avahi-browse', 'avahi-utils'),
  {
    name: 'xdg-desktop-portal',
    // Not in a folder of programs: the bus starts it.
    present: () => ['/usr/libexec', '/usr/lib'].some((folder) => existsSync(join(folder, 'xdg-desktop-portal'))),
    packages: { 'apt-get': 'xdg-desktop-portal', dnf: 'xdg-desktop-portal', pacman: 'xdg-desktop-portal' },
  },
  program('python3', 'python3'),
  pythonModule('gi', 'python3-gi'),
  {
    name: 'the GLib objects of UDisks',
    present: () => spawnSync('/usr/bin/python3', ['-c', 'import gi.repository.UDisks']).status === 0,
    packages: { 'apt-get': 'gir1.2-udisks-2.0' },
  },
  {
    name: 'the client of libdbusmenu',
    present: () => spawnSync('/usr/bin/python3', ['-c', 'import gi.repository.Dbusmenu']).status === 0,
    packages: { 'apt-get': 'gir1.2-dbusmenu-glib-0.4' },
  },
  pythonModule('dbusmock', 'python3-dbusmock'),
  // Where systemd would start it, it would take over the network of the machine.
  existsSync('/run/systemd/system')
    ? { name: 'NetworkManager', present: () => hasProgram('NetworkManager'), packages: {} }
    : program('NetworkManager', 'network-manager'),
  // A player of the specification MPRIS.
  program('cmus', 'cmus'),
  pythonModule('dbus_next', 'python3-dbus-next'),
  pythonModule('dbus_fast', 'python3-dbus-fast'),
  program('g++', 'g++'),
  program('gcc', 'gcc'),
  program('pkg-config', 'pkg-config'),
  header('systemd/sd-bus.h', 'libsystemd-dev'),
  header('dbus-1.0/dbus/dbus.h', 'libdbus-1-dev'),
  program('cmake', 'cmake'),
  program('make', 'make'),
  program('readelf', 'binutils'),
  program('strace', 'strace'),
];

/** Runs programs of other architectures; one program each, all in one package. */
export const emulator = (name) => program(name, 'qemu-user-static');

/** Requirements by name, with their purpose if it is not obvious. */
const listed = (things) => things.map(({ name, need }) => (need ? `${name} (${need})` : name)).join(', ');

/** The names of the requirements that are missing on this machine. */
export const missingOf = (things) => things.filter((thing) => !thing.present()).map(({ name }) => name);

/** Installs missing requirements; throws a `SetupError` with the command if it cannot. */
export function requirePackages(things) {
  const missing = things.filter((thing) => !thing.present());
  if (missing.length === 0) return;
  const command = installCommand(missing);
  if (command === undefined) {
    throw new SetupError(`Missing: ${listed(missing)}. Please install it with your package manager.`);
  }
  if (process.getuid() !== 0)
    throw new SetupError(`Missing: ${listed(missing)}. This installs it:\n\n  sudo ${command.join(' ')}`);
  install(command, missing);
  const still = missing.filter((thing) => !thing.present());
  if (still.length > 0) throw new SetupError(`Installed, but still not found: ${listed(still)}`);
}

/** Installs missing requirements if it can, and prints those that are still missing and the consequence. */
export function installOptionalPackages(things, consequence) {
  const missing = things.filter((thing) => !thing.present());
  if (missing.length === 0) return;
  const command = installCommand(missing);
  const canInstall = command !== undefined && process.getuid() === 0;
  if (canInstall) {
    try {
      install(command, missing);
    } catch (error) {
      printStep(error.message);
    }
  }
  const still = missingOf(missing);
  if (still.length === 0) return;
  const hint = command === undefined || canInstall ? '' : `. To install them:  sudo ${command.join(' ')}`;
  printStep(`missing: ${still.join(', ')}; ${consequence}${hint}`);
}

/** The command that installs those that this machine's package manager has. */
function installCommand(things) {
  const manager = Object.keys(installers).find(hasProgram);
  if (manager === undefined) return undefined;
  const packages = new Set(things.map((thing) => thing.packages[manager]).filter((name) => name !== undefined));
  return packages.size === 0 ? undefined : [...installers[manager], ...packages];
}

function install([manager, ...args], things) {
  printStep(`installing ${things.map((thing) => thing.name).join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if (manager !== 'apt-get') return runQuietly(manager, args, env);
  // A new container has no package lists, and one unknown package would make the whole command fail.
  runQuietly('apt-get', ['update'], env);
  const known = args.filter(
    (argument) => argument === 'install' || argument.startsWith('-') || hasAptPackage(argument),
  );
  runQuietly('apt-get', known, env);
}

function hasAptPackage(name) {
  const { stdout } = spawnSync('apt-cache', ['policy', name], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return /Candidate: (?!\(none\))/.test(stdout);
}

export function hasProgram(name) {
  const folders = [...(process.env.PATH || '').split(':'), '/usr/bin', '/usr/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function hasPythonModule(name) {
  return spawnSync('python3', ['-c', `import ${name}`]).status === 0;
}
