/** `busbar list`: the names on a bus. */
import type { MessageBus } from '../../index.js';
import type { Command, OptionValues } from '../command.js';
import { mapConcurrently } from '../concurrency.js';
import { library } from '../library.js';
import { type Process, processOf } from '../process.js';
import type { Session } from '../session.js';
import { type Column, table } from '../table.js';

/** A name, as `--json` prints it. */
interface ListedName {
  readonly name: string;
  /** The unique name of the connection that owns it. */
  readonly owner: string | null;
  readonly pid: number | null;
  readonly process: string | null;
  readonly uid: number | null;
  readonly user: string | null;
  readonly unit: string | null;
  readonly activatable: boolean;
}

const NO_PROCESS: Process = { pid: null, process: null, uid: null, user: null, unit: null };

export const list: Command = {
  name: 'list',
  summary: 'lists the names on a bus, and their owners',
  docs: 'Names that have an owner come first, then those that the bus can start a service for, then connections.',
  arguments: [],
  options: [
    { flags: '--acquired', docs: 'only well-known names that have an owner' },
    { flags: '--activatable', docs: 'only names that the bus can start a service for' },
    { flags: '--unique', docs: 'only unique names: one for each connection' },
  ],
  examples: [
    ['busbar list', 'the names on the session bus'],
    ['busbar list --system --acquired', 'the services that run on the system bus'],
    ['busbar list --json', 'the same for programs: an array with an object for each name'],
  ],
  async run(session, _words, options) {
    const bus = await session.connect();
    const names = await listedNames(session, bus, options);
    if (session.output.json) session.output.line(JSON.stringify(names, null, 2));
    else session.output.lines(table(session.output, columns(session, names), names.map(cells)));
  },
};

async function listedNames(session: Session, bus: MessageBus, options: OptionValues): Promise<ListedName[]> {
  const [owned, activatable] = await Promise.all([
    bus.listNames(session.limits),
    bus.listActivatableNames(session.limits),
  ]);
  const startable = new Set(activatable);
  const names = [...new Set([...owned, ...activatable])].filter(isChosen(options, new Set(owned), startable));
  const processes = new Map<string, Promise<Process>>();
  const isOwned = new Set(owned);
  const listed = await mapConcurrently(names, async (name): Promise<ListedName> => {
    const owner = isOwned.has(name) ? await ownerOf(session, bus, name) : null;
    if (owner !== null && !processes.has(owner)) processes.set(owner, processOf(session, bus, owner));
    const process = owner === null ? NO_PROCESS : await processes.get(owner);
    return { name, owner, ...(process ?? NO_PROCESS), activatable: startable.has(name) };
  });
  return listed.sort((a, b) => rank(a) - rank(b) || compare(a.name, b.name));
}

/** The kinds of names that the options choose; all without an option. */
function isChosen(options: OptionValues, owned: ReadonlySet<string>, startable: ReadonlySet<string>) {
  const { unique, acquired, activatable } = options;
  const isAll = !unique && !acquired && !activatable;
  return (name: string): boolean => {
    if (isAll || (activatable && startable.has(name))) return true;
    return name.startsWith(':') ? unique === true : acquired === true && owned.has(name);
  };
}

/** A name may lose its owner while the others are asked for. */
async function ownerOf(session: Session, bus: MessageBus, name: string): Promise<string | null> {
  if (name.startsWith(':')) return name;
  try {
    return await bus.nameOwner(name, session.limits);
  } catch (error) {
    if (error instanceof library.NameHasNoOwnerError) return null;
    throw error;
  }
}

function rank({ name, owner }: ListedName): number {
  return name.startsWith(':') ? 2 : owner === null ? 1 : 0;
}

/** Numbers in names in the order of their values: `:1.9` before `:1.10`. */
const collator = new Intl.Collator('en', { numeric: true });

function compare(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : 1);
}

function cells({ name, owner, pid, process, user, unit }: ListedName): string[] {
  return [name, owner ?? 'activatable', pid === null ? '' : String(pid), process ?? '', user ?? '', unit ?? ''];
}

function columns({ output }: Session, names: readonly ListedName[]): Column[] {
  const dim = (text: string) => output.paint('dim', text);
  const nameColour = (text: string, row: number) => {
    const kind = rank(names[row] as ListedName);
    return kind === 0 ? output.paint('cyan', text) : dim(text);
  };
  return [
    { title: 'NAME', paint: nameColour, weight: 2, least: 20 },
    {
      title: 'OWNER',
      paint: (text, row) => (names[row]?.owner === null ? output.paint('yellow', text) : text),
      weight: 3,
    },
    { title: 'PID', align: 'right', weight: 3 },
    { title: 'PROCESS', paint: (text) => output.paint('green', text), weight: 1 },
    { title: 'USER', weight: 1 },
    { title: 'UNIT', paint: dim },
  ];
}
