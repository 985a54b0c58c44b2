/** The options that decide how received values are decoded. */
import type { VariantChoice } from '../signature/types.js';

/** Options of the receiver. */
export interface DecodeOptions {
  /**
   * `plain`, the default: a variant becomes its value. `wrap`: it becomes a `Variant`, which keeps the type. `keep`: it
   * becomes its value, and busbar remembers the type beside the container of the value, so that the container can be
   * changed and written with the types that were read.
   */
  readonly variants?: VariantChoice | undefined;
  /**
   * Whether arrays of numbers become typed arrays, such as `Int32Array`, which is faster. By default they become
   * arrays.
   */
  readonly typedArrays?: boolean | undefined;
  /**
   * `object`, the default: dictionaries with string keys become plain objects, whose properties with integer names come
   * first. `map`: every dictionary becomes a `Map`, in the order of the wire. If a key occurs several times, the last
   * value counts.
   */
  readonly dictionaries?: 'object' | 'map' | undefined;
}

/** The options with which busbar itself decodes. */
export interface Decoding extends Omit<DecodeOptions, 'variants'> {
  /**
   * As in {@link DecodeOptions}, or `outermost`: only variants that are values of the message itself, of a dictionary
   * that is one, or of dictionaries in such a dictionary, become a `Variant`. Variants within them become plain values.
   */
  readonly variants?: DecodeOptions['variants'] | 'outermost';
}
