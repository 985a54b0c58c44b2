/**
 * Signatures that carry a more precise type than their text tells. At run time such a signature is the plain string;
 * only the compiler sees the type.
 */
import type { ReadArguments } from './types.js';

declare const refinement: unique symbol;
declare const refined: unique symbol;

/** The type that a signature carries for its values. It does not exist at run time. */
export interface Refinement<S extends string, T> {
  /** The type of the values. */
  readonly [refinement]: T;
  /** The signature alone. */
  readonly [refined]: S;
}

/** A signature, or an argument `'name:signature'`, whose values are of type `T`. */
export type Refined<S extends string, T> = S & Refinement<S, T>;

/**
 * The types to which a signature may be refined. For string-keyed dictionaries these are objects with certain members.
 */
export type Refinable<S extends string> =
  ReadArguments<[S]> extends [infer T] ? (T extends Readonly<Record<string, unknown>> ? object : T) : never;

/**
 * Refines the type of a signature's values, for instance to the texts that an enumeration has. The compiler trusts the
 * type for reading and for writing, and only the signature is checked at run time; `dict()` also checks the values. Where
 * the options `variants: 'wrap'` or `typedArrays` change how the values are read, they have the type of the signature
 * alone.
 *
 * @example
 * ```ts
 * @method({ in: [type<'options:a{sv}', { Name?: string }>('options:a{sv}')] })
 * Rename(options: { Name?: string }): void { console.log(options.Name); }
 * ```
 *
 * @param signature the signature once more, because types do not exist at run time; the compiler checks that the two
 *   agree
 */
export function type<S extends string, T extends Refinable<S>>(signature: S): Refined<S, T> {
  return signature as Refined<S, T>;
}
