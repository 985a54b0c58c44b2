/** A property of an object made by `implement`: its first value, or the program's functions. */
import { types } from 'node:util';
import { InvalidArgumentError } from '../../base/errors.js';
import { unknownKey } from '../../base/known-options.js';
import { isRevoked } from '../../base/revoked.js';
import { isPlainObject } from '../../codec/plain-object.js';
import type { PropertyDescription } from '../../interface/description.js';
import type { CallContext } from '../calls/call-context.js';
import type { ValueCheck } from '../permits/member-rules.js';
import { checkFirst } from '../permits/value-checks.js';
import { encodeEntry } from '../properties/encode-entry.js';

/** The program's functions for a property. */
export class PropertyFunctions {
  readonly #name: string;
  readonly #functions: Functions;

  constructor(name: string, functions: Functions) {
    this.#name = name;
    this.#functions = functions;
  }

  get isReadable(): boolean {
    return this.#functions.get !== undefined;
  }

  /** The value, or a promise of it. */
  get(call: CallContext | undefined): unknown {
    return this.#functions.get?.(call);
  }

  /** Sets the value. Returns a promise if that takes time. */
  set(value: unknown, call: CallContext | undefined): unknown {
    if (this.#functions.set !== undefined) return this.#functions.set(value, call);
    throw new InvalidArgumentError(`the property ${this.#name} has no function "set"`);
  }
}

interface Functions {
  get?: ((call: CallContext | undefined) => unknown) | undefined;
  set?: ((value: unknown, call: CallContext | undefined) => unknown) | undefined;
}

/**
 * Returns the first value of a property, which the object keeps from then on, or its functions.
 *
 * @param members the members passed to `implement`. For the property they have the first value, functions to get and
 * set it, or a getter and a setter of its own
 * @param check decides whether the property accepts the value
 * @throws {@link InvalidArgumentError} if the first value has the wrong type or is not accepted, or a function that the access requires is
 * missing
 */
export function implementedProperty(
  description: PropertyDescription,
  members: Record<string, unknown>,
  check: ValueCheck | undefined,
): PropertyFunctions | unknown {
  const { name } = description;
  const functions = accessor(members, name);
  if (functions !== undefined) return behindFunctions(description, functions, 'accessor');
  const given = members[name];
  if (isFunctions(given)) {
    checkFunctions(name, given);
    return behindFunctions(description, given, 'function');
  }
  encodeEntry(description, given, false);
  if (check !== undefined) checkFirst(check, name, given);
  return given;
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

function behindFunctions(
  { name, access }: PropertyDescription,
  functions: Functions,
  kind: 'accessor' | 'function',
): PropertyFunctions {
  const missing =
    access !== 'write' && !functions.get ? 'get' : access !== 'read' && !functions.set ? 'set' : undefined;
  if (missing !== undefined) {
    const what = kind === 'function' ? `function "${missing}"` : missing === 'get' ? 'getter' : 'setter';
    const cure = `add it, or define the property with access: '${missing === 'set' ? 'read' : 'write'}'`;
    throw new InvalidArgumentError(`the property ${name} has the access "${access}", but no ${what}: ${cure}`);
  }
  return new PropertyFunctions(name, functions);
}
