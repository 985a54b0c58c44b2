/** Who reads messages besides busbar: how each is started, what it is, and what this machine lacks for it. */
import { projectRoot } from '../../helpers/paths.js';
import { pythonWith } from '../../helpers/python.js';
import { compileC, compileWire, libraryVersion, missingForC, missingForWire } from './c-program.js';

export interface ProgramReader {
  readonly name: string;
  readonly missing: string | undefined;
  /** The command; what it runs is compiled first where that is needed. */
  readonly command: () => readonly string[];
  readonly version: () => string | undefined;
}

const sdbus = { name: 'libsystemd', debian: 'libsystemd-dev' };
const libdbus = { name: 'dbus-1', debian: 'libdbus-1-dev' };

/** busbar's own check of whole messages, which knows what rule is broken. */
export const wireCheck: ProgramReader = {
  name: 'busbar/wire',
  missing: missingForWire(),
  command: () => [compileWire()],
  version: () => undefined,
};

export const otherReaders: readonly ProgramReader[] = [
  {
    name: 'sd-bus',
    missing: missingForC(sdbus),
    command: () => [compileC('sd-bus', sdbus)],
    version: () => libraryVersion(sdbus.name),
  },
  {
    name: 'libdbus',
    missing: missingForC(libdbus),
    command: () => [compileC('libdbus', libdbus)],
    version: () => libraryVersion(libdbus.name),
  },
  { ...pythonReader('GDBus', 'gi', 'read_gio.py'), version: () => libraryVersion('gio-2.0') },
  pythonReader('dbus-next', 'dbus_next', 'read_asyncio.py', 'dbus_next'),
  pythonReader('dbus-fast', 'dbus_fast', 'read_asyncio.py', 'dbus_fast'),
];

function pythonReader(name: string, module: string, script: string, ...args: readonly string[]): ProgramReader {
  const python = pythonWith(module);
  return {
    name,
    missing: python === undefined ? `python module ${module} not installed` : undefined,
    command: () => [python as string, `${projectRoot}test/differential/readers/${script}`, ...args],
    version: () => undefined,
  };
}
