/** A property of an object made by `implement`: a value that is stored here, or the program's functions. */
import { types } from 'node:util';
import { InvalidArgumentError } from '../../base/errors.js';
import { unknownKey } from '../../base/known-options.js';
import { isRevoked } from '../../base/revoked.js';
import { isPlainObject } from '../../codec/encode-container.js';
import type { PropertyDescription } from '../../interface/description.js';
import { encodeEntry } from '../properties/encode-entry.js';
import type { PropertyStore } from '../properties/property-store.js';

export interface ImplementedProperty {
  /** Whether the value is stored here, so that reading it runs no code of the program. */
  readonly isKept: boolean;
  /** The value, or a promise of it. */
  get(): unknown;
  /** Sets the value. Returns a promise if that takes time. */
  set(value: unknown): unknown;
}

interface Functions {
  get?: (() => unknown) | undefined;
  set?: ((value: unknown) => unknown) | undefined;
}

/**
 * @param members the members passed to `implement`. For the property they have the first value, functions to get and
 * set it, or a getter and a setter of its own
 * @param store is informed of changes
 * @throws {@link InvalidArgumentError} if the first value has the wrong type, or a function that the access requires is
 * missing
 */
export function implementedProperty(
  description: PropertyDescription,
  members: Record<string, unknown>,
  store: PropertyStore,
): ImplementedProperty {
  const { name } = description;
  const functions = accessor(members, name);
  if (functions !== undefined) return behindFunctions(description, functions, 'accessor', store);
  const given = members[name];
  if (isFunctions(given)) checkFunctions(name, given);
  return isFunctions(given)
    ? behindFunctions(description, given, 'function', store)
    : new KeptProperty(description, given, store);
}

/** @throws {@link InvalidArgumentError} for other members beside the pair, unless it is an instance of a class */
function checkFunctions(name: string, given: Functions): void {
  if (!isPlainObject(given)) return;
  for (const key of Object.keys(given)) {
    if (key !== 'get' && key !== 'set') throw unknownKey(`the property ${name}`, 'function', key, ['get', 'set']);
  }
}

/** The getter and setter of an object or its class: `{ get Level() { … } }` means that the value is not stored here. */
function accessor(members: Record<string, unknown>, name: string): Functions | undefined {
  for (let object: object | null = members; object !== null; object = Object.getPrototypeOf(object)) {
    const descriptor = Object.getOwnPropertyDescriptor(object, name);
    if (descriptor === undefined) continue;
    const { get, set } = descriptor;
    if (get === undefined && set === undefined) return undefined;
    return { get: get?.bind(members), set: set && ((value) => void set.call(members, value)) };
  }
  return undefined;
}

/** No value that D-Bus can carry has functions in it, except values whose class has a `get` or `set`. */
function isFunctions(given: unknown): given is Functions {
  if (typeof given !== 'object' || given === null || types.isMap(given) || ArrayBuffer.isView(given)) return false;
  if (isRevoked(given)) return false;
  const { get, set } = given as Functions;
  return typeof get === 'function' || typeof set === 'function';
}

/** A property whose value is stored here. */
class KeptProperty implements ImplementedProperty {
  readonly #description: PropertyDescription;
  readonly #store: PropertyStore;
  #value: unknown;

  constructor(description: PropertyDescription, given: unknown, store: PropertyStore) {
    encodeEntry(description, given, false);
    this.#description = description;
    this.#store = store;
    this.#value = given;
  }

  get isKept(): boolean {
    return true;
  }

  get(): unknown {
    return this.#value;
  }

  set(assigned: unknown): void {
    this.#store.assign(this.#description.name, assigned, this.#value, (stored) => {
      this.#value = stored;
    });
  }
}

function behindFunctions(
  { name, access }: PropertyDescription,
  functions: Functions,
  kind: 'accessor' | 'function',
  store: PropertyStore,
): ImplementedProperty {
  const missing =
    access !== 'write' && !functions.get ? 'get' : access !== 'read' && !functions.set ? 'set' : undefined;
  if (missing !== undefined) {
    const what = kind === 'function' ? `function "${missing}"` : missing === 'get' ? 'getter' : 'setter';
    const cure = `add it, or define the property with access: '${missing === 'set' ? 'read' : 'write'}'`;
    throw new InvalidArgumentError(`the property ${name} has the access "${access}", but no ${what}: ${cure}`);
  }
  const get = () => functions.get?.();
  const set = (value: unknown): unknown => {
    if (functions.set !== undefined) return functions.set(value);
    throw new InvalidArgumentError(`the property ${name} has no function "set"`);
  };
  return { isKept: false, get, set: (value) => store.assignBehind(name, value, functions.get && get, set) };
}
