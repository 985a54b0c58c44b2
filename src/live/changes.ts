/**
 * The changes of objects, as an async iterator. At most one change waits for each object: a loop that is slower than the
 * service gets the changes of an object together. So the queue is bounded. An object that comes and goes before the loop
 * gets to it is not mentioned.
 */
import { inspect } from 'node:util';
import { closedError, type DBusError } from '../base/errors.js';
import type { Handle } from '../base/handle.js';
import { KnownOptions } from '../base/known-options.js';
import { checkSignal } from '../base/parameters.js';
import { onAbort } from '../connection/sending/abort-reactions.js';
import type { LiveProxy, Values } from './live-proxy.js';
import type { InterfaceWatcher, ManagedInterface } from './managed-interface.js';

/** How changes of objects are collected for a loop. */
export interface ChangesOptions {
  /** Aborting ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

export const changesOptions = new KnownOptions<ChangesOptions>('changes()', { signal: checkSignal });

/** A change as the loop gets it. {@link ObjectChange} has the types of a description. */
export type LooseChange =
  | { readonly kind: 'added'; readonly object: LiveProxy }
  | { readonly kind: 'changed'; readonly object: LiveProxy; readonly names: readonly string[] }
  | { readonly kind: 'removed'; readonly object: LiveProxy; readonly last: Values };

/** The change of an object that waits. `changed` has the names of the properties. */
type Waiting = 'added' | 'removed' | Set<string>;

type Result = IteratorResult<LooseChange, undefined>;

interface Taker {
  resolve(result: Result): void;
  reject(reason: unknown): void;
}

export class ObjectChanges implements AsyncIterableIterator<LooseChange>, Handle, InterfaceWatcher {
  readonly #which: string;
  readonly #proxyOf: (managed: ManagedInterface) => LiveProxy;
  /** In the order in which the objects changed first. */
  readonly #waiting = new Map<ManagedInterface, Waiting>();
  /** The objects that the loop knows: it got their `added`, and `removed` does not wait. */
  readonly #known = new Set<ManagedInterface>();
  readonly #takers: Taker[] = [];
  #stop: () => void = () => {};
  #stopListening: () => void = () => {};
  #isEnded = false;
  #failure: { readonly reason: unknown } | undefined;

  constructor(
    which: string,
    watch: (watcher: InterfaceWatcher) => () => void,
    present: () => Iterable<ManagedInterface>,
    proxyOf: (managed: ManagedInterface) => LiveProxy,
    signal: AbortSignal | undefined,
  ) {
    this.#which = which;
    this.#proxyOf = proxyOf;
    if (signal?.aborted) {
      this.#isEnded = true;
      return;
    }
    this.#stop = watch(this);
    if (signal !== undefined) this.#stopListening = onAbort(signal, () => this.#end());
    for (const managed of present()) this.added(managed);
  }

  /** Resolves with the next change: at once if one waits. */
  next(): Promise<Result> {
    for (const [managed, waiting] of this.#waiting) {
      this.#waiting.delete(managed);
      return Promise.resolve({ value: this.#changeOf(managed, waiting), done: false });
    }
    if (this.#failure !== undefined) {
      const { reason } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(reason);
    }
    if (this.#isEnded) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
  }

  /** Ends the iteration, and drops what waits. A loop calls it when it is left. */
  return(): Promise<Result> {
    this.#waiting.clear();
    this.#failure = undefined;
    this.#end();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** Returns itself, for `for await`. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Does the same as {@link return}, for a program without a loop. */
  end(): void {
    void this.return();
  }

  /** Does the same as {@link return}, for `using`. */
  [Symbol.dispose](): void {
    void this.return();
  }

  /** @internal */
  added(managed: ManagedInterface): void {
    if (this.#isEnded || this.#known.has(managed) || this.#waiting.has(managed)) return;
    this.#wait(managed, 'added');
  }

  /** @internal */
  changed(managed: ManagedInterface, names: readonly string[]): void {
    if (this.#isEnded) return;
    const waiting = this.#waiting.get(managed);
    if (waiting instanceof Set) for (const name of names) waiting.add(name);
    else if (waiting === undefined && this.#known.has(managed)) this.#wait(managed, new Set(names));
  }

  /** @internal */
  removed(managed: ManagedInterface): void {
    if (this.#isEnded) return;
    this.#waiting.delete(managed);
    if (this.#known.delete(managed)) this.#wait(managed, 'removed');
  }

  /** @internal */
  ended(reason: DBusError | undefined): void {
    if (this.#isEnded) return;
    if (reason !== undefined) {
      const error = closedError(`the connection was lost while waiting for changes of ${this.#which}`, reason);
      const taker = this.#takers.shift();
      if (taker === undefined) this.#failure = { reason: error };
      else taker.reject(error);
    }
    this.#end();
  }

  /** @internal */
  [inspect.custom](): string {
    return `ObjectChanges { ${this.#which}, ${this.#isEnded ? 'ended' : 'open'}, ${this.#waiting.size} waiting }`;
  }

  #wait(managed: ManagedInterface, waiting: Waiting): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#waiting.set(managed, waiting);
    else taker.resolve({ value: this.#changeOf(managed, waiting), done: false });
  }

  #changeOf(managed: ManagedInterface, waiting: Waiting): LooseChange {
    const object = this.#proxyOf(managed);
    if (waiting === 'removed') return { kind: 'removed', object, last: object.valuesIn(managed) };
    if (waiting !== 'added') return { kind: 'changed', object, names: [...waiting] };
    this.#known.add(managed);
    return { kind: 'added', object };
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#known.clear();
    this.#stop();
    this.#stopListening();
    for (const taker of this.#takers.splice(0)) taker.resolve({ value: undefined, done: true });
  }
}
