/**
 * A proxy for one interface of a remote object, made from the interface's description. Making one sends nothing.
 */
import { inspect } from 'node:util';
import { KnownOptions } from '../base/known-options.js';
import { checkObjectPath } from '../base/names.js';
import { checkBoolean, checkFunction } from '../base/parameters.js';
import { callTable } from '../bus/names/requests.js';
import type { Subscription } from '../bus/rules/subscription.js';
import type { InterfaceDescription } from '../interface/description.js';
import { abortable } from './abortable.js';
import { absentOfProxy } from './absent-members.js';
import { type LooseProxy, type Namespaces, namespacesOf, withoutAliases } from './namespaces.js';
import { getAllProperties, listenToChanges } from './properties.js';
import type { ProxyOptions } from './proxy-types.js';
import type { Aliases, ProxyBus, Remote } from './remote.js';
import { shownProxy } from './shown.js';

export class RemoteInterface implements LooseProxy {
  readonly #remote: Remote;
  readonly call: LooseProxy['call'];
  readonly #namespaces: Namespaces;
  // Most proxies are used for calls alone, so the other namespaces are made when they are first used.
  #on: LooseProxy['on'] | undefined;
  #once: LooseProxy['once'] | undefined;
  #watch: LooseProxy['watch'] | undefined;
  #get: LooseProxy['get'] | undefined;
  #set: LooseProxy['set'] | undefined;

  constructor(remote: Remote) {
    this.#remote = remote;
    this.#namespaces = namespacesOf(remote.description, remote.aliases);
    this.call = this.#namespaces.call(remote);
  }

  get on(): LooseProxy['on'] {
    this.#on ??= this.#namespaces.on(this.#remote);
    return this.#on;
  }

  get once(): LooseProxy['once'] {
    this.#once ??= this.#namespaces.once(this.#remote);
    return this.#once;
  }

  get watch(): LooseProxy['watch'] {
    this.#watch ??= this.#namespaces.watch(this.#remote);
    return this.#watch;
  }

  get get(): LooseProxy['get'] {
    this.#get ??= this.#namespaces.get(this.#remote);
    return this.#get;
  }

  get set(): LooseProxy['set'] {
    this.#set ??= this.#namespaces.set(this.#remote);
    return this.#set;
  }

  get destination(): string | undefined {
    return this.#remote.destination;
  }

  get path(): string {
    return this.#remote.path;
  }

  get interface(): string {
    return this.#remote.description.name;
  }

  getAll(): Promise<Record<string, unknown>> {
    return getAllProperties(this.#remote);
  }

  onChange(listener: Parameters<LooseProxy['onChange']>[0]): Subscription {
    checkFunction(listener, 'listener');
    const { bus, options } = this.#remote;
    return abortable(bus, options.signal, () => listenToChanges(this.#remote, listener));
  }

  [inspect.custom](depth: number): string {
    const { description, destination, path } = this.#remote;
    return shownProxy(description, destination, path, depth);
  }

  static {
    const descriptionOf = (value: unknown) => {
      try {
        return (value as RemoteInterface).#remote.description;
      } catch {
        return undefined;
      }
    };
    Object.setPrototypeOf(RemoteInterface.prototype, absentOfProxy(descriptionOf));
  }

  with(options: ProxyOptions): LooseProxy {
    proxyOptions.check(options);
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    return new RemoteInterface({ ...this.#remote, options: { ...this.#remote.options, ...given } });
  }
}

const proxyOptions = new KnownOptions<ProxyOptions>('with()', {
  ...callTable,
  loose: checkBoolean,
  wait: checkBoolean,
});

/**
 * Makes a proxy. A caller that knows the types of its members casts it.
 *
 * @param loose whether it accepts values of every type, because its description is only known at run time
 */
export function makeProxy(
  bus: ProxyBus,
  description: InterfaceDescription,
  destination: string | undefined,
  path: string,
  loose: boolean,
  aliases: () => Aliases = withoutAliases,
): LooseProxy {
  bus.checkDestination(destination);
  checkObjectPath(path, 'path');
  return new RemoteInterface({ bus, description, destination, path, aliases, options: { loose }, told: new Set() });
}
