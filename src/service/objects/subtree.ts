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
import { report } from '../../diagnostics/problems.js';
import type { IncomingCall } from '../calls/incoming-call.js';
import { isThenable } from '../thenable.js';
import { type Exportable, exportableOf } from './exportable.js';
import type { ExportedObject } from './exports.js';
import { checkInterfaces, childPath, type ObjectTree, TreeNode } from './object-tree.js';
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

/** Milliseconds of a walk after which the event loop runs. */
const SLICE = 5;
/** How deep a tree may be below an object manager, so that a walk ends whatever the program says. */
const DEPTH_MAXIMUM = 128;

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
    const asked = this.#ask(path);
    const earlier = this.#turns.size === 0 ? undefined : this.#turns.get(callerOf(call));
    if (earlier === undefined && !isThenable(asked)) {
      answering.run(this.#open(path, asked));
      return;
    }
    answering.wait();
    const caller = callerOf(call);
    const turn = this.#await(path, asked, earlier, answering).finally(() => {
      if (this.#turns.get(caller) === turn) this.#turns.delete(caller);
    });
    this.#turns.set(caller, turn);
  }

  /** Never rejects. */
  async #await(
    path: string,
    asked: Asked | Promise<Asked>,
    earlier: Promise<void> | undefined,
    answering: Answering,
  ): Promise<void> {
    try {
      const [answer] = await Promise.all([asked, earlier]);
      // A call before this one may have made the object.
      const isStale = earlier !== undefined && !answer.isNode;
      answering.run(this.#open(path, isStale ? await this.#ask(path) : answer));
    } catch (error) {
      // Its caller's later calls wait until it is its turn.
      await earlier;
      answering.fail(error);
    }
  }

  /** Asks the program what is at a path. */
  #ask(path: string): Asked | Promise<Asked> {
    const found = this.#options.find(path);
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
    const uses = exportables.map((exportable) => this.#use(path, exportable));
    const node = new FoundNode(path, exported, names, () => {
      for (const use of uses) this.#endUse(use);
    });
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

  /** The names that the program says. */
  names(path: string): readonly string[] | Promise<readonly string[]> {
    const given = this.#options.children(path);
    if (isThenable(given)) return Promise.resolve(given).then((names) => namesOf(path, names));
    return namesOf(path, given);
  }

  /**
   * Finds all objects below a path, in slices of a few milliseconds. Objects whose search fails are left out and
   * reported.
   *
   * @param add is called for each path with objects at which nothing is exported
   */
  async walk(path: string, add: (path: string, exportables: readonly Exportable[]) => void): Promise<void> {
    const waiting = [{ path, depth: 0 }];
    let end = performance.now() + SLICE;
    for (let node = waiting.pop(); node !== undefined && !this.#isEnded; node = waiting.pop()) {
      if (node.depth === DEPTH_MAXIMUM)
        throw new InvalidArgumentError(
          `children of the tree ${this.path}: there are more than ${DEPTH_MAXIMUM} levels`,
        );
      for (const name of await this.#namesOrNone(node.path)) {
        const child = childPath(node.path, name);
        const exported = this.#tree.get(child);
        if (exported?.subtree !== undefined) continue;
        if (exported === undefined || exported.interfaces.length === 0) {
          const found = this.#findOrNone(child);
          const exportables = isThenable(found) ? await found : found;
          if (exportables.length > 0) add(child, exportables);
        }
        waiting.push({ path: child, depth: node.depth + 1 });
        if (performance.now() < end) continue;
        await new Promise((resolve) => setImmediate(resolve));
        end = performance.now() + SLICE;
      }
    }
  }

  async #namesOrNone(path: string): Promise<readonly string[]> {
    try {
      return await this.names(path);
    } catch (error) {
      return reported('children', path, error);
    }
  }

  #findOrNone(path: string): readonly Exportable[] | Promise<readonly Exportable[]> {
    const prepared = (found: FoundObjects) => {
      const exportables = exportablesOf(found);
      for (const exportable of exportables) exportable.prepare();
      return exportables;
    };
    try {
      const found = this.#options.find(path);
      if (!isThenable(found)) return prepared(found);
      return Promise.resolve(found)
        .then(prepared)
        .catch((error) => reported('find', path, error));
    } catch (error) {
      return reported('find', path, error);
    }
  }
}

/** The caller and its connection: after a loss, the same name may be that of another caller. */
function callerOf({ connectionId, sender = '' }: IncomingCall): string {
  return `${connectionId} ${sender}`;
}

function reported(what: string, path: string, error: unknown): readonly never[] {
  report('handler', `${what}(${quoted(path)}) of a tree failed`, error);
  return [];
}

/** Finds the objects of all trees below a path, and of the tree that the path is in. */
export async function foundBelow(tree: ObjectTree, path: string): Promise<ReadonlyMap<string, readonly Exportable[]>> {
  const all = new Map<string, readonly Exportable[]>();
  const walks: [subtree: Subtree, path: string][] = [];
  const around = tree.subtreeOf(path);
  if (around !== undefined) walks.push([around, path]);
  for (const { subtree, path: root } of tree.below(path)) if (subtree !== undefined) walks.push([subtree, root]);
  for (const [subtree, root] of walks) await subtree.walk(root, (at, exportables) => all.set(at, exportables));
  return all;
}

function exportablesOf(found: FoundObjects): readonly Exportable[] {
  if (found === undefined || found === null) return [];
  if (!Array.isArray(found)) return [exportableOf(found as ExportedObject)];
  const exportables = found.map(exportableOf);
  checkInterfaces(exportables, 'the result of find');
  return exportables;
}

function namesOf(path: string, given: ChildNames): readonly string[] | Promise<readonly string[]> {
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
  return Array.from(given, (name) => checkedName(path, name));
}

function checkedName(path: string, name: string): string {
  if (typeof name === 'string' && !name.includes('/') && isObjectPath(`/${name}`) && name !== '') return name;
  throw new InvalidArgumentError(
    `children(${quoted(path)}) of a tree: ${quoted(String(name))} is not one element of a path: escape it with pathEscape()`,
  );
}
