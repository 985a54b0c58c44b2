/** The interfaces that busbar itself implements for every object. A service cannot have interfaces of these names. */
import { InvalidArgumentError } from '../base/errors.js';
import { standardInterfaces } from './standard.js';

const provided = new Set<string>(Object.values(standardInterfaces).map(({ name }) => name));

/**
 * Refuses a standard interface for a service. Proxies may use descriptions of them.
 *
 * @throws {@link InvalidArgumentError} if it is a standard interface
 */
export function checkNotProvided(interfaceName: string): void {
  if (!provided.has(interfaceName)) return;
  throw new InvalidArgumentError(
    `busbar provides ${interfaceName} for everything that is exported (ObjectManager by bus.exportObjectManager): ` +
      'a service cannot implement it',
  );
}
