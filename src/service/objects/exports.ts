/**
 * The exports of a connection. It adds interfaces to the tree, gives each a place for its signals and property changes,
 * and has the ObjectManagers above announce exports that begin and end.
 */

import { ConnectionClosedError, InvalidArgumentError } from '../../base/errors.js';
import { type Endable, EndableHandle, type Handle } from '../../base/handle.js';
import { checkInterfaceName, checkObjectPath } from '../../base/names.js';
import type { Bus } from '../../bus/bus.js';
import type { CallsAtWork } from '../../bus/calls-at-work.js';
import { closeHandedOver } from '../../codec/close-descriptors.js';
import type { MessageHead } from '../../connection/message.js';
import { report } from '../../diagnostics/problems.js';
import { Dispatcher } from '../calls/dispatcher.js';
import type { ServiceInterface } from '../class/service-interface.js';
import type { Implementation } from '../implement/implement.js';
import { Barrier } from './barrier.js';
import { type Exportable, exportableOf } from './exportable.js';
import type { ExportedTree } from './exported-tree.js';
import { Arrival, Departure, prepareLate } from './movements.js';
import { ObjectTree, type TreeNode } from './object-tree.js';
import { type Outgoing, Place } from './place.js';
import { Subtree, type TreeOptions, treeOptions } from './subtree.js';

/**
 * The objects that `bus.export` accepts: an instance of a class that extends `ServiceInterface`, or the result of
 * `implement`.
 */
export type ExportedObject = ServiceInterface | Implementation;

/** An export. After it was ended, calls are answered with an error, and no signals are sent from its path. */
export interface Export extends Handle {
  /** The object's path. */
  readonly path: string;
}

/** The user of a connection that exports something. */
interface Exporter {
  /** The count that includes calls of the export until they are answered. */
  readonly atWork: CallsAtWork;
  /** Ends an export with the user, until it is disowned. */
  own(item: Endable, hears: boolean): void;
  disown(item: Endable): void;
  /** Keeps the process alive for an export. */
  beginHold(reportsLoss: boolean): void;
  endHold(reportsLoss: boolean): void;
}

/** An export, which is also its handle. */
class LiveExport extends EndableHandle implements Export {
  readonly path: string;
  /** @internal without places it is an ObjectManager */
  readonly places: readonly Place[] | undefined;
  /** @internal */
  readonly exporter: Exporter;
  readonly #exports: Exports;

  constructor(exports: Exports, path: string, places: readonly Place[] | undefined, exporter: Exporter) {
    super();
    this.path = path;
    this.places = places;
    this.exporter = exporter;
    this.#exports = exports;
  }

  protected override get shown(): string {
    return `export { ${this.path} }`;
  }

  /** @internal */
  override endNow(): void {
    this.#exports.end(this);
  }
}

/** An export of an object of a tree, with which it ends. */
class KeptExport extends LiveExport {
  readonly tree: LiveTree;

  constructor(exports: Exports, path: string, places: readonly Place[], exporter: Exporter, tree: LiveTree) {
    super(exports, path, places, exporter);
    this.tree = tree;
  }
}

class LiveTree extends LiveExport implements ExportedTree {
  readonly #exports: Exports;
  /** @internal */
  readonly subtree: Subtree;
  /** @internal */
  readonly hasManager: boolean;

  constructor(exports: Exports, subtree: Subtree, hasManager: boolean, exporter: Exporter) {
    super(exports, subtree.path, undefined, exporter);
    this.#exports = exports;
    this.subtree = subtree;
    this.hasManager = hasManager;
  }

  protected override get shown(): string {
    return `tree { ${this.path} }`;
  }

  keep(path: string, ...interfaces: readonly [ExportedObject, ...ExportedObject[]]): Export {
    return this.#exports.keep(this.#below(path), interfaces.map(exportableOf), this);
  }

  announceAdded(path: string, ...interfaces: readonly [ExportedObject, ...ExportedObject[]]): void {
    this.#exports.announceAdded(this.#below(path), interfaces.map(exportableOf), this);
  }

  announceRemoved(path: string, ...interfaces: readonly [string, ...string[]]): void {
    for (const name of interfaces) checkInterfaceName(name, 'interface');
    this.#exports.announceRemoved(this.#below(path), interfaces, this);
  }

  #below(path: string): string {
    checkExportPath(path);
    if (path.startsWith(this.path === '/' ? '/' : `${this.path}/`) && path !== '/') return path;
    throw new InvalidArgumentError(`path: ${path} is not below the tree ${this.path}`);
  }
}

export class Exports {
  readonly #bus: Bus;
  readonly #tree = new ObjectTree();
  readonly #dispatcher: Dispatcher;
  readonly #barrier: Barrier;
  readonly #outgoing: Outgoing;

  readonly #live = new Set<LiveExport>();

  constructor(bus: Bus) {
    this.#bus = bus;
    this.#barrier = new Barrier(bus);
    const tell: Outgoing['tell'] = (head, body, isAnnouncement) => this.#tell(head, body, isAnnouncement);
    this.#outgoing = { bus, barrier: this.#barrier, descriptors: bus.limits.messageDescriptors, tell };
    // An object that outlives the connection must not keep a reference to it.
    bus.whenClosed(() => {
      this.#barrier.close();
      for (const live of [...this.#live]) if (this.#live.delete(live)) this.#end(live);
    });
    this.#dispatcher = new Dispatcher(bus, this.#tree);
  }

  get dispatcher(): Dispatcher {
    return this.#dispatcher;
  }

  /** The number of paths with an export. */
  get size(): number {
    return this.#tree.size;
  }

  /**
   * Exports interfaces at a path.
   *
   * @throws {@link InvalidArgumentError} if the path is invalid, or already has an interface of that name
   */
  add(path: string, exportables: readonly Exportable[], exporter: Exporter): Export {
    const places = this.#addPlaces(path, exportables, exporter, true);
    return this.#begin(new LiveExport(this, path, places, exporter));
  }

  /** @param isAnnounced whether the ObjectManagers above announce the interfaces */
  #addPlaces(
    path: string,
    exportables: readonly Exportable[],
    exporter: Exporter,
    isAnnounced: boolean,
  ): readonly Place[] {
    checkExportPath(path);
    this.#requireOpen(path);
    const { alone } = exporter.atWork;
    const places = exportables.map((exportable) => new Place(path, exportable, this.#outgoing, alone));
    this.#tree.add(path, places);
    this.#tree.subtreeOf(path)?.leaveTo(path, exportables);
    const managers = isAnnounced ? this.#managersAbove(path) : [];
    const arrival = managers.length > 0 ? new Arrival(path, exportables, managers, this.#outgoing) : undefined;
    try {
      for (const place of places) {
        place.exportable.prepare();
        if (arrival !== undefined) place.arrive(arrival);
        place.exportable.properties.places.add(place);
      }
    } catch (error) {
      // If an object cannot be attached, the whole export is undone.
      this.#remove(path, places);
      throw error;
    }
    // An export in a constructor is completed at the end of the tick at the latest.
    if (exportables.some(({ isUnsettled }) => isUnsettled)) queueMicrotask(() => prepareLate(path, exportables));
    if (arrival !== undefined) this.#barrier.add(arrival);
    return places;
  }

  #remove(path: string, places: readonly Place[]): void {
    for (const place of places) place.exportable.properties.places.delete(place);
    this.#tree.remove(path, places);
  }

  /** Exports an ObjectManager at a path, for all objects below it. */
  addManager(path: string, exporter: Exporter): Export {
    checkExportPath(path);
    this.#requireOpen(path);
    this.#tree.setManager(path, exporter.atWork);
    return this.#begin(new LiveExport(this, path, undefined, exporter));
  }

  /**
   * Exports a tree whose objects are found when they are asked for.
   *
   * @throws {@link InvalidArgumentError} if the path or an option is invalid, or the path has a tree or manager already
   */
  addTree(path: string, options: TreeOptions, exporter: Exporter): ExportedTree {
    checkExportPath(path);
    treeOptions.check(options);
    this.#requireOpen(path);
    const { children, find, manager = false } = options;
    const given = { children: children.bind(options), find: find.bind(options) };
    const subtree = new Subtree(path, given, this.#tree, this.#outgoing, exporter.atWork);
    if (manager) this.#tree.setManager(path, exporter.atWork);
    try {
      this.#tree.setSubtree(path, subtree);
    } catch (error) {
      if (manager) this.#tree.setManager(path, undefined);
      throw error;
    }
    return this.#begin(new LiveTree(this, subtree, manager, exporter));
  }

  /** Exports objects of a tree that are known already, until the tree ends. */
  keep(path: string, exportables: readonly Exportable[], tree: LiveTree): Export {
    const { exporter } = tree;
    if (!this.#live.has(tree)) throw new InvalidArgumentError(`the tree ${tree.path} has ended`);
    return this.#begin(new KeptExport(this, path, this.#addPlaces(path, exportables, exporter, false), exporter, tree));
  }

  announceAdded(path: string, exportables: readonly Exportable[], tree: LiveTree): void {
    const managers = this.#managersOf(tree, path);
    if (managers.length === 0) return;
    for (const exportable of exportables) exportable.prepare();
    for (const search of this.#tree.searches) search.announceAdded(path, exportables);
    this.#barrier.add(new Arrival(path, exportables, managers, this.#outgoing));
  }

  announceRemoved(path: string, names: readonly string[], tree: LiveTree): void {
    const managers = this.#managersOf(tree, path);
    if (managers.length === 0) return;
    for (const search of this.#tree.searches) search.announceRemoved(path, names);
    this.#barrier.add(new Departure(path, names, managers, this.#outgoing));
  }

  /** Those that announce an object of a tree: none after its end. */
  #managersOf(tree: LiveTree, path: string): readonly TreeNode[] {
    return this.#live.has(tree) ? this.#managersAbove(path) : [];
  }

  #begin<Live extends LiveExport>(live: Live): Live {
    this.#live.add(live);
    live.exporter.own(live, false);
    live.exporter.beginHold(false);
    return live;
  }

  /** Ends an export, unless it has ended before, or with the connection. */
  end(live: LiveExport): void {
    if (!this.#live.delete(live)) return;
    this.#end(live);
    live.exporter.disown(live);
    live.exporter.endHold(false);
  }

  #end(live: LiveExport): void {
    const { path, places } = live;
    // Earlier announcements are sent first: those of objects below an ObjectManager while it is exported, and those of an
    // object even if the end of its export is not announced.
    this.#barrier.letOut();
    if (live instanceof LiveTree) {
      this.#endTree(live);
      return;
    }
    if (places === undefined) {
      this.#tree.setManager(path, undefined);
      return;
    }
    const isTold = this.#bus.state !== 'closed' && !(live instanceof KeptExport);
    const managers = isTold ? this.#managersAbove(path) : [];
    this.#remove(path, places);
    if (managers.length === 0) return;
    const names = places.map(({ description }) => description.name);
    this.#barrier.add(new Departure(path, names, managers, this.#outgoing));
  }

  #endTree(tree: LiveTree): void {
    const { path, subtree, hasManager } = tree;
    subtree.end();
    for (const live of [...this.#live]) if (live instanceof KeptExport && live.tree === tree) this.end(live);
    this.#tree.setSubtree(path, undefined);
    if (hasManager) this.#tree.setManager(path, undefined);
  }

  #requireOpen(path: string): void {
    // Handlers that answer before the connection closes may export objects for their answers.
    if (this.#bus.carriesMessages) return;
    throw new ConnectionClosedError(`the connection is ${this.#bus.state}: nothing can be exported at ${path}`);
  }

  #managersAbove(path: string): readonly TreeNode[] {
    return [...this.#tree.above(path)].filter(({ managesObjects }) => managesObjects);
  }

  /**
   * Sends a signal. After a loss it is dropped, because signals have no receiver for errors. A value of the wrong type
   * is thrown to the emitter. Nothing is thrown for a signal that this peer does not get, so the emitter does not close
   * the descriptors that it handed over.
   */
  #tell(head: MessageHead, body: readonly unknown[], isAnnouncement: boolean): void {
    if (this.#isTold(head, body, isAnnouncement)) return;
    closeHandedOver(head.signature ?? '', body);
  }

  #isTold(head: MessageHead, body: readonly unknown[], isAnnouncement: boolean): boolean {
    try {
      return this.#bus.tell(head, body, isAnnouncement);
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
      const { state, connectionId } = this.#bus;
      const what = `${head.interface}.${head.member} was not sent: the connection is ${state}`;
      report('send', what, undefined, connectionId);
      return false;
    }
  }
}

function checkExportPath(path: string): void {
  checkObjectPath(path, 'path');
  if (path === '/org/freedesktop/DBus/Local') throw new InvalidArgumentError(`the path ${path} is reserved`);
}
