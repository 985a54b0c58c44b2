/** The types of live objects and collections. This file has types only. */
import type { Handle } from '../base/handle.js';
import type { Described, InterfaceProxy, Shared, SignalsInLoops, Values } from '../client/proxy-types.js';
import type { Describable } from '../service/class/describe.js';
import type { Reading, ReadingOf, VariantChoice } from '../signature/types.js';
import type { ChangesOptions } from './changes.js';
import type { LiveOptions } from './described.js';
import type { UntilOptions } from './until.js';

/**
 * The values of an object's properties that are known and valid. A property has no value if its object does not have
 * it, if it was invalidated and is being read again, if its description says that changes are not announced
 * (`emits: false`), or if its value holds file descriptors.
 */
export type LiveValues<T, D extends Reading = 'read'> = Readonly<Partial<Values<Described<T>, D, false>>>;

/** How a view reads values with this choice of variants. */
export type LiveReading<V extends VariantChoice | undefined> = ReadingOf['object'][Exclude<
  undefined extends V ? V | 'plain' : V,
  undefined
>]['false'];

/** The name of a property that has a value. */
type PropertyName<T> = keyof LiveValues<T> & string;

/**
 * A proxy whose object is followed: it also has the values of the object's properties.
 *
 * @typeParam T the class, definition or description
 * @typeParam Self what watchers get
 * @typeParam D how variants are read
 */
export interface LiveProxyOf<T, Self = unknown, D extends Reading = 'read'> extends InterfaceProxy<Described<T>, D> {
  /**
   * Whether the object has the interface at this time. For a {@link CachedObject}: whether its properties are known. No
   * signal of the object itself reports that its service has removed it: only a view learns that.
   */
  readonly present: boolean;
  /**
   * The values of the properties at this time, by their D-Bus names. A change replaces `values` with a new object, and
   * leaves the earlier one as it was. Without an owner, or after the object was removed, it is empty.
   *
   * The arrays and dictionaries in it belong to the view: copy one to change it. `keepTypes(copy, original)` gives the
   * copy the types that `variants: 'keep'` remembers.
   */
  readonly values: LiveValues<T, D>;
  /**
   * Called with functions, it watches the object: {@link ObjectWatcher}. Its members iterate over signals, as those of
   * every proxy do.
   */
  readonly watch: SignalsInLoops<Described<T>, D, false> & WatchObjects<T, Self, D>;
  /**
   * Resolves with the values as soon as they meet a condition, at once if they already do.
   *
   * @param predicate gets the values, while the object exists. Returns whether they meet the condition
   * @throws (rejects) {@link TimeoutError}, or the reason of the abort signal
   * @throws (rejects) what the predicate throws
   * @throws (rejects) {@link UnknownObjectError} if the object was removed from its view; {@link
   * ConnectionClosedError} if the connection, the view or the cached object ends
   */
  until(predicate: (values: LiveValues<T, D>) => boolean, options?: UntilOptions): Promise<LiveValues<T, D>>;
}

/**
 * An interface of an object of an {@link ObjectsView}: a proxy that also has the values of the properties. It lives as
 * long as the object: an object that comes back is another one.
 */
export interface LiveObject<T extends Describable, D extends Reading = 'read'>
  extends LiveProxyOf<T, LiveObject<T, D>, D> {
  /**
   * Another interface of the same object; `undefined` if the object does not have it. It reads variants as its own options
   * say.
   */
  as<Other extends Describable, V extends VariantChoice | undefined = undefined>(
    what: Other & Shared<Other>,
    options?: LiveOptions<V>,
  ): LiveObject<Other, LiveReading<V>> | undefined;
}

/** An object of an {@link ObjectsView}, with all its interfaces. */
export interface ManagedObject {
  /** The object's path. */
  readonly path: string;
  /** The names of its interfaces. */
  readonly interfaces: readonly string[];
  /** One of its interfaces; `undefined` if it does not have it. */
  as<T extends Describable, V extends VariantChoice | undefined = undefined>(
    what: T & Shared<T>,
    options?: LiveOptions<V>,
  ): LiveObject<T, LiveReading<V>> | undefined;
}

/** The functions that are called for objects. Each may be left out. An error that one throws is reported. */
export interface ObjectWatcher<T, Self, D extends Reading = 'read'> {
  /** The object exists: already at the start, or from now on. */
  readonly added?: ((object: Self) => unknown) | undefined;
  /** Properties of the object have other values, or have no value any more. `object.values` has the new ones. */
  readonly changed?: ((object: Self, names: readonly PropertyName<T>[]) => unknown) | undefined;
  /** The object is gone, or its owner or the connection is. `last` has the values that it had. */
  readonly removed?: ((object: Self, last: LiveValues<T, D>) => unknown) | undefined;
}

/** Calls functions for the objects that exist, and for every change. Returns a handle that ends it. */
export type WatchObjects<T, Self, D extends Reading = 'read'> = (watcher: ObjectWatcher<T, Self, D>) => Handle;

/** An object exists: already at the start, or from now on. */
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
export interface ObjectRemoved<T, Self, D extends Reading = 'read'> {
  /** What happened. */
  readonly kind: 'removed';
  /** The object, which has no values any more. */
  readonly object: Self;
  /** The values that it had last. */
  readonly last: LiveValues<T, D>;
}

/** A change that a loop gets. */
export type ObjectChange<T, Self, D extends Reading = 'read'> =
  | ObjectAdded<Self>
  | ObjectChanged<T, Self>
  | ObjectRemoved<T, Self, D>;

/** Changes to iterate over. Leaving the loop or disposing (`using`) ends it. */
export interface ObjectChangeLoop<T, Self, D extends Reading = 'read'>
  extends AsyncIterableIterator<ObjectChange<T, Self, D>>,
    Handle {}

/** The objects of a view that have one interface. It changes with the service. */
export interface LiveObjects<T extends Describable, D extends Reading = 'read'> extends Iterable<LiveObject<T, D>> {
  /** The name of the interface. */
  readonly interface: string;
  /** The number of objects. */
  readonly size: number;
  /** The object at a path; `undefined` if there is none with this interface. */
  get(path: string): LiveObject<T, D> | undefined;
  /** Iterates over the objects that exist now. */
  [Symbol.iterator](): IterableIterator<LiveObject<T, D>>;
  /**
   * Calls functions for the objects that exist, and for every change.
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
  watch(watcher: ObjectWatcher<T, LiveObject<T, D>, D>): Handle;
  /**
   * Iterates over changes: first over the objects that exist, as `added`. A loop that is slower than the service gets the
   * changes of an object together, so at most one waits for each object; an object that comes and goes before the loop
   * gets to it is not mentioned. The loop ends when the view ends. The loss of the connection makes it throw.
   */
  changes(options?: ChangesOptions): ObjectChangeLoop<T, LiveObject<T, D>, D>;
}

/**
 * One interface of one object, followed from owner to owner: a proxy that also has the values of the properties. Ending
 * it, or disposing of it (`using`), keeps the proxy, without values.
 */
export interface CachedObject<T extends Describable, D extends Reading = 'read'>
  extends LiveProxyOf<T, CachedObject<T, D>, D>,
    Handle {
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
