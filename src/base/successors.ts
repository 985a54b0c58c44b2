/** What other D-Bus libraries call things that have another name here: who calls them is told the name, and nothing else happens. */
import { InvalidArgumentError } from './errors.js';

/**
 * Gives an object names that only tell what to use. Nothing lists them; a class that has such a member of its own has it.
 *
 * @param what the object, for texts: `bus`
 */
export function nameSuccessors(object: object, what: string, successors: Readonly<Record<string, string>>): void {
  for (const [name, successor] of Object.entries(successors)) {
    const tell = () => {
      throw new InvalidArgumentError(`${what}.${name}() is not how busbar does it: ${successor}`);
    };
    Object.defineProperty(object, name, {
      configurable: true,
      get: function successor() {
        return tell;
      },
      set(value: unknown) {
        Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
      },
    });
  }
}
