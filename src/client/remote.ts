/** The object that a proxy refers to, and the options of its calls. */
import type { Bus } from '../bus/bus.js';
import type { InterfaceDescription, ReturnedInterface } from '../interface/description.js';
import type { ProxyOptions } from './proxy-types.js';

/** A bus that makes proxies. The class that does is above this folder. */
export interface ProxyBus extends Bus {
  proxy(
    what: ReturnedInterface,
    destination: string | undefined,
    path: string,
  ): { with(options: ProxyOptions): unknown };
}

export interface Remote {
  readonly bus: ProxyBus;
  readonly description: InterfaceDescription;
  readonly destination: string | undefined;
  readonly path: string;
  readonly options: ProxyOptions;
  readonly aliases: () => Aliases;
  /** Members for which a dropped value of the wrong type was already reported. */
  readonly told: Set<string>;
}

/**
 * Other names for members, by kind and name (`method testMethod`): the names in a class, where they differ from the
 * D-Bus names.
 */
export type Aliases = ReadonlyMap<string, string>;
