/** A property of an object made by `implement`: a value that is kept here, or the user's functions. */
import { report } from '../diagnostics.js';
import { InvalidArgumentError } from '../errors.js';
import type { PropertyDescription } from '../introspection/description.js';
import { isThenable } from './outlets.js';
import { isSame } from './property-assignment.js';
import { checkValue } from './value-check.js';

export interface ImplementedProperty {
  /** The value, or a promise of it. */
  get(): unknown;
  /** Sets the value; a promise tells when that is done, if it takes time. */
  set(value: unknown): unknown;
  /** Sets the value where nobody can wait: a promise that rejects is reported. */
  assign(value: unknown): void;
}

interface Functions {
  get?: (() => unknown) | undefined;
  set?: ((value: unknown) => unknown) | undefined;
}

/**
 * @param given the first value, or functions to get and set it
 * @param changed called after each change
 */
export function implementedProperty(
  description: PropertyDescription,
  given: unknown,
  changed: () => void,
): ImplementedProperty {
  return isFunctions(given) ? behindFunctions(description, given, changed) : keptHere(description, given, changed);
}

/** No value that D-Bus can carry has functions in it. */
function isFunctions(given: unknown): given is Functions {
  if (typeof given !== 'object' || given === null || Array.isArray(given) || given instanceof Map) return false;
  const { get, set } = given as Functions;
  return typeof get === 'function' || typeof set === 'function';
}

function keptHere({ name, signature }: PropertyDescription, given: unknown, changed: () => void): ImplementedProperty {
  checkValue(name, signature, given);
  let value = given;
  const set = (assigned: unknown): void => {
    checkValue(name, signature, assigned);
    const before = value;
    value = assigned;
    if (!isSame(before, value)) changed();
  };
  return { get: () => value, set, assign: set };
}

function behindFunctions(
  { name, access }: PropertyDescription,
  functions: Functions,
  changed: () => void,
): ImplementedProperty {
  const missing =
    access !== 'write' && !functions.get ? 'get' : access !== 'read' && !functions.set ? 'set' : undefined;
  if (missing !== undefined) {
    throw new InvalidArgumentError(`the property ${name} has the access "${access}", but no function "${missing}"`);
  }
  const set = (value: unknown): unknown => {
    if (functions.set === undefined) throw new InvalidArgumentError(`the property ${name} has no function "set"`);
    const done = functions.set(value);
    if (isThenable(done)) return Promise.resolve(done).then(changed);
    changed();
    return undefined;
  };
  return {
    get: () => functions.get?.(),
    set,
    assign(value) {
      const done = set(value);
      if (done instanceof Promise)
        done.catch((error) => report('handler', `setting the property ${name} failed`, error));
    },
  };
}
