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
import { ObjectTable } from './object-table.js';
import { PropertyValues, type Sent } from './property-values.js';
import { readAgain } from './read-again.js';
import { type PropertiesChange, readChange } from './read-change.js';
import type { Declaration, LiveSource, Mirror, Question } from './source.js';
import type { SentInterfaces } from './unread-objects.js';
import { WaitingChanges } from './waiting-changes.js';
import { removeDescriptors } from './without-descriptors.js';

/** A signal of the owner. */
export type StoreChange =
  | { readonly kind: 'added'; readonly path: string; readonly interfaces: SentInterfaces }
  | { readonly kind: 'removed'; readonly path: string; readonly interfaces: readonly string[] }
  | {
      readonly kind: 'changed';
      readonly path: string;
      readonly change: PropertiesChange;
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
  readonly #objects: ObjectTable;
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
    this.#objects = new ObjectTable(
      (path, name, sent) => new ManagedInterface(this, path, name, new PropertyValues(sent)),
      (path, error) => report('misfit', `${path} of ${this.title} is left out`, error, bus.connectionId),
    );
    this.title = `the objects of ${destination ?? 'the peer'} at ${root}`;
    this.question = { path: root, interface: MANAGER, member: 'GetManagedObjects' };
  }

  /** The number of objects. */
  get size(): number {
    return this.#objects.size;
  }

  /** The paths of the objects. */
  get paths(): IterableIterator<string> {
    return this.#objects.paths;
  }

  /** The interfaces of an object by name; `undefined` if there is no such object. */
  at(path: string): ReadonlyMap<string, ManagedInterface> | undefined {
    return this.#objects.at(path);
  }

  /** The objects that have an interface, by path. */
  having(name: string): ReadonlyMap<string, ManagedInterface> {
    return this.#objects.having(name);
  }

  /** Watches one interface of all objects. Returns the function that ends it. */
  watch(name: string, watcher: InterfaceWatcher): () => void {
    let watchers = this.#watchers.get(name);
    if (watchers === undefined) {
      watchers = new Set();
      this.#watchers.set(name, watchers);
    }
    watchers.add(watcher);
    for (const managed of this.#objects.having(name).values()) managed.look();
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
    this.#isFilling = true;
    if (!reply.hasDescriptors) {
      this.#objects.fill(reply);
      return;
    }
    const [objects] = reply.decode(decoding) as [Readonly<Record<string, SentInterfaces>>];
    for (const path of Object.keys(objects)) {
      const interfaces = objects[path] as SentInterfaces;
      removeAll(reply, interfaces);
      this.#add(path, interfaces);
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
    else this.#change(change.path, change.change);
  }

  get isCovered(): boolean {
    for (const path of this.#objects.paths) if (!this.#covers(path)) this.#isEverywhere = true;
    return !this.#isEverywhere || this.#isDeclaredEverywhere;
  }

  settle(): void {
    this.#isFilling = false;
    for (const name of [...this.#watchers.keys()]) {
      for (const managed of [...this.#objects.having(name).values()]) this.#tellAdded(managed);
    }
  }

  clear(isTold: boolean): void {
    const all = this.#objects.clear();
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
    return change && { kind: 'changed', path: received.path as string, change };
  }

  /** Whether the match rules report changes of an object at this path. */
  #covers(path: string): boolean {
    return this.#isDeclaredEverywhere || path === this.root || path.startsWith(`${this.root}/`);
  }

  #add(path: string, interfaces: SentInterfaces): void {
    const object = this.#objects.addObject(path);
    for (const name of Object.keys(interfaces)) {
      const sent = interfaces[name] as Sent;
      const known = object.get(name);
      if (known !== undefined) {
        this.#tellChanged(known, known.values.replace(sent));
        continue;
      }
      const managed = this.#objects.add(path, name, sent);
      this.#waiting.meet(path, name, managed.values);
      if (!this.#isFilling) this.#tellAdded(managed);
    }
  }

  #remove(path: string, names: readonly string[]): void {
    const removed: ManagedInterface[] = [];
    for (const name of names) {
      const managed = this.#objects.remove(path, name);
      if (managed === undefined) continue;
      managed.remove();
      removed.push(managed);
    }
    if (!this.#isFilling) for (const managed of removed) this.#tellRemoved(managed);
  }

  #change(path: string, { name, sent, invalidated, held }: PropertiesChange): void {
    const managed = this.#objects.at(path)?.get(name);
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
