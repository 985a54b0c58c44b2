/**
 * A watcher of the program. It reports first the objects that are present, and then every change. It remembers what it
 * has reported, so that no object appears twice, and none vanishes that had not appeared.
 */

import type { DBusError } from '../base/errors.js';
import { KnownOptions } from '../base/known-options.js';
import { checkObject, checkOptionalFunction } from '../base/parameters.js';
import { isPlainObject } from '../codec/plain-object.js';
import type { Numbered } from '../diagnostics/problems.js';
import { runHandler } from '../diagnostics/problems.js';
import type { LiveProxy, Values } from './live-proxy.js';
import type { InterfaceWatcher, ManagedInterface } from './managed-interface.js';

/** The functions that are called for objects. See {@link ObjectWatcher}, which has the types of a description. */
export interface LooseWatcher {
  readonly added?: ((object: never) => unknown) | undefined;
  readonly changed?: ((object: never, names: never) => unknown) | undefined;
  readonly removed?: ((object: never, last: never) => unknown) | undefined;
}

const watcherFunctions = new KnownOptions<LooseWatcher>(
  'watch()',
  { added: checkOptionalFunction, changed: checkOptionalFunction, removed: checkOptionalFunction },
  { kind: 'function' },
);

/**
 * Checks a watcher. An instance of a class may have other members as well.
 *
 * @throws {@link InvalidArgumentError} if it is not a watcher
 */
export function checkObjectWatcher(watcher: LooseWatcher): void {
  checkObject(watcher, 'watcher');
  const { added, changed, removed } = watcher;
  watcherFunctions.check(isPlainObject(watcher) ? watcher : { added, changed, removed }, 'watcher');
}

type Callbacks = {
  readonly added?: (object: LiveProxy) => unknown;
  readonly changed?: (object: LiveProxy, names: readonly string[]) => unknown;
  readonly removed?: (object: LiveProxy, last: Values) => unknown;
};

// Made once: a watcher of many objects is called often.
const ADDED = 'the function added of a watcher of objects';
const CHANGED = 'the function changed of a watcher of objects';
const REMOVED = 'the function removed of a watcher of objects';

export class ObjectWatch implements InterfaceWatcher {
  readonly #callbacks: Callbacks;
  readonly #proxyOf: (managed: ManagedInterface) => LiveProxy;
  readonly #bus: Numbered;
  readonly #told = new Set<ManagedInterface>();
  #isOver = false;

  /** @param proxyOf returns the object that the program has for an interface of an object */
  constructor(watcher: LooseWatcher, proxyOf: (managed: ManagedInterface) => LiveProxy, bus: Numbered) {
    this.#callbacks = watcher as Callbacks;
    this.#proxyOf = proxyOf;
    this.#bus = bus;
  }

  /** Tells of what is present, after the program has its handle. */
  begin(present: () => Iterable<ManagedInterface>): void {
    queueMicrotask(() => {
      for (const managed of [...present()]) if (!this.#isOver && managed.isPresent) this.added(managed);
    });
  }

  end(): void {
    this.#isOver = true;
    this.#told.clear();
  }

  added(managed: ManagedInterface): void {
    if (this.#isOver || this.#told.has(managed)) return;
    this.#told.add(managed);
    this.#run(ADDED, () => this.#callbacks.added?.(this.#proxyOf(managed)));
  }

  changed(managed: ManagedInterface, names: readonly string[]): void {
    if (this.#isOver || !this.#told.has(managed)) return;
    if (this.#callbacks.changed === undefined) return;
    this.#run(CHANGED, () => this.#callbacks.changed?.(this.#proxyOf(managed), names));
  }

  removed(managed: ManagedInterface): void {
    if (this.#isOver || !this.#told.delete(managed)) return;
    this.#run(REMOVED, () => {
      const proxy = this.#proxyOf(managed);
      return this.#callbacks.removed?.(proxy, proxy.valuesIn(managed));
    });
  }

  ended(_reason: DBusError | undefined): void {
    this.end();
  }

  #run(what: string, call: () => unknown): void {
    runHandler(what, call, this.#bus.connectionId);
  }
}
