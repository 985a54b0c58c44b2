/**
 * Types that an application chooses once, by declaration merging. The choices change types only: values remain as the
 * table of values describes them, so they must match the options for decoding.
 */

/**
 * Augment this interface to choose other types for 64-bit integers and variants:
 *
 * - `int64`: the type in which `x` and `t` values are read; `bigint` by default. With `number | bigint`, one type
 *   serves for reading and writing. The type must include `bigint`, because the values that are read are bigints.
 * - `variant`: the type of `v` values that are read and written; `unknown` by default. An application that always
 *   decodes with `variants: 'wrap'` chooses `Variant`.
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
// biome-ignore lint/suspicious/noEmptyInterface: programs augment it
export interface Register {}

/** The type in which a 64-bit integer is read. */
export type Int64 = Int64Of<Register>;

/** The type in which a 64-bit integer is read with these choices. A chosen type must include `bigint`. */
export type Int64Of<Choices> = Choices extends { int64: infer Choice }
  ? bigint extends Choice
    ? Choice
    : InvalidChoice<'Register: int64 is read as bigint: choose a type that bigint is part of'>
  : bigint;

declare const reason: unique symbol;

/**
 * Replaces a choice that does not match the values that are read: a type that no value is assignable to. Its type
 * argument is the reason.
 */
interface InvalidChoice<Reason extends string> {
  readonly [reason]: Reason;
}

/** The type in which a variant is read and from which it is written. */
export type VariantValue = Register extends { variant: infer Choice } ? Choice : unknown;
