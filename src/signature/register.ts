/**
 * Choices of types that an application makes once, by declaration merging. They change types only: values stay as
 * the table of values says, so choose what agrees with how you decode.
 */

/**
 * Augment this interface to choose other types for 64-bit integers and variants:
 *
 * - `int64`: the type of `x` and `t` values that are read; `bigint` unless chosen. `number | bigint` lets one type
 *   serve reading and writing. `bigint` has to be part of it, for it is what is read.
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
export type Int64 = Int64Of<Register>;

/** What a 64-bit integer is read as by such choices; what is chosen has to take what is read. */
export type Int64Of<Choices> = Choices extends { int64: infer Choice }
  ? bigint extends Choice
    ? Choice
    : InvalidChoice<'Register: int64 is read as bigint: choose a type that bigint is part of'>
  : bigint;

declare const reason: unique symbol;

/** What a choice becomes that is not true of what is read: a type that no value fits, with the reason in its name. */
interface InvalidChoice<Reason extends string> {
  readonly [reason]: Reason;
}

/** What a variant is read as, and written from. */
export type VariantValue = Register extends { variant: infer Choice } ? Choice : unknown;
