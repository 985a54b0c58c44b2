/**
 * The objects of a service by path, and by interface. Objects that came with the reply of `GetManagedObjects` are read
 * when they are used.
 */
import type { ReplyBody } from '../connection/sending/pending-calls.js';
import type { ManagedInterface } from './managed-interface.js';
import type { Sent } from './property-values.js';
import { type SentInterfaces, UnreadObjects } from './unread-objects.js';

/** Makes the interface of an object. */
type Make = (path: string, name: string, sent: Sent) => ManagedInterface;

export class ObjectTable {
  /** The interfaces of each object by name, or its position among the objects that are not read yet. */
  readonly #objects = new Map<string, Map<string, ManagedInterface> | number>();
  readonly #byName = new Map<string, Map<string, ManagedInterface>>();
  #unread: UnreadObjects | undefined;
  /** How many objects are not read yet, and at how few the rest is read, so that the bytes can be freed. */
  #unreadCount = 0;
  #unreadMinimum = 0;
  readonly #make: Make;
  readonly #refuse: (path: string, error: unknown) => void;

  /** @param refuse called for an object whose values cannot be read. It is left out */
  constructor(make: Make, refuse: (path: string, error: unknown) => void) {
    this.#make = make;
    this.#refuse = refuse;
  }

  get size(): number {
    return this.#objects.size;
  }

  get paths(): IterableIterator<string> {
    return this.#objects.keys();
  }

  /** Takes the objects of a reply without descriptors. The table is empty before that. */
  fill(reply: ReplyBody): void {
    this.#unread = new UnreadObjects(reply, (path, position) => this.#objects.set(path, position));
    this.#unreadCount = this.#objects.size;
    this.#unreadMinimum = this.#unreadCount >> 3;
  }

  /** The interfaces of an object by name. */
  at(path: string): ReadonlyMap<string, ManagedInterface> | undefined {
    const object = this.#objects.get(path);
    if (typeof object !== 'number') return object;
    const read = this.#read(path, object);
    if (this.#unreadCount <= this.#unreadMinimum) this.#readAll();
    return read;
  }

  /** The objects that have an interface, by path. */
  having(name: string): ReadonlyMap<string, ManagedInterface> {
    if (this.#unreadCount > 0) this.#readAll();
    return this.#byName.get(name) ?? none;
  }

  /** The interfaces of an object, which is added if it is new. */
  addObject(path: string): ReadonlyMap<string, ManagedInterface> {
    return this.at(path) ?? this.#newObject(path);
  }

  /** Adds an interface that the object does not have. */
  add(path: string, name: string, sent: Sent): ManagedInterface {
    return this.#addTo(this.addObject(path) as Map<string, ManagedInterface>, path, name, sent);
  }

  /** Removes an interface of an object, and the object if it has no other. */
  remove(path: string, name: string): ManagedInterface | undefined {
    const object = this.at(path) as Map<string, ManagedInterface> | undefined;
    const managed = object?.get(name);
    object?.delete(name);
    if (object?.size === 0) this.#objects.delete(path);
    if (managed === undefined) return undefined;
    const having = this.#byName.get(name);
    having?.delete(path);
    if (having?.size === 0) this.#byName.delete(name);
    return managed;
  }

  /** Removes everything. Returns the interfaces that were read. */
  clear(): ManagedInterface[] {
    const all: ManagedInterface[] = [];
    for (const object of this.#objects.values()) if (typeof object !== 'number') all.push(...object.values());
    this.#objects.clear();
    this.#byName.clear();
    this.#unread = undefined;
    this.#unreadCount = 0;
    return all;
  }

  #newObject(path: string): Map<string, ManagedInterface> {
    const object = new Map<string, ManagedInterface>();
    this.#objects.set(path, object);
    return object;
  }

  #addTo(object: Map<string, ManagedInterface>, path: string, name: string, sent: Sent): ManagedInterface {
    const managed = this.#make(path, name, sent);
    object.set(name, managed);
    let having = this.#byName.get(name);
    if (having === undefined) {
      having = new Map();
      this.#byName.set(name, having);
    }
    having.set(path, managed);
    return managed;
  }

  /** Reads the objects that are not read yet. The objects with an interface come in the order of all objects, even so. */
  #readAll(): void {
    for (const [path, object] of this.#objects) if (typeof object === 'number') this.#read(path, object);
    for (const having of this.#byName.values()) having.clear();
    for (const [path, object] of this.#objects) {
      for (const managed of (object as Map<string, ManagedInterface>).values()) {
        this.#byName.get(managed.name)?.set(path, managed);
      }
    }
  }

  #read(path: string, position: number): Map<string, ManagedInterface> | undefined {
    const unread = this.#unread as UnreadObjects;
    if (--this.#unreadCount === 0) this.#unread = undefined;
    let interfaces: SentInterfaces;
    try {
      interfaces = unread.read(position);
    } catch (error) {
      this.#objects.delete(path);
      this.#refuse(path, error);
      return undefined;
    }
    const object = this.#newObject(path);
    for (const name of Object.keys(interfaces)) this.#addTo(object, path, name, interfaces[name] as Sent);
    return object;
  }
}

const none: ReadonlyMap<string, ManagedInterface> = new Map();
