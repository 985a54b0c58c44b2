/** The objects of a view that have one interface, as a live collection. */
import { inspect } from 'node:util';
import { EndHandle, type Handle } from '../base/handle.js';
import { printable } from '../base/printable.js';
import type { Aliases, ProxyBus } from '../client/remote.js';
import type { InterfaceDescription } from '../interface/description.js';
import type { VariantChoice } from '../signature/types.js';
import { type ChangesOptions, changesOptions, ObjectChanges } from './changes.js';
import type { LiveOptions } from './described.js';
import { LiveProxy } from './live-proxy.js';
import type { InterfaceWatcher, ManagedInterface } from './managed-interface.js';
import type { ObjectStore } from './object-store.js';
import { checkObjectWatcher, type LooseWatcher, ObjectWatch } from './object-watch.js';

/** How an interface is described to a view. */
export interface Described {
  readonly description: InterfaceDescription;
  readonly aliases: () => Aliases;
  /** Whether values of every type are accepted. */
  readonly loose: boolean;
  /** How variants are read; `plain` by default. */
  readonly variants: VariantChoice | undefined;
}

/** Returns the interface of the same object that something describes. */
export type SiblingOf = (path: string, what: never, options: LiveOptions) => LiveProxy | undefined;

/** A proxy of a view, which also gives the other interfaces of its object. */
export class ViewProxy extends LiveProxy {
  readonly #siblingOf: SiblingOf;

  constructor(siblingOf: SiblingOf, ...made: ConstructorParameters<typeof LiveProxy>) {
    super(...made);
    this.#siblingOf = siblingOf;
  }

  /** Another interface of the same object; `undefined` if the object does not have it. */
  as(what: never, options: LiveOptions = {}): LiveProxy | undefined {
    return this.#siblingOf(this.path, what, options);
  }
}

export class ObjectSet {
  readonly #bus: ProxyBus;
  readonly #store: ObjectStore;
  readonly #destination: string | undefined;
  readonly #described: Described;
  readonly #siblingOf: SiblingOf;
  /** The proxies that the program has. One that it has let go of is made again. */
  readonly #proxies = new WeakMap<ManagedInterface, ViewProxy>();
  /** Members for which a dropped value of the wrong type was already reported, on any object. */
  readonly #reported = new Set<string>();

  constructor(
    bus: ProxyBus,
    store: ObjectStore,
    destination: string | undefined,
    described: Described,
    siblingOf: SiblingOf,
  ) {
    this.#bus = bus;
    this.#store = store;
    this.#destination = destination;
    this.#described = described;
    this.#siblingOf = siblingOf;
  }

  get interface(): string {
    return this.#described.description.name;
  }

  get size(): number {
    return this.#managed.size;
  }

  get(path: string): LiveProxy | undefined {
    const managed = this.#managed.get(path);
    return managed && this.#proxyOf(managed);
  }

  *[Symbol.iterator](): IterableIterator<LiveProxy> {
    for (const managed of [...this.#managed.values()]) if (managed.isPresent) yield this.#proxyOf(managed);
  }

  watch(watcher: LooseWatcher): Handle {
    checkObjectWatcher(watcher);
    const watch = new ObjectWatch(watcher, (managed) => this.#proxyOf(managed), this.#bus);
    const stop = this.#watch(watch);
    watch.begin(() => this.#managed.values());
    return new EndHandle('watched objects', this.interface, () => {
      watch.end();
      stop();
    });
  }

  changes(options: ChangesOptions = {}): ObjectChanges {
    changesOptions.check(options);
    return new ObjectChanges(
      this.interface,
      (watcher) => this.#watch(watcher),
      () => this.#managed.values(),
      (managed) => this.#proxyOf(managed),
      options.signal,
    );
  }

  [inspect.custom](): string {
    return printable(`objects { ${this.interface}, ${this.size} at ${this.#destination ?? 'the peer'} }`);
  }

  get #managed(): ReadonlyMap<string, ManagedInterface> {
    return this.#store.having(this.interface);
  }

  #watch(watcher: InterfaceWatcher): () => void {
    return this.#store.watch(this.interface, watcher);
  }

  #proxyOf(managed: ManagedInterface): ViewProxy {
    const known = this.#proxies.get(managed);
    if (known !== undefined) return known;
    const { description, aliases, loose, variants } = this.#described;
    const remote = {
      bus: this.#bus,
      description,
      destination: this.#destination,
      path: managed.path,
      aliases,
      options: { loose, variants },
      told: this.#reported,
    };
    const store = this.#store;
    const state = {
      get owner() {
        return store.source.owner;
      },
      get current() {
        return managed.isPresent ? managed : undefined;
      },
      watch: (watcher: InterfaceWatcher) => managed.watch(watcher),
    };
    const made = new ViewProxy(this.#siblingOf, remote, state);
    this.#proxies.set(managed, made);
    return made;
  }
}
