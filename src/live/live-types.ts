/** The types of live objects and collections. This file has types only. */
import type { Handle } from '../base/handle.js';
import type { Described, InterfaceProxy, Shared, SignalsInLoops, Values } from '../client/proxy-types.js';
import type { Describable } from '../service/class/describe.js';
import type { ChangesOptions } from './changes.js';
import type { UntilOptions } from './until.js';

/**
 * The values of an object's properties that are known and valid. A property has no value if its object does not have
 * it, if it was invalidated and is being read again, or if its description says that changes are not announced
 * (`emits: false`).
 */
export type LiveValues<T> = Readonly<Partial<Values<Described<T>, 'read', false>>>;

/** The name of a property that has a value. */
type PropertyName<T> = keyof LiveValues<T> & string;

/**
 * A proxy whose object is followed: it also has the values of the object's properties.
 *
 * @typeParam T the class, definition or description
 * @typeParam Self what watchers get
 */
export interface LiveProxyOf<T, Self = unknown> extends InterfaceProxy<Described<T>> {
  /** Whether the object has the interface at this time. */
  readonly present: boolean;
  /**
   * The values of the properties at this time, by their D-Bus names. A change makes a new object, so one that was kept
   * still has the earlier values. Without an owner, or after the object was removed, it is empty.
   */
  readonly values: LiveValues<T>;
  /**
   * Called with functions, it watches the object: {@link ObjectWatcher}. Its members iterate over signals, as those of
   * every proxy do.
   */
  readonly watch: SignalsInLoops<Described<T>, 'read', false> & WatchObjects<T, Self>;
  /**
   * Resolves with the values as soon as they meet a condition, at once if they already do.
   *
   * @param predicate gets the values, while the object exists. Returns whether they meet the condition
   * @throws (rejects) {@link TimeoutError}, or the reason of the abort signal
   * @throws (rejects) what the predicate throws
   * @throws (rejects) {@link UnknownObjectError} if the object was removed from its view; {@link
   * ConnectionClosedError} if the connection or what follows the object ends
   */
  until(predicate: (values: LiveValues<T>) => boolean, options?: UntilOptions): Promise<LiveValues<T>>;
}

/**
 * An interface of an object of an {@link ObjectsView}: a proxy that also has the values of the properties. It lives as
 * long as the object: an object that comes back is another one.
 */
export interface LiveObject<T extends Describable> extends LiveProxyOf<T, LiveObject<T>> {
  /** Another interface of the same object; `undefined` if the object does not have it. */
  as<Other extends Describable>(what: Other & Shared<Other>): LiveObject<Other> | undefined;
}

/** An object of an {@link ObjectsView}, with all its interfaces. */
export interface ManagedObject {
  /** The object's path. */
  readonly path: string;
  /** The names of its interfaces. */
  readonly interfaces: readonly string[];
  /** One of its interfaces; `undefined` if it does not have it. */
  as<T extends Describable>(what: T & Shared<T>): LiveObject<T> | undefined;
}

/** The functions that are called for objects. Each may be left out. An error that one throws is reported. */
export interface ObjectWatcher<T, Self> {
  /** The object is there: at the start, or since now. */
  readonly added?: ((object: Self) => unknown) | undefined;
  /** Properties of the object have other values, or have no value any more. `object.values` has the new ones. */
  readonly changed?: ((object: Self, names: readonly PropertyName<T>[]) => unknown) | undefined;
  /** The object is gone, or its owner, or the connection. `last` has the values that it had. */
  readonly removed?: ((object: Self, last: LiveValues<T>) => unknown) | undefined;
}

/** Calls functions for the objects that are there, and for every change. Returns a handle that ends it. */
export type WatchObjects<T, Self> = (watcher: ObjectWatcher<T, Self>) => Handle;

/** An object is there: at the start, or since now. */
export interface ObjectAdded<Self> {
  /** What happened. */
  readonly kind: 'added';
  /** The object. */
  readonly object: Self;
}

/** Properties of an object have changed. */
export interface ObjectChanged<T, Self> {
  /** What happened. */
  readonly kind: 'changed';
  /** The object. */
  readonly object: Self;
  /** The names of the properties. */
  readonly names: readonly PropertyName<T>[];
}

/** An object is gone. */
export interface ObjectRemoved<T, Self> {
  /** What happened. */
  readonly kind: 'removed';
  /** The object, which has no values any more. */
  readonly object: Self;
  /** The values that it had last. */
  readonly last: LiveValues<T>;
}

/** A change that a loop gets. */
export type ObjectChange<T, Self> = ObjectAdded<Self> | ObjectChanged<T, Self> | ObjectRemoved<T, Self>;

/** Changes to iterate over. Leaving the loop or disposing (`using`) ends it. */
export interface ObjectChangeLoop<T, Self> extends AsyncIterableIterator<ObjectChange<T, Self>>, Handle {}

/** The objects of a view that have one interface. It changes with the service. */
export interface LiveObjects<T extends Describable> extends Iterable<LiveObject<T>> {
  /** The name of the interface. */
  readonly interface: string;
  /** The number of objects. */
  readonly size: number;
  /** The object at a path; `undefined` if there is none with this interface. */
  get(path: string): LiveObject<T> | undefined;
  /** Iterates over the objects that are there now. */
  [Symbol.iterator](): IterableIterator<LiveObject<T>>;
  /**
   * Calls functions for the objects that are there, and for every change.
   *
   * @example
   * ```ts
   * using view = bus.objects('org.example.dbustest');
   * using _watch = view.of(TestModule).watch({
   *   added: (module) => console.log(module.path, module.values),
   *   removed: (module) => console.log(`${module.path} is gone`),
   * });
   * ```
   * @returns a handle that ends it
   */
  watch(watcher: ObjectWatcher<T, LiveObject<T>>): Handle;
  /**
   * Iterates over changes: first over the objects that are there, as `added`. A loop that is slower than the service
   * gets the changes of an object together, so at most one waits for each object. The loop ends when the view ends. The
   * loss of the connection makes it throw.
   */
  changes(options?: ChangesOptions): ObjectChangeLoop<T, LiveObject<T>>;
}

/**
 * One interface of one object, followed from owner to owner: a proxy that also has the values of the properties. Ending
 * it, or disposing of it (`using`), keeps the proxy, without values.
 */
export interface CachedObject<T extends Describable> extends LiveProxyOf<T, CachedObject<T>>, Handle {
  /**
   * Resolves when the values are known: with the unique name of the owner, or with `undefined` if the name has no
   * owner. After the owner has changed, it is a new promise.
   *
   * @throws (rejects) {@link DBusError} if the object does not answer; it is asked again when it reports a change, or
   * has another owner
   */
  readonly ready: Promise<string | undefined>;
  /** The unique name of the owner; `undefined` if there is none, or it is not known yet, and between peers. */
  readonly owner: string | undefined;
}
