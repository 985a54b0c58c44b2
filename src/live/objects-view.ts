/**
 * A live view of the objects that a service manages: the object that programs have. It owns the store and its source,
 * and makes the collections of objects by interface.
 */
import { inspect } from 'node:util';
import type { Handle } from '../base/handle.js';
import { KnownOptions } from '../base/known-options.js';
import { checkObjectPath } from '../base/names.js';
import { checkTimeout } from '../base/parameters.js';
import { printable } from '../base/printable.js';
import type { Shared } from '../client/proxy-types.js';
import type { ProxyBus } from '../client/remote.js';
import type { Describable } from '../service/class/describe.js';
import type { VariantChoice } from '../signature/types.js';
import { describedBy, type LiveOptions, liveOptions } from './described.js';
import type { LiveObjects, LiveReading, ManagedObject } from './live-types.js';
import { ObjectSet } from './object-set.js';
import { ObjectStore, type StoreChange } from './object-store.js';
import { LiveSource } from './source.js';

/** How a live view reads its objects. */
export interface ObjectsOptions {
  /**
   * Milliseconds in which the service has to answer when it is asked for its objects, or for properties again. 25 000
   * by default, as for calls.
   */
  readonly timeout?: number | undefined;
}

const objectsOptions = new KnownOptions<ObjectsOptions>('objects()', { timeout: checkTimeout });

/**
 * The objects that a service reports with `org.freedesktop.DBus.ObjectManager`, kept up to date. {@link
 * MessageBus.objects} makes it.
 *
 * The view has three match rules at the bus, however many objects there are. It follows the owner of the name: when the
 * owner leaves, all objects are removed, and the objects of the next owner are added. It never starts a service.
 *
 * @example
 * ```ts
 * using view = bus.objects('org.example.dbustest');
 * await view.ready;
 * for (const module of view.of(TestModule)) console.log(module.path, module.values);
 * ```
 * @see D-Bus specification, section "org.freedesktop.DBus.ObjectManager"
 */
export class ObjectsView implements Handle {
  /** The name of the service; `undefined` between peers. */
  readonly destination: string | undefined;
  /** The path of the object manager. */
  readonly path: string;
  readonly #bus: ProxyBus;
  readonly #store: ObjectStore;
  readonly #source: LiveSource<StoreChange>;
  /** By class, definition or description. */
  readonly #sets = new WeakMap<object, Map<VariantChoice, ObjectSet>>();
  readonly #release: () => void;

  /**
   * @internal
   * @param belong makes the view end with the share of the connection
   */
  constructor(
    bus: ProxyBus,
    destination: string | undefined,
    path: string,
    options: ObjectsOptions,
    belong: (end: () => void) => () => void,
  ) {
    bus.checkDestination(destination);
    checkObjectPath(path, 'path');
    objectsOptions.check(options);
    this.#bus = bus;
    this.destination = destination;
    this.path = path;
    this.#store = new ObjectStore(bus, destination, path);
    this.#source = new LiveSource(bus, destination, this.#store, options.timeout);
    this.#store.source = this.#source;
    this.#source.start();
    this.#release = belong(() => this.#source.end());
  }

  /**
   * Resolves when the objects are known: with the unique name of the owner, or with `undefined` if the name has no
   * owner. After the owner has changed, it is a new promise.
   *
   * @throws (rejects) {@link DBusError} if the service has no object manager at the path, or does not answer; the view
   * has no objects then, and asks again when the service sends a signal or has another owner
   * @throws (rejects) the bus's error if it refuses the match rules; {@link ConnectionClosedError} if the connection or
   * the view ends before
   */
  get ready(): Promise<string | undefined> {
    return this.#source.ready;
  }

  /** The unique name of the service's owner; `undefined` if there is none, or it is not known yet, and between peers. */
  get owner(): string | undefined {
    return this.#source.owner;
  }

  /** The number of objects. */
  get size(): number {
    return this.#store.size;
  }

  /**
   * The objects that have an interface. The same class, definition or description, with the same options, returns the
   * same collection, whose objects stay the same while they exist.
   *
   * @param what the interface: a `ServiceInterface` class, a definition, or a description
   * @param options how the values of its properties are read
   * @throws {@link InvalidArgumentError} if it does not describe an interface, or an option is not valid
   */
  of<T extends Describable, V extends VariantChoice | undefined = undefined>(
    what: T & Shared<T>,
    options?: LiveOptions<V>,
  ): LiveObjects<T, LiveReading<V>>;
  of<T extends Describable>(what: T, options: LiveOptions = {}): LiveObjects<T> {
    return this.#setOf(what, options) as unknown as LiveObjects<T>;
  }

  /** The object at a path; `undefined` if the service does not manage one there. */
  get(path: string): ManagedObject | undefined {
    const interfaces = this.#store.at(path);
    if (interfaces === undefined) return undefined;
    return {
      path,
      interfaces: [...interfaces.keys()],
      as: (what: Describable, options: LiveOptions = {}) => this.#sibling(path, what, options) as never,
    };
  }

  /** Iterates over the objects that exist now. */
  *[Symbol.iterator](): IterableIterator<ManagedObject> {
    for (const path of [...this.#store.paths]) {
      const object = this.get(path);
      if (object !== undefined) yield object;
    }
  }

  /** @internal removes all objects, and reads everything again */
  restart(): void {
    this.#source.restart();
  }

  /** Ends the view. Its collections are empty then; its objects remain proxies without values. */
  end(): void {
    this.#release();
  }

  /** Does the same as {@link end}, for `using`. */
  [Symbol.dispose](): void {
    this.end();
  }

  /** @internal */
  [inspect.custom](): string {
    const { state } = this.#source;
    return printable(`ObjectsView { ${this.destination ?? 'peer'} ${this.path}, ${state}, ${this.size} objects }`);
  }

  #setOf(what: Describable, options: LiveOptions): ObjectSet {
    liveOptions.check(options);
    const { variants = 'plain' } = options;
    const sets = this.#sets.get(what) ?? new Map<VariantChoice, ObjectSet>();
    const known = sets.get(variants);
    if (known !== undefined) return known;
    const siblingOf = (path: string, sibling: never, given: LiveOptions) => this.#sibling(path, sibling, given);
    const made = new ObjectSet(this.#bus, this.#store, this.destination, describedBy(what, options), siblingOf);
    this.#sets.set(what, sets.set(variants, made));
    return made;
  }

  #sibling(path: string, what: Describable, options: LiveOptions) {
    return this.#setOf(what, options).get(path);
  }
}
