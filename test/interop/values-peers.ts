/** Programs on other implementations of D-Bus that echo values, and the limitations of each. */
import { transportKind } from '../../src/native/runtime.js';
import type { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';
import { contains, hasLongestSignature, hasNoncharacters, type Row } from './value-table.js';

/** The address of an echo service, of a peer or of a test. */
export const echo = { path: '/org/example/Echo', interface: 'org.example.Echo' } as const;

/** A value that a peer gets wrong, or refuses. */
export interface Limitation {
  readonly reason: string;
  readonly applies: (row: Row) => boolean;
}

/** Limitations of sd-bus, in busctl and under busbar. */
export const sdbusWriting: readonly Limitation[] = [
  { reason: 'sd-bus refuses Unicode noncharacters', applies: hasNoncharacters },
];
export const sdbusReading: readonly Limitation[] = [
  ...sdbusWriting,
  { reason: 'sd-bus 252 reads no signature of 255 bytes', applies: hasLongestSignature },
];

/** Limitations of busbar itself, which are those of its transport. */
export const own = {
  reading: transportKind() === 'sd-bus' ? sdbusReading : [],
  writing: transportKind() === 'sd-bus' ? sdbusWriting : [],
} as const;

/** Why a row is not for a peer with these limitations; `undefined` if it is. */
export function reasonAgainst(row: Row, ...limitations: readonly (readonly Limitation[])[]): string | undefined {
  return limitations.flat().find(({ applies }) => applies(row))?.reason;
}

export interface Peer {
  readonly name: string;
  /** Why it cannot run on this machine. */
  readonly missing: string | undefined;
  /** Values that it cannot read, from any sender. */
  readonly reading: readonly Limitation[];
  /** Further values that it cannot write. */
  readonly writing: readonly Limitation[];
  /** The number of descriptors of a message that it receives, if that is fewer than a message may have. */
  readonly descriptorsRead?: number;
  readonly command: readonly string[];
}

const folder = 'test/interop/peers';

const isNotAscii = (value: unknown) => typeof value === 'string' && /[^\0-\x7f]/.test(value);

const modules = [
  {
    name: 'dbus-next',
    module: 'dbus_next',
    command: [`${folder}/echo_asyncio.py`, 'dbus_next'],
    reading: [],
    writing: [],
  },
  {
    name: 'dbus-fast',
    module: 'dbus_fast',
    command: [`${folder}/echo_asyncio.py`, 'dbus_fast'],
    // Version 1.84 makes room for the bytes of one number.
    descriptorsRead: 1,
    reading: [],
    writing: [
      {
        reason: 'dbus-fast 1.84 counts the length of strings in characters, and the bus throws it out for that',
        applies: (row: Row) => contains(row.values, isNotAscii),
      },
    ],
  },
  { name: 'GLib', module: 'gi', command: [`${folder}/echo_gio.py`], reading: [], writing: [] },
];

export const peers: readonly Peer[] = modules.map(({ module, ...peer }) => ({
  ...peer,
  missing: pythonWith(module) === undefined ? `python module ${module} not installed` : undefined,
  command: [pythonWith(module) ?? 'python3', ...peer.command],
}));

/** Milliseconds for all rows of the table, also on a busy machine. */
const timeLimit = 90_000;

/** Starts a peer's echo service; resolves with the program and its unique name. */
export async function startEchoService(peer: Peer, bus: PrivateBus): Promise<{ program: Program; name: string }> {
  const [python, ...args] = peer.command as [string, ...string[]];
  const program = Program.start(python, [...args, 'service'], { env: bus.env, timeLimit });
  const { name } = await program.event('ready');
  return { program, name: name as string };
}

/** Starts a peer's client of the echo service that owns a name. */
export function startEchoClient(peer: Peer, bus: PrivateBus, destination: string): Program {
  const [python, ...args] = peer.command as [string, ...string[]];
  return Program.start(python, [...args, 'client', destination], { env: bus.env, timeLimit });
}
