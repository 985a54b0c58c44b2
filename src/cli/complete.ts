/**
 * What a shell offers for the word at the cursor: commands, options, and from the bus names, paths, interfaces and members.
 * A line is a candidate and, after a tab, what it means. Without an answer in time there is none.
 */
import type { MessageBus, NodeDescription } from '../index.js';
import type { Command, CommandOption } from './command.js';
import { commonOptions } from './common-options.js';
import { loadLibrary } from './library.js';
import { type CommonOptions, Session } from './session.js';

/** Seconds for all answers of the bus: users do not wait longer for a completion. */
const PATIENCE = '2';

interface Candidate {
  readonly value: string;
  readonly docs?: string;
}

type Completion = Command['arguments'][number]['complete'];

/**
 * Prints the candidates.
 *
 * @param given `--line LINE`, or `--` and the words up to the cursor, without the name of the program
 */
export async function complete(commands: readonly Command[], given: readonly string[]): Promise<void> {
  const words = given[0] === '--line' ? split(given[1] ?? '').slice(1) : given.slice(1);
  const current = words.at(-1) ?? '';
  const candidates = await candidatesFor(commands, words.slice(0, -1), current);
  const shown = candidates
    .filter(({ value }) => value.startsWith(current) && /^[\w./:@-]+$/.test(value))
    .map(({ value, docs }) => (docs === undefined ? value : `${value}\t${docs}`));
  if (shown.length > 0) process.stdout.write(`${[...new Set(shown)].join('\n')}\n`);
}

/** The words of a line, up to the cursor. Quotation marks and backslashes are taken off. */
function split(line: string): string[] {
  const words = [...line.matchAll(/(?:[^\s'"\\]|\\.|'[^']*'?|"(?:[^"\\]|\\.)*"?)+/g)].map(([word]) =>
    word.replace(/\\(.)|['"]/g, '$1'),
  );
  return /\s$/.test(line) ? [...words, ''] : words;
}

/** The words before the cursor, sorted out. */
interface Line {
  readonly command: Command | undefined;
  /** The words that are no options. */
  readonly words: readonly string[];
  readonly common: CommonOptions;
  /** The option whose value is at the cursor. */
  readonly pending: CommandOption | undefined;
}

function understood(commands: readonly Command[], before: readonly string[]): Line {
  const common: Record<string, string | boolean> = {};
  const words: string[] = [];
  let command: Command | undefined;
  let pending: CommandOption | undefined;
  for (const word of before) {
    if (pending !== undefined) {
      common[longName(pending)] = word;
      pending = undefined;
    } else if (word.startsWith('-') && word !== '-') {
      const [name, value] = word.split(/=(.*)/s);
      const option = optionsOf(command).find(({ flags }) => flags.split(/[ ,]+/).includes(name as string));
      const takesValue = option !== undefined && / [A-Z]+$/.test(option.flags);
      if (option !== undefined) common[longName(option)] = value ?? true;
      if (takesValue && value === undefined) pending = option;
    } else {
      const named = command === undefined ? commands.find((each) => each.name === word) : undefined;
      if (named === undefined) words.push(word);
      else command = named;
    }
  }
  return { command, words, common, pending };
}

const longName = ({ flags }: CommandOption) => /--([\w-]+)/.exec(flags)?.[1] ?? '';

function optionsOf(command: Command | undefined): readonly CommandOption[] {
  return [...(command?.options ?? []), ...commonOptions];
}

async function candidatesFor(
  commands: readonly Command[],
  before: readonly string[],
  current: string,
): Promise<Candidate[]> {
  const { command, words, common, pending } = understood(commands, before);
  if (pending === undefined && current.startsWith('-')) {
    const options = [...optionsOf(command), { flags: '--help', docs: 'show the help' }];
    return options.map((option) => ({ value: `--${longName(option)}`, docs: option.docs }));
  }
  if (command === undefined && words.length > 0 && (words[0] !== 'help' || words.length > 1)) return [];
  if (command === undefined && pending === undefined) {
    return commands.map(({ name, summary }) => ({ value: name, docs: summary }));
  }
  const position = Math.min(words.length, (command?.arguments.length ?? 1) - 1);
  const argument = command?.arguments[position];
  // An option without a value tells what the words are.
  const flag = command?.options.find(
    (option) =>
      option.complete !== undefined && (common as Readonly<Record<string, unknown>>)[longName(option)] === true,
  );
  const kind = pending === undefined ? (flag ?? argument)?.complete : pending.complete;
  const isPast = pending === undefined && words.length > position && argument?.variadic !== true;
  // The shell offers files where there is nothing else.
  if (kind === undefined || kind === 'file' || isPast) return [];
  if (typeof kind !== 'string') return kind.map((value) => ({ value }));
  return fromBus(new Session({ ...common, timeout: PATIENCE }), kind, command, words, current);
}

async function fromBus(
  session: Session,
  kind: Exclude<Completion, readonly string[] | undefined>,
  command: Command | undefined,
  words: readonly string[],
  current: string,
): Promise<Candidate[]> {
  await loadLibrary();
  const impatience = setTimeout(() => session.interrupt(), Number(PATIENCE) * 1000);
  try {
    const bus = await session.connect();
    if (kind === 'name' || (kind === 'object' && words.length === 0)) return await names(session, bus, current);
    const [destination = '', path = '/'] = words;
    if (kind === 'path' || kind === 'object') return await paths(session, bus, destination, current);
    const { node } = await bus.object(destination, path, session.limits);
    return members(node, command, words);
  } catch {
    // The shell has no place for errors.
    return [];
  } finally {
    clearTimeout(impatience);
    await session.close();
  }
}

/** The names on the bus. Unique names are offered only if the word begins with a colon. */
async function names(session: Session, bus: MessageBus, current: string): Promise<Candidate[]> {
  const [owned, activatable] = await Promise.all([
    bus.listNames(session.limits),
    bus.listActivatableNames(session.limits),
  ]);
  const all = [...new Set([...owned, ...activatable])].filter(
    (name) => name.startsWith(':') === current.startsWith(':'),
  );
  return all.sort().map((value) => ({ value }));
}

/** The objects below the path that was begun. Nodes that only lead to one other are passed over. */
async function paths(session: Session, bus: MessageBus, destination: string, current: string): Promise<Candidate[]> {
  const from = current.slice(0, current.lastIndexOf('/')) || '/';
  const found: Candidate[] = [];
  let { children, interfaces } = await bus.object(destination, from, session.limits);
  if (from === '/' && interfaces.some((name) => !name.startsWith('org.freedesktop.DBus.'))) found.push({ value: '/' });
  children = children.filter((path) => path.startsWith(current));
  for (const path of children) found.push({ value: path });
  // A single way goes on to the first object, or to the first fork.
  while (children.length === 1) {
    const [only = ''] = children;
    ({ children, interfaces } = await bus.object(destination, only, session.limits));
    const isObject = interfaces.some((name) => !name.startsWith('org.freedesktop.DBus.'));
    if (!isObject) found.pop();
    for (const path of children) found.push({ value: path });
    if (isObject) break;
  }
  return found;
}

function members(node: NodeDescription, command: Command | undefined, words: readonly string[]): Candidate[] {
  const isProperties = command?.name === 'get' || command?.name === 'set';
  const described = [...node.interfaces.values()];
  const chosen = described.filter(({ name }) => name === words[2]);
  const candidates = (all: typeof described): Candidate[] =>
    all.flatMap(({ name, methods, properties }) =>
      isProperties
        ? [...properties.values()]
            .filter(({ access }) => access !== (command?.name === 'set' ? 'read' : 'write'))
            .map((each) => ({ value: each.name, docs: `${each.signature} (${name})` }))
        : [...methods.values()].map((each) => ({ value: each.name, docs: `${each.inSignature} (${name})` })),
    );
  const hasInterface = chosen.length > 0;
  // The words after a method are its arguments; those after a property of `get` are further ones.
  const isOver = words.length > (hasInterface ? 3 : 2) && command?.name !== 'get';
  if (isOver) return [];
  if (hasInterface) return candidates(chosen);
  const interfaces = described.map(({ name }) => ({ value: name, docs: 'interface' }));
  if (command?.name === 'introspect' || command?.name === 'generate') return interfaces;
  const usual = described.filter(({ name }) => !name.startsWith('org.freedesktop.DBus.'));
  return [...candidates(usual), ...(words.length > 2 ? [] : interfaces)];
}
