/** A property of an object made by `implement`: a value that is kept here, or the user's functions. */
import { report } from '../diagnostics.js';
import { InvalidArgumentError } from '../errors.js';
import type { PropertyDescription } from '../introspection/description.js';
import type { VariantChoice } from '../signature/types.js';
import { KeptDescriptors } from './kept-descriptors.js';
import { isThenable } from './outlets.js';
import { withoutVariants } from './plain-value.js';
import { isSame } from './property-assignment.js';
import { ReceivedTypes } from './received-types.js';
import { checkValue } from './value-check.js';

export interface ImplementedProperty {
  /** The value, or a promise of it. */
  get(): unknown;
  /** The value as it is to be sent, or a promise of it. */
  sent(): unknown;
  /** A value of the property as it is to be sent. */
  typed(value: unknown): unknown;
  /**
   * Sets the value to one from elsewhere, which has its variants as `Variant`; a promise tells when that is done, if it
   * takes time.
   */
  receive(received: unknown): unknown;
  /** Sets the value where nobody can wait: a promise that rejects is reported. */
  assign(value: unknown): void;
}

/** A property before it is known how the user's side reads variants. */
interface Settable extends Omit<ImplementedProperty, 'receive'> {
  /** @param wrapped the value with its variants as `Variant` */
  set(value: unknown, wrapped: unknown): unknown;
}

interface Functions {
  get?: (() => unknown) | undefined;
  set?: ((value: unknown) => unknown) | undefined;
}

/**
 * @param given the first value, or functions to get and set it
 * @param variants how the user's side reads variants
 * @param changed called after each change
 */
export function implementedProperty(
  description: PropertyDescription,
  given: unknown,
  variants: VariantChoice,
  changed: () => void,
): ImplementedProperty {
  const { set, ...property } = isFunctions(given)
    ? behindFunctions(description, given, changed)
    : keptHere(description, given, changed);
  if (variants === 'wrap') return { ...property, receive: (received) => set(received, received) };
  const { signature } = description;
  return { ...property, receive: (received) => set(withoutVariants(received, signature), received) };
}

/** No value that D-Bus can carry has functions in it. */
function isFunctions(given: unknown): given is Functions {
  if (typeof given !== 'object' || given === null || Array.isArray(given) || given instanceof Map) return false;
  const { get, set } = given as Functions;
  return typeof get === 'function' || typeof set === 'function';
}

function keptHere({ name, signature }: PropertyDescription, given: unknown, changed: () => void): Settable {
  checkValue(name, signature, given);
  const types = new ReceivedTypes(signature);
  const descriptors = new KeptDescriptors(signature);
  let value = given;
  const take = (assigned: unknown, wrapped: unknown, isReceived: boolean): void => {
    checkValue(name, signature, wrapped);
    types.remember(wrapped);
    const before = value;
    value = assigned;
    descriptors.replace(value, isReceived);
    if (!isSame(before, value)) changed();
  };
  const typed = (assigned: unknown) => types.typed(assigned);
  return {
    get: () => value,
    sent: () => typed(value),
    typed,
    set: (assigned, wrapped) => take(assigned, wrapped, true),
    assign: (assigned) => take(assigned, typed(assigned), false),
  };
}

function behindFunctions(
  { name, signature, access }: PropertyDescription,
  functions: Functions,
  changed: () => void,
): Settable {
  const missing =
    access !== 'write' && !functions.get ? 'get' : access !== 'read' && !functions.set ? 'set' : undefined;
  if (missing !== undefined) {
    throw new InvalidArgumentError(`the property ${name} has the access "${access}", but no function "${missing}"`);
  }
  const types = new ReceivedTypes(signature);
  const get = () => functions.get?.();
  const typed = (value: unknown) => types.typed(value);
  const set = (value: unknown, wrapped: unknown): unknown => {
    if (functions.set === undefined) throw new InvalidArgumentError(`the property ${name} has no function "set"`);
    const finish = () => {
      types.remember(wrapped);
      changed();
    };
    const done = functions.set(value);
    if (isThenable(done)) return Promise.resolve(done).then(finish);
    finish();
    return undefined;
  };
  return {
    get,
    sent() {
      const value = get();
      return isThenable(value) ? value.then(typed) : typed(value);
    },
    typed,
    set,
    assign(value) {
      const done = set(value, typed(value));
      if (done instanceof Promise)
        done.catch((error) => report('handler', `setting the property ${name} failed`, error));
    },
  };
}
