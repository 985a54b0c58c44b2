/**
 * The search for all objects of trees below a path, for an object manager. A search takes time, in which objects appear and
 * disappear. What the program announces meanwhile counts more than what was found before: the answer is sent after the
 * announcements, so a client would keep an object that was announced as removed.
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { quoted } from '../../base/names.js';
import { report } from '../../diagnostics/problems.js';
import { isThenable } from '../thenable.js';
import type { Exportable } from './exportable.js';
import { childPath, type ObjectTree } from './object-tree.js';
import { exportablesOf, type FoundObjects, type Subtree } from './subtree.js';

/** Milliseconds of a search after which the event loop runs. */
const SLICE = 5;
/** How deep a tree may be below an object manager, so that a search ends whatever the program says. */
const DEPTH_MAXIMUM = 128;

/** By the name of an interface: what was announced of it last; `undefined` if it was removed. */
type Announced = Map<string, Exportable | undefined>;

export class Search {
  /** The objects at which nothing is exported, by path. */
  readonly found = new Map<string, readonly Exportable[]>();
  readonly #tree: ObjectTree;
  readonly #path: string;
  readonly #announced = new Map<string, Announced>();

  /** Begins; it takes note of announcements until {@link end}. */
  constructor(tree: ObjectTree, path: string) {
    this.#tree = tree;
    this.#path = path;
    tree.searches.add(this);
  }

  end(): void {
    this.#tree.searches.delete(this);
  }

  announceAdded(path: string, exportables: readonly Exportable[]): void {
    this.#announce(
      path,
      exportables.map((exportable) => [exportable.description.name, exportable]),
    );
  }

  announceRemoved(path: string, names: readonly string[]): void {
    this.#announce(
      path,
      names.map((name) => [name, undefined]),
    );
  }

  #announce(path: string, interfaces: readonly [name: string, exportable: Exportable | undefined][]): void {
    if (!isBelow(path, this.#path)) return;
    this.#announced.set(path, new Map([...(this.#announced.get(path) ?? []), ...interfaces]));
    this.#set(path, this.found.get(path) ?? []);
  }

  #set(path: string, exportables: readonly Exportable[]): void {
    const announced = this.#announced.get(path);
    const left = exportables.filter(({ description }) => announced?.has(description.name) !== true);
    for (const exportable of announced?.values() ?? []) if (exportable !== undefined) left.push(exportable);
    if (left.length > 0) this.found.set(path, left);
    else this.found.delete(path);
  }

  /** Finds the objects of all trees below the path, and of the tree that the path is in. */
  async run(): Promise<void> {
    const tree = this.#tree;
    const walks: [subtree: Subtree, path: string][] = [];
    const around = tree.subtreeOf(this.#path);
    if (around !== undefined) walks.push([around, this.#path]);
    for (const { subtree, path } of tree.below(this.#path)) if (subtree !== undefined) walks.push([subtree, path]);
    for (const [subtree, path] of walks) await this.#walk(subtree, path);
  }

  /** Finds the objects of a tree, in slices of a few milliseconds. Those whose search fails are left out and reported. */
  async #walk(subtree: Subtree, path: string): Promise<void> {
    const waiting = [{ path, depth: 0 }];
    let end = performance.now() + SLICE;
    for (let node = waiting.pop(); node !== undefined && !subtree.isEnded; node = waiting.pop()) {
      if (node.depth === DEPTH_MAXIMUM)
        throw new InvalidArgumentError(
          `children of the tree ${subtree.path}: there are more than ${DEPTH_MAXIMUM} levels`,
        );
      const names = new Set<string>();
      for (const name of reading(node.path, await namesOrNone(subtree, node.path))) {
        if (subtree.isEnded) break;
        if (names.has(name)) continue;
        names.add(name);
        const child = childPath(node.path, name);
        const exported = this.#tree.get(child);
        if (exported?.subtree !== undefined) continue;
        if (exported === undefined || exported.interfaces.length === 0) {
          const found = findOrNone(subtree, child);
          this.#set(child, isThenable(found) ? await found : found);
        }
        waiting.push({ path: child, depth: node.depth + 1 });
        if (performance.now() < end) continue;
        await new Promise((resolve) => setImmediate(resolve));
        end = performance.now() + SLICE;
      }
    }
    // A tree within this one is searched later.
    if (subtree.isEnded) for (const at of [...this.found.keys()]) if (isBelow(at, subtree.path)) this.found.delete(at);
  }
}

async function namesOrNone(subtree: Subtree, path: string): Promise<Iterable<string>> {
  try {
    return await subtree.eachName(path);
  } catch (error) {
    return reported('children', path, error);
  }
}

/** The names up to the first one that cannot be read. */
function* reading(path: string, names: Iterable<string>): Generator<string> {
  try {
    yield* names;
  } catch (error) {
    reported('children', path, error);
  }
}

function findOrNone(subtree: Subtree, path: string): readonly Exportable[] | Promise<readonly Exportable[]> {
  const prepared = (found: FoundObjects) => {
    const exportables = exportablesOf(found);
    for (const exportable of exportables) exportable.prepare();
    return exportables;
  };
  try {
    const found = subtree.find(path);
    if (!isThenable(found)) return prepared(found);
    return Promise.resolve(found)
      .then(prepared)
      .catch((error) => reported('find', path, error));
  } catch (error) {
    return reported('find', path, error);
  }
}

function reported(what: string, path: string, error: unknown): readonly never[] {
  report('handler', `${what}(${quoted(path)}) of a tree failed`, error);
  return [];
}

function isBelow(path: string, above: string): boolean {
  return path !== '/' && path.startsWith(above === '/' ? above : `${above}/`);
}
