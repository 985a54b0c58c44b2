/** The interfaces that busbar itself answers for every object: a service cannot have others of these names. */
import { InvalidArgumentError } from '../base/errors.js';
import { standardInterfaces } from './standard.js';

const provided = new Set<string>(Object.values(standardInterfaces).map(({ name }) => name));

/**
 * To describe one of these for a proxy is fine.
 *
 * @throws {@link InvalidArgumentError} for a standard interface
 */
export function checkNotProvided(interfaceName: string): void {
  if (!provided.has(interfaceName)) return;
  throw new InvalidArgumentError(
    `busbar provides ${interfaceName} for everything that is exported (ObjectManager by bus.exportObjectManager): ` +
      'a service cannot implement it',
  );
}
