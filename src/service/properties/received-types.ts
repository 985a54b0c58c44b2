/**
 * The types of the variants in a property's value that others set. The class keeps plain values, from which the types
 * would be guessed anew when the value is read: here they are kept beside it, so that a property is read as it was set.
 *
 * A part of the value keeps the type it came with for as long as it is equal to what came, whether it was left alone,
 * copied or assigned again. What differs is new, and its type is what goes without saying.
 */
import { types } from 'node:util';
import { isPlainObject } from '../../codec/encode-container.js';
import { ARRAY_BYTES_MAXIMUM } from '../../codec/limits.js';
import { Variant } from '../../variant.js';

export class ReceivedTypes {
  readonly #hasVariants: boolean;
  #received: unknown;

  /** @param signature the property's; without variants there is nothing to keep */
  constructor(signature: string) {
    this.#hasVariants = signature.includes('v');
  }

  /** @param received the value as it is to be sent, with its variants where they are known; nothing where none is */
  remember(received: unknown): void {
    if (this.#hasVariants) this.#received = received;
  }

  /** Whether a plain value is the one whose types are kept. */
  isOf(value: unknown): boolean {
    return this.#received !== undefined && isEqual(this.#received, value);
  }

  /** A value of the property as it is to be sent: with the variants that it came in, as far as it came. */
  typed(value: unknown): unknown {
    if (this.#received === undefined) return value;
    return withTypes(this.#received, value);
  }
}

function withTypes(received: unknown, value: unknown): unknown {
  if (Variant.isVariant(received)) {
    if (isEqual(received.value, value)) return received;
    // What is left of a changed dictionary keeps its types; of other things a new value may be of another type.
    return received.signature === 'a{sv}' ? withTypes(received.value, value) : value;
  }
  if (Array.isArray(received) && Array.isArray(value)) {
    // No array of so many can be sent; the length may be no more than a claim.
    if (value.length > ARRAY_BYTES_MAXIMUM) return value;
    return value.map((element, index) => withTypes(received[index], element));
  }
  if (types.isMap(received) && types.isMap(value)) {
    return new Map([...value].map(([key, content]) => [key, withTypes(received.get(key), content)]));
  }
  if (isPlainObject(received) && isPlainObject(value)) {
    const known = received as Readonly<Record<string, unknown>>;
    const entries = Object.entries(value as object);
    return Object.fromEntries(
      entries.map(([key, content]) => [key, Object.hasOwn(known, key) ? withTypes(known[key], content) : content]),
    );
  }
  return value;
}

/** Whether a plain value is what was received. Keys of D-Bus dictionaries are basic values, descriptors are themselves. */
function isEqual(received: unknown, value: unknown): boolean {
  if (Variant.isVariant(received)) return isEqual(received.value, value);
  if (Array.isArray(received)) {
    if (!Array.isArray(value) || value.length !== received.length) return false;
    return received.every((element, index) => isEqual(element, value[index]));
  }
  if (types.isUint8Array(received)) return types.isUint8Array(value) && Buffer.compare(received, value) === 0;
  if (types.isMap(received)) {
    if (!types.isMap(value) || value.size !== received.size) return false;
    return [...received].every(([key, content]) => value.has(key) && isEqual(content, value.get(key)));
  }
  if (isPlainObject(received)) {
    if (!isPlainObject(value)) return false;
    const known = received as Readonly<Record<string, unknown>>;
    const now = value as Readonly<Record<string, unknown>>;
    const keys = Object.keys(known);
    if (keys.length !== Object.keys(now).length) return false;
    return keys.every((key) => Object.hasOwn(now, key) && isEqual(known[key], now[key]));
  }
  return Object.is(received, value);
}
