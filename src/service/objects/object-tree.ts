/**
 * The exported interfaces of a connection by object path, and the tree of these paths. It does not handle messages: the
 * dispatcher looks calls up in it, and introspection reads it.
 */

import { InvalidArgumentError } from '../../base/errors.js';
import type { CallsAtWork } from '../../bus/calls-at-work.js';
import type { Exportable } from './exportable.js';
import type { Search } from './search.js';
import type { Subtree } from './subtree.js';

/** An interface at a node, with its user. */
export interface ExportedInterface {
  readonly exportable: Exportable;
  /** The counts that include its calls until they are answered. */
  readonly atWork: readonly CallsAtWork[];
}

const childless: ReadonlySet<string> = new Set();
const none: readonly never[] = [];

/** A node of the tree: an object, an ancestor of one, or both. */
export class TreeNode {
  readonly path: string;
  /** Most objects have few, so they are searched one after the other. */
  interfaces: readonly ExportedInterface[] = none;
  #children: Set<string> | undefined;
  /** The count for calls of the ObjectManager, if one is exported here. */
  manager: CallsAtWork | undefined;
  /** The tree whose objects are found when they are asked for, if one begins here. */
  subtree: Subtree | undefined;
  /** The counts for calls of the standard interfaces: those of all users with an export here. */
  atWork: readonly CallsAtWork[] = none;

  constructor(path: string) {
    this.path = path;
  }

  /** The names of the nodes one level below. */
  get children(): ReadonlySet<string> {
    return this.#children ?? childless;
  }

  find(interfaceName: string): ExportedInterface | undefined {
    for (const exported of this.interfaces) if (exported.exportable.description.name === interfaceName) return exported;
    return undefined;
  }

  addChild(name: string): void {
    this.#children ??= new Set();
    this.#children.add(name);
  }

  deleteChild(name: string): void {
    this.#children?.delete(name);
  }

  /** Whether `org.freedesktop.DBus.ObjectManager` is exported here. */
  get managesObjects(): boolean {
    return this.manager !== undefined;
  }

  /** Whether something is exported here, rather than only below. */
  get isObject(): boolean {
    return this.interfaces.length > 0 || this.managesObjects || this.subtree !== undefined;
  }

  /** Called when a call to this node is answered, for a node that exists no longer than that. */
  release(): void {}
}

export class ObjectTree {
  readonly #nodes = new Map<string, TreeNode>();
  #objects = 0;
  #subtrees = 0;
  /** Those that are in progress, which take note of announcements. */
  readonly searches = new Set<Search>();

  /** The number of paths with an export. */
  get size(): number {
    return this.#objects;
  }

  get(path: string): TreeNode | undefined {
    return this.#nodes.get(path);
  }

  /**
   * Adds interfaces at a path.
   *
   * @throws {@link InvalidArgumentError} if the path already has one of that name; nothing is added then
   */
  add(path: string, interfaces: readonly ExportedInterface[]): void {
    const present = this.#nodes.get(path)?.interfaces ?? none;
    // The given array is kept, because most objects have one interface and there may be many objects.
    const all = present.length === 0 ? interfaces : [...present, ...interfaces];
    checkInterfaces(
      all.map(({ exportable }) => exportable),
      path,
    );
    this.#change(path, (node) => {
      node.interfaces = all;
    });
  }

  remove(path: string, interfaces: readonly ExportedInterface[]): void {
    this.#change(path, (node) => {
      node.interfaces = node.interfaces.filter((exported) => !interfaces.includes(exported));
    });
  }

  /**
   * Adds an ObjectManager at a path, or removes it.
   *
   * @param user the count that includes its calls; left out to remove it
   * @throws {@link InvalidArgumentError} if the path has one already
   */
  setManager(path: string, user: CallsAtWork | undefined): void {
    this.#change(path, (node) => {
      if (user !== undefined && node.managesObjects)
        throw new InvalidArgumentError(`${path} already exports an ObjectManager`);
      node.manager = user;
    });
  }

  /**
   * Begins a tree at a path, or ends it.
   *
   * @throws {@link InvalidArgumentError} if one begins there already
   */
  setSubtree(path: string, subtree: Subtree | undefined): void {
    this.#change(path, (node) => {
      if (subtree !== undefined && node.subtree !== undefined)
        throw new InvalidArgumentError(`${path} already exports a tree`);
      this.#subtrees += Number(subtree !== undefined) - Number(node.subtree !== undefined);
      node.subtree = subtree;
    });
  }

  /** Whether there is a tree whose objects are found when they are asked for. */
  get hasSubtrees(): boolean {
    return this.#subtrees > 0;
  }

  /** The tree that a path is in, or begins. */
  subtreeOf(path: string): Subtree | undefined {
    if (this.#subtrees === 0) return undefined;
    // From the root down, as far as there are nodes: a caller may send a path of any number of elements.
    let subtree = this.#nodes.get('/')?.subtree;
    for (let end = 0; end < path.length; ) {
      const next = path.indexOf('/', end + 1);
      end = next < 0 ? path.length : next;
      const node = this.#nodes.get(path.slice(0, end));
      if (node === undefined) break;
      subtree = node.subtree ?? subtree;
    }
    return subtree;
  }

  /** The tree that has to be asked what is at a path, because nothing is exported there. */
  subtreeToAsk(path: string): Subtree | undefined {
    if (this.#subtrees === 0) return undefined;
    const node = this.#nodes.get(path);
    return node !== undefined && (node.interfaces.length > 0 || node.subtree !== undefined)
      ? undefined
      : this.subtreeOf(path);
  }

  /** The nodes strictly below a path, parents before their children. */
  *below(path: string): Generator<TreeNode> {
    // Not recursive, because paths may have thousands of elements.
    const waiting = this.#childrenOf(path).reverse();
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      yield node;
      // Not as arguments of one call: there may be hundreds of thousands.
      for (const child of this.#childrenOf(node.path).reverse()) waiting.push(child);
    }
  }

  #childrenOf(path: string): TreeNode[] {
    const children = [...(this.#nodes.get(path)?.children ?? [])];
    return children.flatMap((child) => this.#nodes.get(childPath(path, child)) ?? []);
  }

  /** The nodes strictly above a path, nearest first, up to the root. */
  *above(path: string): Generator<TreeNode> {
    for (let parent = parentPath(path); parent !== undefined; parent = parentPath(parent)) {
      const node = this.#nodes.get(parent);
      if (node !== undefined) yield node;
    }
  }

  #change(path: string, change: (node: TreeNode) => void): void {
    const node = this.#nodes.get(path) ?? new TreeNode(path);
    const before = node.isObject;
    change(node);
    // Replaced and never mutated, because calls in progress refer to it.
    node.atWork = usersOf(node);
    this.#objects += Number(node.isObject) - Number(before);
    if (node.isObject) this.#grow(node);
    else this.#prune(node);
  }

  /** Adds a node to the tree, with the ancestors that it needs. */
  #grow(node: TreeNode): void {
    for (let below = node; !this.#nodes.has(below.path); ) {
      this.#nodes.set(below.path, below);
      const parent = parentPath(below.path);
      if (parent === undefined) return;
      const above = this.#nodes.get(parent) ?? new TreeNode(parent);
      above.addChild(lastElement(below.path));
      below = above;
    }
  }

  /** Removes a node if nothing is exported there or below, and ancestors that only led to it. */
  #prune(node: TreeNode): void {
    for (let below: TreeNode | undefined = node; below !== undefined; ) {
      if (below.isObject || below.children.size > 0 || !this.#nodes.delete(below.path)) return;
      const parent = parentPath(below.path);
      const above: TreeNode | undefined = parent === undefined ? undefined : this.#nodes.get(parent);
      above?.deleteChild(lastElement(below.path));
      below = above;
    }
  }
}

/** The counts of all users with an export at a node. */
function usersOf({ interfaces, manager, subtree }: TreeNode): readonly CallsAtWork[] {
  const [only] = interfaces;
  if (interfaces.length === 1 && only !== undefined && manager === undefined && subtree === undefined)
    return only.atWork;
  const users = new Set(interfaces.flatMap(({ atWork }) => atWork));
  if (manager !== undefined) users.add(manager);
  for (const user of subtree?.atWork ?? none) users.add(user);
  const [first] = users;
  return users.size === 1 && first !== undefined ? first.alone : [...users];
}

/** @throws {@link InvalidArgumentError} if two of the interfaces of an object have the same name */
export function checkInterfaces(exportables: readonly Exportable[], what: string): void {
  const names = new Set<string>();
  for (const { description } of exportables) {
    const { name } = description;
    if (names.has(name)) throw new InvalidArgumentError(`${what} already exports the interface ${name}`);
    names.add(name);
  }
}

function parentPath(path: string): string | undefined {
  if (path === '/') return undefined;
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

export function childPath(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

function lastElement(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
