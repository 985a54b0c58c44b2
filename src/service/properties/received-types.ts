/**
 * The types of the variants in a property's value that clients set. The class stores plain values, whose types would be
 * guessed when the value is read. Here the types are kept beside the value, so that clients read it as it was set.
 *
 * A part of the value keeps the received type while it equals the received value, even if it was copied or assigned
 * again. A part that differs is new, and has its default type.
 */
import { types } from 'node:util';
import { keptTypesOf } from '../../codec/kept-types.js';
import { ARRAY_BYTES_MAXIMUM } from '../../codec/limits.js';
import { isPlainObject } from '../../codec/plain-object.js';
import { Variant } from '../../values/variant.js';

/** A value that a client set: as the setter got it, and with its variants. */
export interface ReceivedValue {
  readonly value: unknown;
  readonly typed: unknown;
}

const NONE: readonly ReceivedValue[] = [];

export class ReceivedTypes {
  #received: unknown;
  /** Values that are being set. A slow setter may have stored them already. */
  readonly #open = new Set<ReceivedValue>();
  /** Values whose setter ended after a later value was set: the property has either of them. */
  readonly #late = new Set<ReceivedValue>();

  /** @param received the value as it is sent, with its variants if they are known; nothing if there is no such value */
  remember(received: unknown): void {
    this.#received = received;
    this.#late.clear();
  }

  /** Records a value whose setting takes time. */
  begin(received: ReceivedValue): void {
    this.#open.add(received);
  }

  /** Records that the value is no longer being set. */
  end(received: ReceivedValue): void {
    this.#open.delete(received);
  }

  /** Records a value that the property may have instead of the remembered one. The next reading shows which it has. */
  addLate(received: ReceivedValue): void {
    this.#late.add(received);
  }

  /** Whether a plain value is the one whose types are kept. */
  isOf(value: unknown): boolean {
    return this.#received !== undefined && isEqual(this.#received, value);
  }

  /** The values that the property may have now, for a reader that waits for the value. */
  get known(): readonly ReceivedValue[] {
    const remembered = this.#received === undefined ? [] : [{ value: undefined, typed: this.#received }];
    return [...remembered, ...this.#late, ...this.#open];
  }

  /**
   * A value of the property as it is sent: its received parts have the variants that they were received in.
   *
   * @param earlier the values that were known when the value was asked for
   */
  typed(value: unknown, earlier: readonly ReceivedValue[] = NONE): unknown {
    if (this.#open.size > 0 || this.#late.size > 0 || earlier.length > 0) {
      const other = this.#otherOf(value, earlier);
      if (other !== undefined) return withTypes(other.typed, value);
    }
    if (this.#received === undefined) return value;
    return withTypes(this.#received, value);
  }

  /** The received value that this is, if it is not the remembered one. */
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
    if (isKept(value)) return value;
    if (isEqual(received.value, value)) return received;
    // The remaining entries of a changed dictionary keep their types. In other values a new part may have another type.
    return received.signature === 'a{sv}' ? withTypes(received.value, value) : value;
  }
  if (isKept(value)) return value;
  if (Array.isArray(received) && Array.isArray(value)) {
    // An array of this length cannot be sent, and the length may be forged.
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

/** Whether the types of a value's variants are remembered beside it: they are written without being added here. */
function isKept(value: unknown): boolean {
  return typeof value === 'object' && value !== null && keptTypesOf(value) !== undefined;
}

/**
 * Whether a plain value equals the received one. Keys of D-Bus dictionaries are basic values, and descriptors are
 * compared by identity.
 */
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
