/** One place where an object is exported: a path on a connection. Its signals and the changes of its properties leave here. */
import { EncodedEntries, type EncodedEntry } from '../codec/encoded-entries.js';
import { PreparedHead } from '../connection/header.js';
import { type MessageHead, MessageType } from '../connection/message.js';
import { report } from '../diagnostics.js';
import type { InterfaceDescription } from '../introspection/description.js';
import { standardInterfaces } from '../introspection/standard.js';
import type { Barrier, Pending } from './barrier.js';
import { type Change, State, sendShared } from './properties/change.js';

/** The connection, as a place needs it. */
export interface Outgoing {
  readonly barrier: Barrier;
  /**
   * Sends a signal.
   *
   * @param isAnnouncement whether others take it for the state of things, so that it must not be left out
   * @throws {@link InvalidArgumentError} if the values do not fit
   */
  tell(head: MessageHead, body: readonly unknown[], isAnnouncement: boolean): void;
}

export class Place {
  readonly path: string;
  readonly description: InterfaceDescription;
  readonly #outgoing: Outgoing;
  readonly #heads = new Map<string, PreparedHead>();
  #changesHead: PreparedHead | undefined;
  /** The last batch of changes; others may have been sent since. */
  #changes: Changes | undefined;
  /** The announcement that the object has come, which reads all values when it leaves. */
  #arrival: Pending | undefined;

  constructor(path: string, description: InterfaceDescription, outgoing: Outgoing) {
    this.path = path;
    this.description = description;
    this.#outgoing = outgoing;
  }

  /**
   * Sends a signal.
   *
   * @throws {@link InvalidArgumentError} if the values do not fit the signal's signature
   */
  emitSignal(name: string, values: readonly unknown[]): void {
    this.#outgoing.tell(this.#heads.get(name) ?? this.#prepare(name), values, false);
  }

  /** The object's coming is announced by this, with the values that its properties have then. */
  arrive(arrival: Pending): void {
    this.#arrival = arrival;
  }

  /** A property has changed: that is told at the end of the turn, or before anything else is sent. */
  note(change: Change): void {
    const { barrier } = this.#outgoing;
    const { last } = barrier;
    if (last !== undefined && last === this.#arrival) return;
    change.take();
    if (last !== undefined && last === this.#changes) {
      this.#changes.set(change);
      barrier.schedule();
      return;
    }
    this.#changes = new Changes(this);
    this.#changes.set(change);
    barrier.add(this.#changes);
  }

  /** Sends PropertiesChanged. */
  tellChanges(entries: readonly EncodedEntry[], invalidated: readonly string[]): void {
    const { path, description } = this;
    this.#changesHead ??= new PreparedHead(signalHead(path, standardInterfaces.properties, 'PropertiesChanged'));
    this.#outgoing.tell(this.#changesHead, [description.name, new EncodedEntries(entries), invalidated], true);
  }

  #prepare(member: string): PreparedHead {
    const head = new PreparedHead(signalHead(this.path, this.description, member));
    this.#heads.set(member, head);
    return head;
  }
}

/** Changes of one object that leave together from a place: the last one of each property. */
class Changes implements Pending {
  readonly #place: Place;
  readonly #changes = new Map<string, Change>();

  constructor(place: Place) {
    this.#place = place;
  }

  set(change: Change): void {
    this.#changes.get(change.name)?.done();
    this.#changes.set(change.name, change);
  }

  send(isOvertaken: boolean): boolean {
    const entries: EncodedEntry[] = [];
    const invalidated: string[] = [];
    const leaving: Change[] = [];
    let isShared = false;
    for (const change of this.#changes.values()) {
      const { content } = change;
      if (content === State.Awaited && !isOvertaken) continue;
      leaving.push(change);
      if (typeof content === 'symbol') invalidated.push(change.name);
      else entries.push(content);
      isShared ||= Array.isArray(content);
    }
    try {
      if (leaving.length > 0) {
        if (isShared) sendShared(entries, () => this.#place.tellChanges(entries, invalidated));
        else this.#place.tellChanges(entries, invalidated);
      }
    } catch (error) {
      report('send', `the changes of ${this.#place.description.name} could not be sent`, error);
    }
    for (const change of leaving) {
      this.#changes.delete(change.name);
      change.done();
    }
    return this.#changes.size === 0;
  }
}

/** The head of a signal of an interface. */
export function signalHead(path: string, description: InterfaceDescription, member: string): MessageHead {
  const { signature } = description.signals.get(member) ?? {};
  return { type: MessageType.Signal, path, interface: description.name, member, signature };
}
