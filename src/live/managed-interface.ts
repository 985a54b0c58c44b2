/** One interface of one object, from its appearance until its owner removes it or leaves. */
import type { DBusError } from '../base/errors.js';
import type { PropertyValues } from './property-values.js';

/** Gets what happens to interfaces of objects. */
export interface InterfaceWatcher {
  added(managed: ManagedInterface): void;
  /** Properties have other values, or have no value any more. */
  changed(managed: ManagedInterface, names: readonly string[]): void;
  removed(managed: ManagedInterface): void;
  /** Nothing will be told any more; the reason if the connection was lost. */
  ended(reason: DBusError | undefined): void;
}

/** What an interface belongs to: the store of a view, or the one object that is followed. */
interface Holder {
  /** Whether changes of all objects with this interface are watched. */
  isWatched(managed: ManagedInterface): boolean;
  /** Reads properties again that are no longer valid. */
  read(managed: ManagedInterface): void;
}

export class ManagedInterface {
  readonly path: string;
  readonly name: string;
  readonly values: PropertyValues;
  readonly #holder: Holder;
  #watchers: Set<InterfaceWatcher> | undefined;
  #isPresent = true;

  constructor(holder: Holder, path: string, name: string, values: PropertyValues) {
    this.#holder = holder;
    this.path = path;
    this.name = name;
    this.values = values;
  }

  /** Whether the owner still has it. */
  get isPresent(): boolean {
    return this.#isPresent;
  }

  /** The program looks at the values: those that are no longer valid are read again. */
  look(): void {
    if (this.#isPresent && this.values.hasUnread) this.#holder.read(this);
  }

  /** As {@link look}, if changes are watched. */
  lookIfWatched(): void {
    if (!this.values.hasUnread) return;
    if ((this.#watchers?.size ?? 0) > 0 || this.#holder.isWatched(this)) this.look();
  }

  /** Adds a watcher of this interface of this object. Returns the function that ends it. */
  watch(watcher: InterfaceWatcher): () => void {
    if (!this.#isPresent) {
      watcher.ended(undefined);
      return () => {};
    }
    const watchers = this.#watchers ?? new Set();
    this.#watchers = watchers;
    watchers.add(watcher);
    this.look();
    return () => void watchers.delete(watcher);
  }

  tellChanged(names: readonly string[]): void {
    const watchers = this.#watchers;
    if (watchers === undefined) return;
    for (const watcher of [...watchers]) if (watchers.has(watcher)) watcher.changed(this, names);
  }

  /** The owner does not have it any more. Watchers are told later, when everything that is gone is marked. */
  remove(): void {
    this.#isPresent = false;
  }

  tellRemoved(): void {
    const watchers = this.#takeWatchers();
    for (const watcher of [...watchers]) {
      if (!watchers.has(watcher)) continue;
      watcher.removed(this);
      watcher.ended(undefined);
    }
  }

  /** It will not be followed any more. */
  close(): void {
    const watchers = this.#takeWatchers();
    for (const watcher of [...watchers]) if (watchers.has(watcher)) watcher.ended(undefined);
  }

  #takeWatchers(): Set<InterfaceWatcher> {
    const watchers = this.#watchers ?? new Set();
    this.#watchers = undefined;
    return watchers;
  }
}
