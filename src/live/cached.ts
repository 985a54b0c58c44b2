/** One interface of one object whose properties are followed, from owner to owner: what {@link MessageBus.cached} makes. */
import type { Handle } from '../base/handle.js';
import { KnownOptions } from '../base/known-options.js';
import { checkObjectPath } from '../base/names.js';
import { checkSignal, checkTimeout } from '../base/parameters.js';
import { wait } from '../bus/wait.js';
import type { ProxyBus } from '../client/remote.js';
import type { Describable } from '../service/class/describe.js';
import type { VariantChoice } from '../signature/types.js';
import { describedBy, type LiveOptions, liveTable } from './described.js';
import { LiveProxy } from './live-proxy.js';
import { PropertyStore } from './property-store.js';
import type { PropertiesChange } from './read-change.js';
import { LiveSource } from './source.js';

/** How a cached object reads its properties. */
export interface CachedOptions<V extends VariantChoice | undefined = VariantChoice | undefined> extends LiveOptions<V> {
  /**
   * Milliseconds in which the service has to answer when it is asked for properties. 25 000 by default, as for calls.
   */
  readonly timeout?: number | undefined;
  /** Aborting ends the wait for the first values with its reason. */
  readonly signal?: AbortSignal | undefined;
}

const cachedOptions = new KnownOptions<CachedOptions>('cached()', {
  ...liveTable,
  timeout: checkTimeout,
  signal: checkSignal,
});

export class CachedProxy extends LiveProxy implements Handle {
  readonly #source: LiveSource<PropertiesChange>;
  #release: () => void;

  constructor(source: LiveSource<PropertiesChange>, ...made: ConstructorParameters<typeof LiveProxy>) {
    super(...made);
    this.#source = source;
    this.#release = () => source.end();
  }

  /** @internal starts to follow the object; `belong` makes it end with the share of the connection. */
  start(belong: (end: () => void) => () => void): void {
    this.#source.start();
    this.#release = belong(() => this.#source.end());
  }

  get ready(): Promise<string | undefined> {
    return this.#source.ready;
  }

  get owner(): string | undefined {
    return this.#source.owner;
  }

  /** @internal removes the values, and reads everything again */
  restart(): void {
    this.#source.restart();
  }

  end(): void {
    this.#release();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** Follows an object, and resolves when its values are known. */
export async function cachedObject(
  bus: ProxyBus,
  what: Describable,
  destination: string | undefined,
  path: string,
  options: CachedOptions,
  belong: (end: () => void) => () => void,
): Promise<CachedProxy> {
  bus.checkDestination(destination);
  checkObjectPath(path, 'path');
  cachedOptions.check(options);
  const { description, aliases, loose, variants } = describedBy(what, options);
  const store = new PropertyStore(bus, destination, path, description.name);
  const source = new LiveSource(bus, destination, store, options.timeout);
  store.source = source;
  const remote = {
    bus,
    description,
    destination,
    path,
    aliases,
    options: { loose, variants },
    told: new Set<string>(),
  };
  const cached = new CachedProxy(source, remote, store);
  const { signal } = options;
  signal?.throwIfAborted();
  cached.start(belong);
  try {
    await wait<unknown>(bus, `${store.title} were not read`, { signal }, (resolve, reject) => {
      cached.ready.then(resolve, reject);
      return () => {};
    });
    return cached;
  } catch (error) {
    cached.end();
    throw error;
  }
}
