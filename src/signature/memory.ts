/**
 * The types of values that are memory: bytes and arrays of numbers. From TypeScript 5.7 on these types tell which kind of
 * buffer is behind them, and what takes none that is shared (`crypto.subtle`, `Blob`) wants to see that. Older versions know
 * no such parameter; so each type here is what the constructor's own function returns, which is right in all of them.
 */

/** Bytes as they are read: a `Buffer` with memory that is not shared. */
export type ReadBytes = ReturnType<typeof Buffer.alloc>;

/** Arrays of numbers as they are read with `typedArrays`, by the code of the element. */
export interface ReadTypedArrays {
  n: ReturnType<typeof Int16Array.of>;
  q: ReturnType<typeof Uint16Array.of>;
  i: ReturnType<typeof Int32Array.of>;
  u: ReturnType<typeof Uint32Array.of>;
  x: ReturnType<typeof BigInt64Array.of>;
  t: ReturnType<typeof BigUint64Array.of>;
  d: ReturnType<typeof Float64Array.of>;
}

/** Arrays of numbers that may be written besides ordinary ones, by the code of the element. */
export interface WrittenTypedArrays {
  y: Uint8Array;
  n: Int16Array;
  q: Uint16Array;
  i: Int32Array;
  u: Uint32Array;
  x: BigInt64Array;
  t: BigUint64Array;
  d: Float64Array;
}
