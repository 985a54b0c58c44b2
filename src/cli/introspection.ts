/** Descriptions of remote objects, and the members that the words of a command mean. */
import type {
  InterfaceDescription,
  MessageBus,
  MethodDescription,
  NodeDescription,
  PropertyDescription,
  SignalDescription,
} from '../index.js';
import { CommandFailure, explain, UsageFailure } from './failure.js';
import { library } from './library.js';
import type { Session } from './session.js';
import { nameHint, quoted, withHints } from './words.js';

/** A remote object, as words name it. */
export interface ObjectPlace {
  readonly destination: string;
  readonly path: string;
  /** `false`: a service that is not running is not started. */
  readonly autoStart?: boolean;
}

const BUS = 'org.freedesktop.DBus';
/** Milliseconds to wait for introspection data without which a command works as well. */
const PATIENCE = 3000;

/**
 * The object that two words name.
 *
 * @throws {@link UsageFailure} if one of them is not a name or a path
 */
export function objectPlace([destination = '', path = '']: readonly string[]): ObjectPlace {
  checkDestination(destination);
  if (library.isObjectPath(path)) return { destination, path };
  const cure = path.startsWith('/')
    ? 'a path has elements of A-Z a-z 0-9 _, with single slashes between them'
    : 'a path begins with /';
  throw new UsageFailure(withHints(`${quoted(path)} is not an object path`, cure));
}

/** @throws {@link UsageFailure} if a word is not a bus name */
function checkDestination(name: string): void {
  if (library.isBusName(name)) return;
  const cure = name.startsWith('/')
    ? 'the name of the service comes first, then the path'
    : 'a name has two elements or more, such as org.example.Service, or it is a unique name such as :1.42';
  throw new UsageFailure(withHints(`${quoted(name)} is not the name of a service`, cure));
}

/**
 * Introspects an object. An object of which the service knows nothing counts as not found.
 *
 * @throws (rejects) {@link CommandFailure} with names or paths that were probably meant; errors of the library
 */
export async function introspected(session: Session, bus: MessageBus, place: ObjectPlace): Promise<NodeDescription> {
  try {
    return await existing(session, bus, place, await asked(session, bus, place));
  } catch (error) {
    throw error instanceof library.UnknownObjectError ? await unknownPath(session, bus, place) : error;
  }
}

/** @throws (rejects) {@link CommandFailure} for a name without owner; errors of the library */
function asked(session: Session, bus: MessageBus, place: ObjectPlace, timeout = session.limits.timeout) {
  const { destination, path, autoStart } = place;
  return answered(session, bus, place, async () => {
    const { node } = await bus.object(destination, path, { ...session.limits, timeout, autoStart });
    return node;
  });
}

/** GDBus answers for every path that there is, or is not. */
async function existing(session: Session, bus: MessageBus, place: ObjectPlace, node: NodeDescription) {
  const isEmpty = node.interfaces.size === 0 && node.children.size === 0;
  if (isEmpty && place.path !== '/') throw await unknownPath(session, bus, place);
  return node;
}

/** What is to be found in introspection data. */
export interface Wanted {
  readonly kind: MemberKind;
  /** The words after the path. */
  readonly words: readonly string[];
  /** Whether the words have the interface, and the types of all values: a message can be made of them alone. */
  readonly isComplete: boolean;
  /** What to do if the service does not answer Introspect in time. */
  readonly cure: string;
}

/**
 * The description of an object; none if the service does not introspect it, or if it lacks an interface that complete
 * words name. `hint` is for an error that the service answers then.
 */
export async function nodeOrNone(
  session: Session,
  bus: MessageBus,
  place: ObjectPlace,
  { kind, words, isComplete, cure }: Wanted,
): Promise<{ readonly node?: NodeDescription; readonly hint?: string }> {
  try {
    const timeout = isComplete ? Math.min(PATIENCE, session.limits.timeout) : undefined;
    const node = await asked(session, bus, place, timeout);
    if (!isComplete) return { node: await existing(session, bus, place, node) };
    return isDescribed(kind, node, words) ? { node } : { hint: nameHint(words[0] ?? '', node.interfaces.keys()) };
  } catch (error) {
    const { AccessDeniedError, ConnectionClosedError, DBusError, InvalidReplyError, TimeoutError } = library;
    if (!(error instanceof DBusError) || error instanceof ConnectionClosedError || session.signal.aborted) throw error;
    if (isComplete) return {};
    if (error instanceof library.UnknownObjectError) throw await unknownPath(session, bus, place);
    if (error instanceof TimeoutError) error.message += `\nthe service does not answer Introspect: ${cure}`;
    const isOfService = error.reply !== undefined && error.reply.sender !== BUS;
    if (isOfService || error instanceof AccessDeniedError || error instanceof InvalidReplyError) return {};
    throw error;
  }
}

/**
 * Runs a call, and explains a name without owner.
 *
 * @param hint a cure for what the service answers with an error, if there is one
 */
export async function answered<Reply>(
  session: Session,
  bus: MessageBus,
  { destination, autoStart }: { readonly destination: string; readonly autoStart?: boolean },
  ask: () => Promise<Reply>,
  hint = '',
): Promise<Reply> {
  checkDestination(destination);
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof library.DBusError) || error.reply === undefined) throw error;
    // The bus answers with the same error about an argument of a call to itself.
    const isAboutName =
      error instanceof library.ServiceUnknownError && error.reply.sender === BUS && destination !== BUS;
    if (isAboutName) throw await unknownName(session, bus, destination, autoStart);
    const known = hint === '' ? undefined : explain(error);
    throw known === undefined ? error : new CommandFailure(withHints(known.text, hint), known.exitCode);
  }
}

/** The failure for a name without owner, with the name that was probably meant. */
async function unknownName(
  session: Session,
  bus: MessageBus,
  name: string,
  autoStart: boolean | undefined,
): Promise<CommandFailure> {
  const [owned, activatable] = await Promise.all([
    bus.listNames(session.limits),
    bus.listActivatableNames(session.limits),
  ]);
  if (activatable.includes(name)) {
    const cure = autoStart === false ? 'leave --no-start out' : 'its log tells why that failed';
    const text = `the service ${name} is not running on ${session.placeName}`;
    return new CommandFailure(withHints(text, `the bus can start it: ${cure}`));
  }
  const names = [...new Set([...owned, ...activatable])].filter((each) => !each.startsWith(':'));
  const hint = name.startsWith(':') ? '' : nearestOnly(name, names);
  const text = `there is no service ${name} on ${session.placeName}`;
  return new CommandFailure(withHints(text, hint || 'busbar list shows the names'));
}

/** The failure for a path without object, with the path that was probably meant, among the nearest existing ones. */
async function unknownPath(session: Session, bus: MessageBus, place: ObjectPlace): Promise<CommandFailure> {
  const { destination, path, autoStart } = place;
  const text = `${destination} has no object ${path}`;
  const known: string[] = [];
  // The paths beside the wanted one, or else beside the nearest parent that has children.
  for (let parent = path; parent !== '/' && known.length === 0; ) {
    parent = parent.slice(0, parent.lastIndexOf('/')) || '/';
    try {
      const object = await bus.object(destination, parent, { ...session.limits, autoStart });
      known.push(...object.children);
      if (object.interfaces.length > 0) known.push(parent);
    } catch (error) {
      if (!(error instanceof library.DBusError)) throw error;
    }
  }
  return new CommandFailure(
    withHints(text, nearestOnly(path, known) || `busbar tree ${destination} shows its objects`),
  );
}

function nearestOnly(wanted: string, names: readonly string[]): string {
  const others = names.filter((name) => name !== wanted);
  const hint = nameHint(wanted, others);
  return hint.startsWith('did you mean') ? hint : '';
}

/** The kinds of members, and where a description has them. */
const KINDS = { method: 'methods', property: 'properties', signal: 'signals' } as const;
export type MemberKind = keyof typeof KINDS;

interface MemberTypes {
  readonly method: MethodDescription;
  readonly property: PropertyDescription;
  readonly signal: SignalDescription;
}

export interface FoundMember<Kind extends MemberKind> {
  readonly interface: string;
  readonly name: string;
  /** Several if the member is overloaded; none if the introspection data does not have it. */
  readonly candidates: readonly MemberTypes[Kind][];
}

/** Interfaces that objects have even if their introspection data leaves them out. */
function implied(): readonly InterfaceDescription[] {
  const { Peer, Properties, Introspectable } = library.standard;
  return [Peer, Properties, Introspectable].map(({ description }) => description);
}

/**
 * The member that words mean: `INTERFACE MEMBER`, `INTERFACE.MEMBER`, or only `MEMBER` if one interface has it.
 *
 * @param words the words after the path
 * @returns also the number of words that it took
 * @throws {@link UsageFailure} if several interfaces have it; {@link CommandFailure} if there is none
 */
export function findMember<Kind extends MemberKind>(
  kind: Kind,
  node: NodeDescription,
  { destination, path }: ObjectPlace,
  words: readonly string[],
): FoundMember<Kind> & { readonly taken: number } {
  const [first = '', second] = words;
  const described = interfacesOf(node);
  const named = described.get(first);
  if (named !== undefined && second !== undefined) return { ...inInterface(kind, named, second), taken: 2 };
  const dot = first.lastIndexOf('.');
  const joined = dot < 0 ? undefined : described.get(first.slice(0, dot));
  if (joined !== undefined) return { ...inInterface(kind, joined, first.slice(dot + 1)), taken: 1 };
  const having =
    [node.interfaces, described]
      .map((interfaces) => [...interfaces.values()].filter((each) => candidatesIn(kind, each, first).length > 0))
      .find((found) => found.length > 0) ?? [];
  const [only] = having;
  if (having.length === 1 && only !== undefined) return { ...inInterface(kind, only, first), taken: 1 };
  if (having.length > 1) {
    const names = having.map((each) => `${each.name} ${first}`).join(', ');
    throw new UsageFailure(withHints(`${first} is a ${kind} of ${having.length} interfaces`, `choose one: ${names}`));
  }
  const where = `${destination} ${path}`;
  if (dot > 0 && library.isInterfaceName(first)) {
    const hint = nameHint(first, node.interfaces.keys());
    throw new CommandFailure(withHints(`${where} has no interface ${first}`, hint));
  }
  const known = [...node.interfaces.values()].flatMap((each) => namesOf(kind, each));
  throw new CommandFailure(
    withHints(`${where} has no ${kind} ${quoted(first)}`, otherKind(node, kind, first) || nameHint(first, known)),
  );
}

/** Whether the words begin with an interface, or else with a member, that the description has. */
function isDescribed(kind: MemberKind, node: NodeDescription, [first = '']: readonly string[]): boolean {
  const described = interfacesOf(node);
  if (described.has(first) || described.has(first.slice(0, Math.max(0, first.lastIndexOf('.'))))) return true;
  return [...described.values()].some((each) => candidatesIn(kind, each, first).length > 0);
}

function interfacesOf(node: NodeDescription): ReadonlyMap<string, InterfaceDescription> {
  const missing = implied().filter(({ name }) => !node.interfaces.has(name));
  return new Map([...node.interfaces, ...missing.map((each) => [each.name, each] as const)]);
}

function inInterface<Kind extends MemberKind>(
  kind: Kind,
  description: InterfaceDescription,
  name: string,
): FoundMember<Kind> {
  const candidates = candidatesIn(kind, description, name);
  if (candidates.length > 0) return { interface: description.name, name, candidates };
  const node = { path: undefined, interfaces: new Map([[description.name, description]]), children: new Map() };
  const hint = otherKind(node, kind, name) || nameHint(name, namesOf(kind, description));
  throw new CommandFailure(withHints(`${description.name} has no ${kind} ${quoted(name)}`, hint));
}

/** A hint if the name is of a member of another kind. */
function otherKind(node: NodeDescription, kind: MemberKind, name: string): string {
  const cures = { method: 'busbar call calls it', property: 'busbar get reads it', signal: 'busbar monitor shows it' };
  for (const each of node.interfaces.values()) {
    for (const other of ['method', 'property', 'signal'] as const) {
      if (other !== kind && candidatesIn(other, each, name).length > 0) return `${name} is a ${other}: ${cures[other]}`;
    }
  }
  return '';
}

function candidatesIn<Kind extends MemberKind>(
  kind: Kind,
  description: InterfaceDescription,
  name: string,
): MemberTypes[Kind][] {
  const members = description[KINDS[kind]] as unknown as ReadonlyMap<string, MemberTypes[Kind]>;
  return [...members.values()].filter((member) => member.name === name);
}

function namesOf(kind: MemberKind, description: InterfaceDescription): string[] {
  return [...description[KINDS[kind]].values()].map(({ name }) => name);
}
