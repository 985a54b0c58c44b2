/**
 * The types of values that are memory: bytes and arrays of numbers. From TypeScript 5.7 on, these types tell which kind
 * of buffer they have, and functions that accept no shared memory (`crypto.subtle`, `Blob`) check it. Older versions
 * have no such type parameter. So each type here is the return type of a function of the constructor, which is right in
 * all versions.
 */

/** Bytes that are read: a `Buffer` whose memory is not shared. */
export type ReadBytes = ReturnType<typeof Buffer.alloc>;

/** Arrays of numbers that are read with `typedArrays`, by the code of the element. */
export interface ReadTypedArrays {
  n: ReturnType<typeof Int16Array.of>;
  q: ReturnType<typeof Uint16Array.of>;
  i: ReturnType<typeof Int32Array.of>;
  u: ReturnType<typeof Uint32Array.of>;
  x: ReturnType<typeof BigInt64Array.of>;
  t: ReturnType<typeof BigUint64Array.of>;
  d: ReturnType<typeof Float64Array.of>;
}

/** The typed arrays that arrays of numbers may be written from, besides ordinary arrays, by the code of the element. */
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
