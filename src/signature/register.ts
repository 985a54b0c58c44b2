/**
 * Choices of types that an application makes once, by declaration merging. They change types only: values stay as
 * the table of values says, so choose what agrees with how you decode.
 */

/**
 * Augment this interface to choose other types for 64-bit integers and variants:
 *
 * - `int64`: the type of `x` and `t` values that are read; `bigint` unless chosen. `number | bigint` lets one type
 *   serve reading and writing.
 * - `variant`: the type of `v` values, read and written; `unknown` unless chosen. An application that always decodes
 *   with `variants: 'wrap'` chooses `Variant`.
 *
 * @example
 * ```ts
 * declare module 'busbar' {
 *   interface Register {
 *     int64: number | bigint;
 *   }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be augmented
export interface Register {}

/** What a 64-bit integer is read as. */
export type Int64 = Register extends { int64: infer Choice } ? Choice : bigint;

/** What a variant is read as, and written from. */
export type VariantValue = Register extends { variant: infer Choice } ? Choice : unknown;
