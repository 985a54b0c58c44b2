/** A place where an object is exported: a path on a connection. It sends the object's signals and property changes. */
import type { Bus } from '../../bus/bus.js';
import type { CallsAtWork } from '../../bus/calls-at-work.js';
import { EncodedEntries, type EncodedEntry, hasDescriptors } from '../../codec/encoded-entries.js';
import { type MessageHead, MessageType } from '../../connection/message.js';
import { PreparedHead } from '../../connection/sending/header.js';
import { report } from '../../diagnostics/problems.js';
import type { InterfaceDescription } from '../../interface/description.js';
import { standardInterfaces } from '../../interface/standard.js';
import { type Change, State, sendShared } from '../properties/change.js';
import { DescriptorRoom } from '../properties/descriptor-room.js';
import type { Barrier, Pending } from './barrier.js';
import type { Exportable } from './exportable.js';

/** The part of a connection that a place uses. */
export interface Outgoing {
  /** The bus, or the peer, that gets the messages. */
  readonly bus: Pick<Bus, 'isPeer'>;
  readonly barrier: Barrier;
  /** How many file descriptors a message may carry. */
  readonly descriptors: number;
  /**
   * Sends a signal.
   *
   * @param isAnnouncement whether clients derive the object's state from it, so that it must not be dropped
   * @throws {@link InvalidArgumentError} if a value has the wrong type
   */
  tell(head: MessageHead, body: readonly unknown[], isAnnouncement: boolean): void;
}

export class Place {
  readonly path: string;
  readonly exportable: Exportable;
  /** The counts that include its calls until they are answered. */
  readonly atWork: readonly CallsAtWork[];
  readonly #outgoing: Outgoing;
  /** The heads of the signals that were sent, by the signals' names. */
  #heads: Map<string, PreparedHead> | undefined;
  #changesHead: PreparedHead | undefined;
  /** The pending announcement of the object, which reads all values when it is sent. */
  #arrival: Pending | undefined;

  constructor(path: string, exportable: Exportable, outgoing: Outgoing, atWork: readonly CallsAtWork[]) {
    this.path = path;
    this.exportable = exportable;
    this.atWork = atWork;
    this.#outgoing = outgoing;
  }

  get description(): InterfaceDescription {
    return this.exportable.description;
  }

  get bus(): Outgoing['bus'] {
    return this.#outgoing.bus;
  }

  /**
   * Sends a signal.
   *
   * @throws {@link InvalidArgumentError} if a value does not have the type in the signal's signature
   */
  emitSignal(name: string, values: readonly unknown[]): void {
    this.#outgoing.tell(this.#heads?.get(name) ?? this.#prepare(name), values, false);
  }

  /** As {@link emitSignal}, to one connection of the bus; `undefined` between peers. */
  emitSignalTo(destination: string | undefined, name: string, values: readonly unknown[]): void {
    if (destination === undefined || this.bus.isPeer) this.emitSignal(name, values);
    else this.#outgoing.tell({ ...signalHead(this.path, this.description, name), destination }, values, false);
  }

  /** Sets the announcement of the object, which contains the values that the properties have when it is sent. */
  arrive(arrival: Pending): void {
    this.#arrival = arrival;
  }

  /**
   * Records a changed property. It is announced at the end of the tick, or before the next message.
   *
   * @param owner the store of the property
   */
  note(change: Change, owner: object): void {
    const { barrier, descriptors } = this.#outgoing;
    const { last } = barrier;
    if (last !== undefined && last === this.#arrival) return;
    if (last instanceof Changes && last.owner === owner) {
      last.set(this, change);
      barrier.schedule();
      return;
    }
    change.take();
    barrier.add(new Changes(owner, descriptors, this, change));
  }

  /** Sends PropertiesChanged. */
  tellChanges(entries: readonly EncodedEntry[], invalidated: readonly string[]): void {
    const { path, description } = this;
    this.#changesHead ??= new PreparedHead(signalHead(path, standardInterfaces.properties, 'PropertiesChanged'));
    this.#outgoing.tell(this.#changesHead, [description.name, new EncodedEntries(entries), invalidated], true);
  }

  #prepare(member: string): PreparedHead {
    const head = new PreparedHead(signalHead(this.path, this.description, member));
    this.#heads ??= new Map();
    this.#heads.set(member, head);
    return head;
  }
}

/**
 * Changes of one object that are sent together, from all of its places on a connection: the last change of each
 * property.
 */
class Changes implements Pending {
  readonly owner: object;
  readonly #place: Place;
  #otherPlaces: Place[] | undefined;
  #changes: Change[];
  readonly #descriptors: number;

  /**
   * @param owner the store of the changes
   * @param descriptors how many one message may carry
   * @param change the first one, which is taken already
   */
  constructor(owner: object, descriptors: number, place: Place, change: Change) {
    this.owner = owner;
    this.#descriptors = descriptors;
    this.#place = place;
    this.#changes = [change];
  }

  set(place: Place, change: Change): void {
    this.#addPlace(place);
    const index = this.#changes.findIndex(({ name }) => name === change.name);
    if (this.#changes[index] === change) return;
    change.take();
    if (this.#changes.length === 0) {
      this.#changes = [change];
    } else if (index < 0) {
      this.#changes.push(change);
    } else {
      this.#changes[index]?.done();
      this.#changes[index] = change;
    }
  }

  #addPlace(place: Place): void {
    if (place === this.#place || this.#otherPlaces?.includes(place)) return;
    this.#otherPlaces ??= [];
    this.#otherPlaces.push(place);
  }

  send(isOvertaken: boolean): boolean {
    const [only] = this.#changes;
    if (this.#changes.length === 1 && only !== undefined && this.#sendOnly(only)) return true;
    const entries: EncodedEntry[] = [];
    const invalidated: string[] = [];
    const staying: Change[] = [];
    let room: DescriptorRoom | undefined;
    for (const change of this.#changes) {
      const { content } = change;
      if (content === State.Awaited && !isOvertaken) staying.push(change);
      else if (typeof content === 'symbol') invalidated.push(change.name);
      else if (hasDescriptors(content)) {
        room ??= new DescriptorRoom(this.#descriptors);
        // A value without room is invalidated; clients ask for it.
        if (room.takes(content)) entries.push(content);
        else invalidated.push(change.name);
      } else entries.push(content);
    }
    const leaving = this.#changes;
    this.#changes = staying;
    if (entries.length > 0 || invalidated.length > 0) this.#tell(entries, invalidated, room !== undefined);
    for (const change of leaving) if (staying.length === 0 || !staying.includes(change)) change.done();
    return staying.length === 0;
  }

  /** Sends a single change whose value is in memory, without the lists that several need. Returns whether it did. */
  #sendOnly(change: Change): boolean {
    const { content } = change;
    if (typeof content === 'symbol' || hasDescriptors(content)) return false;
    this.#changes = none;
    this.#tell([content], none, false);
    change.done();
    return true;
  }

  #tell(entries: readonly EncodedEntry[], invalidated: readonly string[], isShared: boolean): void {
    tellFrom(this.#place, entries, invalidated, isShared);
    for (const place of this.#otherPlaces ?? none) tellFrom(place, entries, invalidated, isShared);
  }
}

function tellFrom(
  place: Place,
  entries: readonly EncodedEntry[],
  invalidated: readonly string[],
  isShared: boolean,
): void {
  try {
    if (isShared) sendShared(entries, () => place.tellChanges(entries, invalidated));
    else place.tellChanges(entries, invalidated);
  } catch (error) {
    report('send', `the changes of ${place.description.name} could not be sent`, error);
  }
}

/** An empty list. It is never changed: a list that stays empty would be garbage. */
const none: never[] = [];

/** Makes the head of an interface's signal. */
export function signalHead(path: string, description: InterfaceDescription, member: string): MessageHead {
  const { signature } = description.signals.get(member) ?? {};
  return { type: MessageType.Signal, path, interface: description.name, member, signature };
}
