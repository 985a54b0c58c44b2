/**
 * A part of the tree whose objects exist only when they are asked for. The program names the children of a path and finds
 * the objects at a path. Nothing is kept of a path to which no call is being answered, so the number of objects costs no
 * memory.
 *
 * An object that was found has a place, from which its signals and changes are sent, while calls to it are answered.
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import { isObjectPath, quoted } from '../../base/names.js';
import { checkBoolean, checkFunction } from '../../base/parameters.js';
import type { CallsAtWork } from '../../bus/calls-at-work.js';
import type { IncomingCall } from '../calls/incoming-call.js';
import { isThenable } from '../thenable.js';
import { type Exportable, exportableOf } from './exportable.js';
import type { ExportedObject } from './exports.js';
import { checkInterfaces, type ObjectTree, TreeNode } from './object-tree.js';
import { type Outgoing, Place } from './place.js';

/** How the program answers for the objects of a tree. Both functions get absolute paths, and may be asynchronous. */
export interface TreeOptions {
  /**
   * Returns the names of the nodes one level below a path: the last elements of their paths. It is asked for the path of
   * the tree and all paths below, when an object is introspected or an object manager lists the tree. For the leaves of
   * the tree it returns nothing, or an empty list.
   */
  readonly children: (path: string) => ChildNames | PromiseLike<ChildNames>;
  /**
   * Returns the object at a path below that of the tree, several objects for several interfaces, or `undefined` if there
   * is none. It is asked for each call to a path at which nothing is exported.
   */
  readonly find: (path: string) => FoundObjects | PromiseLike<FoundObjects>;
  /** `true`: also exports an ObjectManager at the path of the tree. A call of it asks for all objects of the tree. */
  readonly manager?: boolean | undefined;
}

export const treeOptions = new KnownOptions<TreeOptions>('exportTree()', {
  children: checkFunction,
  find: checkFunction,
  manager: checkBoolean,
});

/** What `children` of {@link TreeOptions} returns. */
export type ChildNames = Iterable<string> | AsyncIterable<string> | undefined;

/** What `find` of {@link TreeOptions} returns. */
export type FoundObjects = ExportedObject | readonly ExportedObject[] | undefined;

/** What is at a path: objects, or a node that leads to some. */
interface Asked {
  readonly exportables: readonly Exportable[];
  readonly isNode: boolean;
  /** The names of the children, if they are known already. */
  readonly names?: readonly string[];
}

/** The parts of the dispatcher that a call of the tree uses. */
export interface Answering {
  /** Called if the call has to wait, before it does. */
  wait(): void;
  /** @param node nothing if there is none at the path */
  run(node: TreeNode | undefined): void;
  fail(error: unknown): void;
}

/** A node that exists until the call to it is answered. */
class FoundNode extends TreeNode {
  readonly names: readonly string[] | undefined;
  readonly #exported: TreeNode | undefined;
  #release: (() => void) | undefined;

  /** @param exported the node of the path, if it leads to an export */
  constructor(path: string, exported: TreeNode | undefined, names: readonly string[] | undefined, release: () => void) {
    super(path);
    this.#exported = exported;
    this.manager = exported?.manager;
    this.names = names;
    this.#release = release;
  }

  override get children(): ReadonlySet<string> {
    return this.#exported?.children ?? super.children;
  }

  override release(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

/** A place in use, and by how many calls. */
interface Use {
  readonly place: Place;
  calls: number;
}

export class Subtree {
  readonly path: string;
  /** The count of the user, which includes calls of the tree until they are answered. */
  readonly atWork: readonly CallsAtWork[];
  readonly #options: TreeOptions;
  readonly #tree: ObjectTree;
  readonly #outgoing: Outgoing;
  readonly #used = new Map<string, Use[]>();
  /** By caller: the last of its calls that wait. Its calls run in the order in which they arrived. */
  readonly #turns = new Map<string, Promise<void>>();
  #isEnded = false;

  constructor(path: string, options: TreeOptions, tree: ObjectTree, outgoing: Outgoing, user: CallsAtWork) {
    this.path = path;
    this.atWork = user.alone;
    this.#options = options;
    this.#tree = tree;
    this.#outgoing = outgoing;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  end(): void {
    this.#isEnded = true;
  }

  /**
   * Runs a call when its object is found: at once, if that takes no time and no earlier call of its caller waits.
   *
   * @throws what the functions of the program throw
   */
  whenFound(call: IncomingCall, answering: Answering): void {
    const { path } = call;
    const caller = this.#turns.size === 0 ? undefined : callerOf(call);
    const earlier = caller === undefined ? undefined : this.#turns.get(caller);
    const asked = earlier === undefined ? this.#ask(path) : undefined;
    if (asked !== undefined && !isThenable(asked)) {
      answering.run(this.#open(path, asked));
      return;
    }
    answering.wait();
    this.#takeTurn(caller ?? callerOf(call), path, asked ?? this.#askAfter(path, earlier), answering);
  }

  #takeTurn(caller: string, path: string, asked: Promise<Asked>, answering: Answering): void {
    const turn = this.#await(path, asked, answering).finally(() => {
      if (this.#turns.get(caller) === turn) this.#turns.delete(caller);
    });
    this.#turns.set(caller, turn);
  }

  /** Never rejects. */
  async #await(path: string, asked: Promise<Asked>, answering: Answering): Promise<void> {
    try {
      answering.run(this.#open(path, await asked));
    } catch (error) {
      answering.fail(error);
    }
  }

  /** Asks at once, so that searches take no longer together than one; a call before this one may have made the object. */
  async #askAfter(path: string, earlier: Promise<void> | undefined): Promise<Asked> {
    const early = (async () => this.#ask(path))();
    const [asked] = await Promise.allSettled([early, earlier]);
    return asked.status === 'fulfilled' && asked.value.isNode ? asked.value : this.#ask(path);
  }

  /** Asks the program what is at a path. */
  #ask(path: string): Asked | Promise<Asked> {
    const found = this.find(path);
    return isThenable(found)
      ? Promise.resolve(found).then((objects) => this.#asked(path, objects))
      : this.#asked(path, found);
  }

  #asked(path: string, found: FoundObjects): Asked | Promise<Asked> {
    const exportables = exportablesOf(found);
    if (exportables.length > 0 || this.#tree.get(path) !== undefined) return { exportables, isNode: true };
    const asked = (names: readonly string[]): Asked => ({ exportables, isNode: names.length > 0, names });
    const names = this.names(path);
    return isThenable(names) ? names.then(asked) : asked(names);
  }

  /** The node for a call, which is released when the call is answered. An export that was made meanwhile counts. */
  #open(path: string, { exportables, isNode, names }: Asked): TreeNode | undefined {
    const exported = this.#tree.get(path);
    if (this.#isEnded || (exported !== undefined && exported.interfaces.length > 0)) return exported;
    if (!isNode) return undefined;
    const uses: Use[] = [];
    const release = () => {
      for (const use of uses.splice(0)) this.#endUse(use);
    };
    try {
      for (const exportable of exportables) uses.push(this.#use(path, exportable));
    } catch (error) {
      // One of several objects has a value of the wrong type.
      release();
      throw error;
    }
    const node = new FoundNode(path, exported, names, release);
    node.interfaces = uses.map(({ place }) => place);
    node.atWork = exported === undefined || exported.atWork.length === 0 ? this.atWork : exported.atWork;
    return node;
  }

  /** Calls to one object at the same time share its place, so that its signals are sent once. */
  #use(path: string, exportable: Exportable): Use {
    const uses = this.#used.get(path) ?? [];
    let use = uses.find(({ place }) => place.exportable === exportable);
    if (use === undefined) {
      exportable.prepare();
      use = { place: new Place(path, exportable, this.#outgoing, this.atWork), calls: 0 };
      exportable.properties.places.add(use.place);
      this.#used.set(path, [...uses, use]);
    }
    use.calls++;
    return use;
  }

  /** Called when objects are exported at a path. One of them may be answering a call: it sends its signals once. */
  leaveTo(path: string, exportables: readonly Exportable[]): void {
    for (const { place } of this.#used.get(path) ?? [])
      if (exportables.includes(place.exportable)) place.exportable.properties.places.delete(place);
  }

  #endUse(use: Use): void {
    if (--use.calls > 0) return;
    const { path, exportable } = use.place;
    exportable.properties.places.delete(use.place);
    const left = (this.#used.get(path) ?? []).filter((each) => each !== use);
    if (left.length > 0) this.#used.set(path, left);
    else this.#used.delete(path);
  }

  /** The names of the children of a node: those that the program says, and those of exports. */
  childrenOf(node: TreeNode): Iterable<string> | Promise<Iterable<string>> {
    const all = (names: readonly string[]) => new Set([...node.children, ...names]);
    const names = (node instanceof FoundNode ? node.names : undefined) ?? this.names(node.path);
    return isThenable(names) ? names.then(all) : all(names);
  }

  /** The objects that the program finds. */
  find(path: string): FoundObjects | PromiseLike<FoundObjects> {
    return this.#options.find(path);
  }

  /** The names that the program says. */
  names(path: string): readonly string[] | Promise<readonly string[]> {
    const names = this.eachName(path);
    return isThenable(names) ? names.then((each) => [...each]) : [...names];
  }

  /** The names that the program says, taken one after the other: there may be many. */
  eachName(path: string): Iterable<string> | Promise<Iterable<string>> {
    const given = this.#options.children(path);
    if (isThenable(given)) return Promise.resolve(given).then((names) => namesOf(path, names));
    return namesOf(path, given);
  }
}

/** The caller and its connection: after a loss, the same name may be that of another caller. */
function callerOf({ connectionId, sender = '' }: IncomingCall): string {
  return `${connectionId} ${sender}`;
}

export function exportablesOf(found: FoundObjects): readonly Exportable[] {
  if (found === undefined || found === null) return [];
  if (!Array.isArray(found)) return [exportableOf(found as ExportedObject)];
  const exportables = found.map(exportableOf);
  checkInterfaces(exportables, 'the result of find');
  return exportables;
}

function namesOf(path: string, given: ChildNames): Iterable<string> | Promise<Iterable<string>> {
  if (given === undefined || given === null) return [];
  if (typeof given === 'object' && Symbol.asyncIterator in given) {
    const collect = async () => {
      const names: string[] = [];
      for await (const name of given) names.push(checkedName(path, name));
      return names;
    };
    return collect();
  }
  if (typeof given !== 'object' || !(Symbol.iterator in given))
    throw new InvalidArgumentError(`children(${quoted(path)}) of a tree: expected names, got ${typeof given}`);
  // A list of the program may lose elements meanwhile, which would move the others.
  return checkedNames(path, Array.isArray(given) ? given.slice() : given);
}

function* checkedNames(path: string, given: Iterable<string>): Generator<string> {
  for (const name of given) yield checkedName(path, name);
}

function checkedName(path: string, name: string): string {
  if (typeof name === 'string' && !name.includes('/') && isObjectPath(`/${name}`) && name !== '') return name;
  throw new InvalidArgumentError(
    `children(${quoted(path)}) of a tree: ${quoted(String(name))} is not one element of a path: escape it with pathEscape()`,
  );
}
