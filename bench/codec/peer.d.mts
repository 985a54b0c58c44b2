/**
 * How a library's codec is reached: a `codec.mjs` in its folder below bench/peers/ exports `codec`. What can be prepared
 * once (a parsed signature, the memory that is written to) is prepared as the library does it for its own messages.
 */

export interface Codec {
  /** A variant, as the library wants it to be written. */
  variant(signature: string, value: unknown): unknown;
  /** A dictionary by string. */
  dictionary(entries: readonly (readonly [string, unknown])[]): unknown;
  /** A function that marshals a body once. */
  encoder?(signature: string, values: readonly unknown[]): () => unknown;
  /** A function that marshals a whole method call once. */
  callEncoder?(head: CallHead, values: readonly unknown[]): () => unknown;
  /** A function that unmarshals a body once, into what users get. */
  decoder?(signature: string, bytes: Uint8Array): () => unknown;
}

export interface CallHead {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
}
