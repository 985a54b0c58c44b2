/** How a receiver wants values decoded. */

/** Choices of the receiver's. */
export interface DecodeOptions {
  /** `plain`, the default: a variant becomes the value in it. `wrap`: a `Variant`, which keeps the type. */
  readonly variants?: 'plain' | 'wrap' | undefined;
  /** Whether arrays of numbers become `Int32Array` and so on, which is faster; otherwise arrays. */
  readonly typedArrays?: boolean | undefined;
  /**
   * `object`, the default: dictionaries by text become plain objects, whose properties with names like integers come first.
   * `map`: every dictionary becomes a `Map`, in the order of the wire. Of entries with the same key the last value counts.
   */
  readonly dictionaries?: 'object' | 'map' | undefined;
}

/** How busbar itself decodes. */
export interface Decoding extends Omit<DecodeOptions, 'variants'> {
  /**
   * As for others, or `outermost`: a `Variant` where it is a value of the message itself, or of a dictionary that is one; plain
   * within.
   */
  readonly variants?: DecodeOptions['variants'] | 'outermost';
}
