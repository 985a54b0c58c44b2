/**
 * Names that other D-Bus libraries use for something that has another name in busbar. Calling one throws an error with
 * that name.
 */
import { InvalidArgumentError } from './errors.js';

/**
 * Adds functions to an object that only throw the name to use instead. They are not enumerable. A class that has a
 * member of the same name keeps it.
 *
 * @param what the object, for error texts: `bus`
 */
export function nameSuccessors(object: object, what: string, successors: Readonly<Record<string, string>>): void {
  for (const [name, replacement] of Object.entries(successors)) {
    const throwSuccessor = () => {
      throw new InvalidArgumentError(`${what}.${name}() does not exist in busbar: ${replacement}`);
    };
    Object.defineProperty(object, name, {
      configurable: true,
      get: function successor() {
        return throwSuccessor;
      },
      set(value: unknown) {
        Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
      },
    });
  }
}
