/**
 * A value together with its D-Bus type, for values of type `v` whose type the value alone does not determine. The value
 * is checked when it is written, because only then the whole path to it is known.
 *
 * @see D-Bus specification, type VARIANT
 */
import { type InspectOptions, inspect } from 'node:util';
import { checkSingle } from '../signature/parse.js';
import type { WriteValue } from '../signature/types.js';

/** All copies of this package in a process share it. */
export const variantBrand: unique symbol = Symbol.for('busbar.Variant');

/**
 * A value of a variant, with the signature of its one complete type. With `variants: 'wrap'`, received variants become
 * instances of this class.
 *
 * Do not pass `T`: it follows from `S`. It is a parameter so that the compiler can see that a variant of a certain type
 * is a variant.
 */
export class Variant<S extends string = string, T = WriteValue<S>> {
  /** Distinguishes a variant from an object that has a signature and a value. */
  declare readonly [variantBrand]: true;
  /** The signature of the value: one complete type. */
  readonly signature: S;
  /** The value. Variants within it are `Variant` objects too, if it was read with `variants: 'wrap'`. */
  readonly value: T;

  /**
   * @param signature one complete type
   * @param value a value that can be written for that signature
   * @throws {@link InvalidArgumentError} for an invalid signature
   */
  constructor(signature: S, value: NoInfer<T>) {
    if (!isReceiving) checkSingle(signature);
    this.signature = signature;
    this.value = value;
  }

  /** Whether a value is a `Variant` of any copy of this package. */
  static isVariant(value: unknown): value is Variant {
    return typeof value === 'object' && value !== null && variantBrand in value;
  }

  /** Like {@link isVariant}, for `instanceof`. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return Variant.isVariant(value);
  }

  /** @internal */
  [inspect.custom](depth: number, options: InspectOptions): string {
    if (depth < 0) return `[Variant ${this.signature}]`;
    const value = inspect(this.value, { ...options, depth: options.depth == null ? null : options.depth - 1 });
    return this.signature in helpers ? `variant.${this.signature}(${value})` : `variant('${this.signature}', ${value})`;
  }
}

/** Whether the signature has already been checked. */
let isReceiving = false;

/**
 * Makes a variant whose signature was checked when it was received.
 *
 * @internal
 */
export function receivedVariant(signature: string, value: unknown): Variant {
  isReceiving = true;
  const variant = new Variant(signature, value);
  isReceiving = false;
  return variant;
}

Object.defineProperty(Variant.prototype, variantBrand, { value: true });

/**
 * Makes variants of one type. It is a named type so that declarations refer to it by name, which older compilers can
 * read.
 */
type MakeVariant<S extends string> = (value: WriteValue<S>) => Variant<S>;

const helper =
  <const S extends string>(signature: S): MakeVariant<S> =>
  (value) =>
    new Variant(signature, value);

const helpers = {
  /** A byte. */
  y: helper('y'),
  /** A boolean. */
  b: helper('b'),
  /** An integer of 16 bits. */
  n: helper('n'),
  /** An unsigned integer of 16 bits. */
  q: helper('q'),
  /** An integer of 32 bits. */
  i: helper('i'),
  /** An unsigned integer of 32 bits. */
  u: helper('u'),
  /** An integer of 64 bits. */
  x: helper('x'),
  /** An unsigned integer of 64 bits. */
  t: helper('t'),
  /** A double. */
  d: helper('d'),
  /** A string. */
  s: helper('s'),
  /** An object path. */
  o: helper('o'),
  /** A signature. */
  g: helper('g'),
  /** A file descriptor. */
  h: helper('h'),
  /** A variant in the variant. */
  v: helper('v'),
  /** Bytes. */
  ay: helper('ay'),
  /** Booleans. */
  ab: helper('ab'),
  /** Integers of 16 bits. */
  an: helper('an'),
  /** Unsigned integers of 16 bits. */
  aq: helper('aq'),
  /** Integers of 32 bits. */
  ai: helper('ai'),
  /** Unsigned integers of 32 bits. */
  au: helper('au'),
  /** Integers of 64 bits. */
  ax: helper('ax'),
  /** Unsigned integers of 64 bits. */
  at: helper('at'),
  /** Doubles. */
  ad: helper('ad'),
  /** Strings. */
  as: helper('as'),
  /** Object paths. */
  ao: helper('ao'),
  /** Signatures. */
  ag: helper('ag'),
  /** File descriptors. */
  ah: helper('ah'),
  /** Variants. */
  av: helper('av'),
} as const;

/**
 * Makes a {@link Variant} of any type. The members make one of a basic type, of a variant, or of an array of these.
 *
 * @example
 * ```ts
 * variant('a{sv}', { Name: 'busbar' });
 * variant.u(5);
 * ```
 *
 * @throws {@link InvalidArgumentError} for an invalid signature
 */
export const variant = Object.assign(
  <const S extends string>(signature: S, value: WriteValue<S>): Variant<S> => new Variant(signature, value),
  helpers,
);
