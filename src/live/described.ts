/** What a view needs to know of an interface. */
import { KnownOptions, type OptionTable } from '../base/known-options.js';
import { oneOf } from '../base/parameters.js';
import { withoutAliases } from '../client/namespaces.js';
import { VARIANTS } from '../codec/decoder.js';
import { type Describable, describe, memberAliases } from '../service/class/describe.js';
import type { VariantChoice } from '../signature/types.js';
import type { Described } from './object-set.js';

/** How a view reads the values of an interface. */
export interface LiveOptions<V extends VariantChoice | undefined = VariantChoice | undefined> {
  /**
   * How variants are read, by `values` and by everything that the proxy reads: `'plain'` (the default), `'wrap'` or
   * `'keep'`, as {@link ProxyOptions.variants} describes them.
   */
  readonly variants?: V;
}

export const liveTable: OptionTable<LiveOptions> = { variants: oneOf(VARIANTS) };

export const liveOptions = new KnownOptions<LiveOptions>('of() and as()', liveTable);

export function describedBy(what: Describable, { variants }: LiveOptions = {}): Described {
  const description = describe(what);
  // A description that is only known at run time may not be that of the service's version.
  const loose = what === (description as unknown);
  return { description, aliases: loose ? withoutAliases : () => memberAliases(what), loose, variants };
}
