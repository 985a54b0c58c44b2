/** The readers of messages besides busbar: how each is started, its version, and what this machine lacks for it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../helpers/paths.js';
import { pythonWith } from '../../helpers/python.js';
import { compileC, compileWire, libraryVersion, missingForC, missingForWire } from './c-program.js';

export interface ProgramReader {
  readonly name: string;
  readonly missing: string | undefined;
  /** The command; a program is compiled first if needed. */
  readonly command: () => readonly string[];
  readonly version: () => string | undefined;
  /** Whether it gets thousands of broken messages. */
  readonly readsBroken: boolean;
}

const sdbus = { name: 'libsystemd', debian: 'libsystemd-dev' };
const libdbus = { name: 'dbus-1', debian: 'libdbus-1-dev' };

/** busbar's own check of whole messages, which names the broken rule. */
export const wireCheck: ProgramReader = {
  name: 'busbar/wire',
  missing: missingForWire(),
  command: () => [compileWire()],
  version: () => undefined,
  readsBroken: true,
};

export const otherReaders: readonly ProgramReader[] = [
  {
    name: 'sd-bus',
    missing: missingForC(sdbus),
    command: () => [compileC('sd-bus', sdbus)],
    version: () => libraryVersion(sdbus.name),
    readsBroken: true,
  },
  {
    name: 'libdbus',
    missing: missingForC(libdbus),
    command: () => [compileC('libdbus', libdbus)],
    version: () => libraryVersion(libdbus.name),
    readsBroken: true,
  },
  pythonReader('GDBus', 'gi', 'read_gio.py'),
  pythonReader('dbus-next', 'dbus_next', 'read_asyncio.py', 'dbus_next'),
  // Version 1.84 hangs on one message in two hundred, and is then abandoned after seconds.
  { ...pythonReader('dbus-fast', 'dbus_fast', 'read_asyncio.py', 'dbus_fast'), readsBroken: false },
];

/** How a module calls its version; GLib's is that of GDBus. */
const versionCode: Readonly<Record<string, string>> = {
  gi: 'from gi.repository import GLib; print(GLib.MAJOR_VERSION, GLib.MINOR_VERSION, GLib.MICRO_VERSION, sep=".")',
  dbus_next: 'import dbus_next.__version__ as about; print(about.__version__)',
  dbus_fast: 'import dbus_fast.__version__ as about; print(about.__version__)',
};

function pythonReader(name: string, module: string, script: string, ...args: readonly string[]): ProgramReader {
  const python = pythonWith(module);
  return {
    name,
    missing: python === undefined ? `python module ${module} not installed` : undefined,
    command: () => [python as string, join(projectRoot, 'test/differential/readers', script), ...args],
    version: () => {
      const { status, stdout } = spawnSync(python as string, ['-c', versionCode[module] as string], {
        encoding: 'utf8',
      });
      return status === 0 ? stdout.trim() : undefined;
    },
    readsBroken: true,
  };
}
