/**
 * The objects that an ObjectManager reports, by path and interface: the state of an object view. It owns the managed
 * interfaces. It takes the reply of `GetManagedObjects` and the signals as they come, and tells the watchers.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.ObjectManager"
 */

import type { DBusError } from '../base/errors.js';
import type { SubscriptionRule } from '../bus/bus.js';
import { misfitReply, misfitText } from '../client/misfits.js';
import type { Inbox } from '../connection/receiving/inbox.js';
import type { ReplyBody } from '../connection/sending/pending-calls.js';
import type { Numbered } from '../diagnostics/problems.js';
import { report } from '../diagnostics/problems.js';
import { standardInterfaces } from '../interface/standard.js';
import { type InterfaceWatcher, ManagedInterface } from './managed-interface.js';
import { askForPath } from './missing-manager.js';
import { PropertyValues, type Sent } from './property-values.js';
import { readAgain } from './read-again.js';
import { readChange } from './read-change.js';
import type { Declaration, LiveSource, Mirror, Question } from './source.js';
import { WaitingChanges } from './waiting-changes.js';
import { removeDescriptors } from './without-descriptors.js';

type SentInterfaces = Readonly<Record<string, Sent>>;

/** A signal of the owner. */
export type StoreChange =
  | { readonly kind: 'added'; readonly path: string; readonly interfaces: SentInterfaces }
  | { readonly kind: 'removed'; readonly path: string; readonly interfaces: readonly string[] }
  | {
      readonly kind: 'changed';
      readonly path: string;
      readonly name: string;
      readonly sent: Sent;
      readonly invalidated: readonly string[];
      readonly held: readonly string[];
    };

const MANAGER = standardInterfaces.objectManager.name;
const REPLY = 'a{oa{sa{sv}}}';
const decoding = { variants: 'wrap' } as const;

export class ObjectStore implements Mirror<StoreChange> {
  readonly title: string;
  readonly question: Question;
  readonly root: string;
  readonly #destination: string | undefined;
  readonly #bus: Numbered;
  /**
   * The objects by path: their interfaces by name, or what the service sent. Interfaces are made of it when the object
   * is used, or one of its interfaces is asked for: making those of ten thousand objects takes as long as decoding them.
   */
  readonly #objects = new Map<string, Map<string, ManagedInterface> | SentInterfaces>();
  /** How many objects are as the service sent them. */
  #unused = 0;
  readonly #byName = new Map<string, Map<string, ManagedInterface>>();
  readonly #waiting = new WaitingChanges();
  readonly #watchers = new Map<string, Set<InterfaceWatcher>>();
  /** Whether watchers have not been told of the objects yet. */
  #isFilling = false;
  /** Whether changes are followed at any path, because the manager reported an object that is not below its own path. */
  #isEverywhere: boolean;
  #isDeclaredEverywhere = false;
  source!: LiveSource<StoreChange>;

  constructor(bus: Numbered, destination: string | undefined, root: string) {
    this.#bus = bus;
    this.root = root;
    this.#destination = destination;
    this.#isEverywhere = root === '/';
    this.title = `the objects of ${destination ?? 'the peer'} at ${root}`;
    this.question = { path: root, interface: MANAGER, member: 'GetManagedObjects' };
  }

  /** The number of objects. */
  get size(): number {
    return this.#objects.size;
  }

  /** The paths of the objects. */
  get paths(): IterableIterator<string> {
    return this.#objects.keys();
  }

  /** The interfaces of an object by name; `undefined` if there is no such object. */
  at(path: string): ReadonlyMap<string, ManagedInterface> | undefined {
    return this.#objectAt(path);
  }

  /** The objects that have an interface, by path. */
  having(name: string): ReadonlyMap<string, ManagedInterface> {
    if (this.#unused > 0) this.#makeAll();
    return this.#byName.get(name) ?? none;
  }

  /** Watches one interface of all objects. Returns the function that ends it. */
  watch(name: string, watcher: InterfaceWatcher): () => void {
    let watchers = this.#watchers.get(name);
    if (watchers === undefined) {
      watchers = new Set();
      this.#watchers.set(name, watchers);
    }
    watchers.add(watcher);
    for (const managed of this.having(name).values()) managed.look();
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(name) === watchers) this.#watchers.delete(name);
    };
  }

  isWatched({ name }: ManagedInterface): boolean {
    return this.#watchers.has(name);
  }

  read(managed: ManagedInterface): void {
    readAgain(this.source, managed, (names) => this.#tellChanged(managed, names), this.#bus.connectionId);
  }

  declarations(): readonly Declaration<StoreChange>[] {
    const manager: SubscriptionRule = { path: this.root, interface: MANAGER };
    this.#isDeclaredEverywhere = this.#isEverywhere;
    const below = this.#isEverywhere ? {} : { pathNamespace: this.root };
    return [
      { rule: manager, read: (received) => this.#readManager(received) },
      {
        rule: { ...below, interface: standardInterfaces.properties.name, member: 'PropertiesChanged' },
        read: (received) => this.#readProperties(received),
      },
    ];
  }

  explain(reason: unknown): unknown {
    return askForPath(reason, { ...this.question, destination: this.#destination });
  }

  fill(reply: ReplyBody): void {
    if (reply.signature !== REPLY) throw misfitReply('the reply', REPLY, reply.signature, this.question);
    const [objects] = reply.decode(decoding) as [Readonly<Record<string, SentInterfaces>>];
    this.#isFilling = true;
    for (const path of Object.keys(objects)) {
      const interfaces = objects[path] as SentInterfaces;
      removeAll(reply, interfaces);
      this.#objects.set(path, interfaces);
      this.#unused++;
    }
  }

  apply(change: StoreChange): void {
    if (change.kind === 'added' && !this.#isFilling && !this.#covers(change.path)) {
      this.#isEverywhere = true;
      this.source.restart();
      return;
    }
    if (change.kind === 'added') this.#add(change.path, change.interfaces);
    else if (change.kind === 'removed') this.#remove(change.path, change.interfaces);
    else this.#change(change);
  }

  get isCovered(): boolean {
    for (const path of this.#objects.keys()) if (!this.#covers(path)) this.#isEverywhere = true;
    return !this.#isEverywhere || this.#isDeclaredEverywhere;
  }

  settle(): void {
    this.#isFilling = false;
    for (const name of [...this.#watchers.keys()]) {
      for (const managed of [...this.having(name).values()]) this.#tellAdded(managed);
    }
  }

  clear(isTold: boolean): void {
    const all: ManagedInterface[] = [];
    for (const object of this.#objects.values()) if (object instanceof Map) all.push(...object.values());
    this.#objects.clear();
    this.#unused = 0;
    this.#byName.clear();
    this.#waiting.clear();
    for (const managed of all) managed.remove();
    const wasFilling = this.#isFilling;
    this.#isFilling = false;
    if (wasFilling) return;
    for (const managed of all) {
      if (isTold) this.#tellRemoved(managed);
      else managed.close();
    }
  }

  close(reason: DBusError | undefined): void {
    const all = [...this.#watchers.values()].flatMap((watchers) => [...watchers]);
    this.#watchers.clear();
    for (const watcher of all) watcher.ended(reason);
  }

  #readManager(received: Inbox): StoreChange | undefined {
    const { member } = received;
    const isAdded = member === 'InterfacesAdded';
    if (!isAdded && member !== 'InterfacesRemoved') return undefined;
    const described = isAdded ? 'oa{sa{sv}}' : 'oas';
    if (received.signature !== described) {
      report(
        'misfit',
        misfitText(`${MANAGER}.${member}`, described, received.signature),
        undefined,
        this.#bus.connectionId,
      );
      return undefined;
    }
    const [path, interfaces] = received.decode(decoding) as [string, never];
    if (isAdded) removeAll(received, interfaces);
    return isAdded ? { kind: 'added', path, interfaces } : { kind: 'removed', path, interfaces };
  }

  #readProperties(received: Inbox): StoreChange | undefined {
    const change = readChange(received);
    return change && { kind: 'changed', path: received.path as string, ...change };
  }

  /** Whether the match rules report changes of an object at this path. */
  #covers(path: string): boolean {
    return this.#isDeclaredEverywhere || path === this.root || path.startsWith(`${this.root}/`);
  }

  #add(path: string, interfaces: SentInterfaces): void {
    let object = this.#objectAt(path);
    if (object === undefined) {
      object = new Map();
      this.#objects.set(path, object);
    }
    for (const name of Object.keys(interfaces)) {
      const sent = interfaces[name] as Sent;
      const known = object.get(name);
      if (known !== undefined) {
        this.#tellChanged(known, known.values.replace(sent));
        continue;
      }
      const managed = this.#make(object, path, name, sent);
      this.#waiting.meet(path, name, managed.values);
      if (!this.#isFilling) this.#tellAdded(managed);
    }
  }

  #make(object: Map<string, ManagedInterface>, path: string, name: string, sent: Sent): ManagedInterface {
    const managed = new ManagedInterface(this, path, name, new PropertyValues(sent));
    object.set(name, managed);
    let having = this.#byName.get(name);
    if (having === undefined) {
      having = new Map();
      this.#byName.set(name, having);
    }
    having.set(path, managed);
    return managed;
  }

  /** The interfaces of an object, which are made now if it has not been used before. */
  #objectAt(path: string): Map<string, ManagedInterface> | undefined {
    const interfaces = this.#objects.get(path);
    if (interfaces === undefined || interfaces instanceof Map) return interfaces;
    const made = new Map<string, ManagedInterface>();
    this.#objects.set(path, made);
    this.#unused--;
    for (const name of Object.keys(interfaces)) this.#make(made, path, name, interfaces[name] as Sent);
    return made;
  }

  /** Makes the interfaces of all objects. Those of objects that were used before come in the order of the objects, too. */
  #makeAll(): void {
    for (const path of this.#objects.keys()) this.#objectAt(path);
    for (const having of this.#byName.values()) having.clear();
    for (const [path, object] of this.#objects) {
      for (const managed of (object as Map<string, ManagedInterface>).values()) {
        this.#byName.get(managed.name)?.set(path, managed);
      }
    }
  }

  #remove(path: string, names: readonly string[]): void {
    const object = this.#objectAt(path);
    if (object === undefined) return;
    const removed: ManagedInterface[] = [];
    for (const name of names) {
      const managed = object.get(name);
      if (managed === undefined) continue;
      object.delete(name);
      const having = this.#byName.get(name);
      having?.delete(path);
      if (having?.size === 0) this.#byName.delete(name);
      managed.remove();
      removed.push(managed);
    }
    if (object.size === 0) this.#objects.delete(path);
    if (!this.#isFilling) for (const managed of removed) this.#tellRemoved(managed);
  }

  #change({ path, name, sent, invalidated, held }: Extract<StoreChange, { kind: 'changed' }>): void {
    const managed = this.#objectAt(path)?.get(name);
    if (managed === undefined) {
      this.#waiting.add(path, name, sent, [...invalidated, ...held]);
      return;
    }
    this.#tellChanged(managed, managed.values.change(sent, invalidated, held));
    managed.lookIfWatched();
  }

  #tellAdded(managed: ManagedInterface): void {
    const watchers = this.#watchers.get(managed.name);
    if (watchers === undefined) return;
    for (const watcher of [...watchers]) {
      if (managed.isPresent && watchers.has(watcher)) watcher.added(managed);
    }
    managed.lookIfWatched();
  }

  #tellChanged(managed: ManagedInterface, names: readonly string[]): void {
    if (this.#isFilling || names.length === 0) return;
    managed.tellChanged(names);
    const watchers = this.#watchers.get(managed.name);
    if (watchers === undefined) return;
    for (const watcher of [...watchers]) {
      if (managed.isPresent && watchers.has(watcher)) watcher.changed(managed, names);
    }
  }

  #tellRemoved(managed: ManagedInterface): void {
    managed.tellRemoved();
    const watchers = this.#watchers.get(managed.name);
    if (watchers === undefined) return;
    for (const watcher of [...watchers]) if (watchers.has(watcher)) watcher.removed(managed);
  }
}

/** As {@link removeDescriptors}, for the interfaces of an object. */
function removeAll(carrier: Parameters<typeof removeDescriptors>[0], interfaces: SentInterfaces): void {
  if (carrier.hasDescriptors) for (const sent of Object.values(interfaces)) removeDescriptors(carrier, sent);
}

const none: ReadonlyMap<string, ManagedInterface> = new Map();
