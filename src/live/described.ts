/** What a view needs to know of an interface. */
import { withoutAliases } from '../client/namespaces.js';
import { type Describable, describe, memberAliases } from '../service/class/describe.js';
import type { Described } from './object-set.js';

export function describedBy(what: Describable): Described {
  const description = describe(what);
  // A description that is only known at run time may not be that of the service's version.
  const loose = what === (description as unknown);
  return { description, aliases: loose ? withoutAliases : () => memberAliases(what), loose };
}
