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
import { Variant } from '../../values/variant.js';

/** A value that others set: as the setter got it, and with its variants. */
export interface ReceivedValue {
  readonly value: unknown;
  readonly typed: unknown;
}

const NONE: readonly ReceivedValue[] = [];

export class ReceivedTypes {
  #received: unknown;
  /** Values that are being set, which a setter that takes time may have stored already. */
  readonly #open = new Set<ReceivedValue>();
  /** Values that were set when a later one was there already: the property has this one or that one. */
  readonly #late = new Set<ReceivedValue>();

  /** @param received the value as it is to be sent, with its variants where they are known; nothing where none is */
  remember(received: unknown): void {
    this.#received = received;
    this.#late.clear();
  }

  /** A value is being set, which takes time. */
  begin(received: ReceivedValue): void {
    this.#open.add(received);
  }

  /** It is not being set any more. */
  end(received: ReceivedValue): void {
    this.#open.delete(received);
  }

  /** Whether the property has this value or the one that is remembered will be seen when it is read. */
  addLate(received: ReceivedValue): void {
    this.#late.add(received);
  }

  /** Whether a plain value is the one whose types are kept. */
  isOf(value: unknown): boolean {
    return this.#received !== undefined && isEqual(this.#received, value);
  }

  /** The values that the property may have now, for who reads it and waits for what it reads. */
  get known(): readonly ReceivedValue[] {
    const remembered = this.#received === undefined ? [] : [{ value: undefined, typed: this.#received }];
    return [...remembered, ...this.#late, ...this.#open];
  }

  /**
   * A value of the property as it is to be sent: with the variants that it came in, as far as it came.
   *
   * @param earlier what was known when the value was asked for
   */
  typed(value: unknown, earlier: readonly ReceivedValue[] = NONE): unknown {
    if (this.#open.size > 0 || this.#late.size > 0 || earlier.length > 0) {
      const other = this.#otherOf(value, earlier);
      if (other !== undefined) return withTypes(other.typed, value);
    }
    if (this.#received === undefined) return value;
    return withTypes(this.#received, value);
  }

  /** Which value this is, if it is not the one that is remembered. */
  #otherOf(value: unknown, earlier: readonly ReceivedValue[]): ReceivedValue | undefined {
    const others = [...earlier, ...this.#late, ...this.#open].reverse();
    const isObject = typeof value === 'object' && value !== null;
    const same = isObject ? others.find((other) => other.value === value) : undefined;
    if (same !== undefined || this.isOf(value)) return same;
    return others.find(({ typed }) => isEqual(typed, value));
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
