/**
 * The exports of a connection. It adds interfaces to the tree, gives each a place for its signals and property changes,
 * and has the ObjectManagers above announce exports that begin and end.
 */

import { ConnectionClosedError, InvalidArgumentError } from '../../base/errors.js';
import { type Endable, EndableHandle, type Handle } from '../../base/handle.js';
import { checkObjectPath } from '../../base/names.js';
import type { Bus } from '../../bus/bus.js';
import type { CallsAtWork } from '../../bus/calls-at-work.js';
import { closeHandedOver } from '../../codec/close-descriptors.js';
import { withoutFrames } from '../../codec/value-refusal.js';
import type { MessageHead } from '../../connection/message.js';
import { report, reportMisfit } from '../../diagnostics/problems.js';
import { standardInterfaces } from '../../interface/standard.js';
import { Dispatcher } from '../calls/dispatcher.js';
import type { ServiceInterface } from '../class/service-interface.js';
import type { Implementation } from '../implement/implement.js';
import { sendShared } from '../properties/change.js';
import { DescriptorRoom } from '../properties/descriptor-room.js';
import { Barrier, type Pending } from './barrier.js';
import type { Exportable } from './exportable.js';
import { ObjectTree, type TreeNode } from './object-tree.js';
import { type Outgoing, Place, signalHead } from './place.js';

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
    this.#outgoing = { barrier: this.#barrier, descriptors: bus.limits.messageDescriptors, tell };
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
    checkExportPath(path);
    this.#requireOpen(path);
    const { alone } = exporter.atWork;
    const places = exportables.map((exportable) => new Place(path, exportable, this.#outgoing, alone));
    this.#tree.add(path, places);
    const managers = this.#managersAbove(path);
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
    return this.#begin(path, places, exporter);
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
    return this.#begin(path, undefined, exporter);
  }

  #begin(path: string, places: readonly Place[] | undefined, exporter: Exporter): Export {
    const live = new LiveExport(this, path, places, exporter);
    this.#live.add(live);
    exporter.own(live, false);
    exporter.beginHold(false);
    return live;
  }

  /** Ends an export, unless it has ended before, or with the connection. */
  end(live: LiveExport): void {
    if (!this.#live.delete(live)) return;
    this.#end(live);
    live.exporter.disown(live);
    live.exporter.endHold(false);
  }

  #end({ path, places }: LiveExport): void {
    // Earlier announcements are sent first: those of objects below an ObjectManager while it is exported, and those of an
    // object even if the end of its export is not announced.
    this.#barrier.letOut();
    if (places === undefined) {
      this.#tree.setManager(path, undefined);
      return;
    }
    const managers = this.#bus.state === 'closed' ? [] : this.#managersAbove(path);
    this.#remove(path, places);
    if (managers.length === 0) return;
    const exportables = places.map(({ exportable }) => exportable);
    this.#barrier.add(new Departure(path, exportables, managers, this.#outgoing));
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

/** An announcement by the ObjectManagers above that interfaces were exported or have ended. */
abstract class Movement implements Pending {
  protected readonly path: string;
  protected readonly exportables: readonly Exportable[];
  protected readonly managers: readonly TreeNode[];
  protected readonly outgoing: Outgoing;

  constructor(path: string, exportables: readonly Exportable[], managers: readonly TreeNode[], outgoing: Outgoing) {
    this.path = path;
    this.exportables = exportables;
    this.managers = managers;
    this.outgoing = outgoing;
  }

  abstract send(): true;
}

/** The announcement of new interfaces. */
class Arrival extends Movement {
  override send(): true {
    announce(this.path, 'InterfacesAdded', this.managers, this.outgoing, () => {
      prepareLate(this.path, this.exportables);
      const room = new DescriptorRoom(this.outgoing.descriptors);
      const entries = this.exportables.map(({ description, properties }) => [
        description.name,
        properties.knownEntries(room),
      ]);
      room.tellRefused(`the announcement of ${this.path}`);
      return Object.fromEntries(entries);
    });
    return true;
  }
}

/** The announcement of interfaces that have ended. */
class Departure extends Movement {
  override send(): true {
    const names = this.exportables.map(({ description }) => description.name);
    announce(this.path, 'InterfacesRemoved', this.managers, this.outgoing, () => names);
    return true;
  }
}

/**
 * Prepares an object that was exported in its constructor and may have more members since. Errors are reported, because
 * there is no caller to throw them to.
 */
function prepareLate(path: string, exportables: readonly Exportable[]): void {
  for (const exportable of exportables) {
    if (!exportable.isUnsettled) continue;
    const { name } = exportable.description;
    exportable.prepare((error) => {
      const reported = error instanceof InvalidArgumentError ? withoutFrames(error) : error;
      reportMisfit(`${name} at ${path} was exported with a fault`, reported);
    });
  }
}

function announce(
  path: string,
  member: string,
  managers: readonly TreeNode[],
  outgoing: Outgoing,
  makeValue: () => unknown,
): void {
  let announced: unknown;
  const sendAll = () => {
    for (const manager of managers) {
      outgoing.tell(signalHead(manager.path, standardInterfaces.objectManager, member), [path, announced], true);
    }
  };
  const closeAnnounced = () => closeHandedOver('h', announced);
  try {
    announced = makeValue();
    if (managers.length === 1) {
      sendAll();
      return;
    }
    sendShared(announced, sendAll);
    closeAnnounced();
  } catch (error) {
    report('send', `InterfacesAdded or InterfacesRemoved of ${path} could not be sent`, error);
    closeAnnounced();
  }
}
