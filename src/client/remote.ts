/** What a proxy is about, and how it calls. */
import type { Bus } from '../bus/bus.js';
import type { InterfaceDescription } from '../interface/description.js';
import type { ProxyOptions } from './proxy-types.js';

export interface Remote {
  readonly bus: Bus;
  readonly description: InterfaceDescription;
  readonly destination: string | undefined;
  readonly path: string;
  readonly options: ProxyOptions;
  readonly aliases: () => Aliases;
  /** Members of which it was told that what came was dropped, because it is not what was described. */
  readonly told: Set<string>;
}

/** Other names for members, by kind and name (`method testMethod`): what a class calls them, where D-Bus does not. */
export type Aliases = ReadonlyMap<string, string>;
