/**
 * Signatures that carry a more precise type than they say themselves. At run time such a signature is the plain
 * string; only the compiler sees the rest.
 */
import type { ReadArguments } from './types.js';

declare const refinement: unique symbol;
declare const refined: unique symbol;

/** What a signature carries of the type of its values; nothing has it at run time. */
export interface Refinement<S extends string, T> {
  /** The type of its values. */
  readonly [refinement]: T;
  /** The signature alone. */
  readonly [refined]: S;
}

/** A signature, or an argument `'name:signature'`, whose values are of type `T`. */
export type Refined<S extends string, T> = S & Refinement<S, T>;

/** What a signature may be refined to: for dictionaries by string, objects with certain members. */
export type Refinable<S extends string> =
  ReadArguments<[S]> extends [infer T] ? (T extends Readonly<Record<string, unknown>> ? object : T) : never;

/**
 * Refines the type of a signature's values, mostly of dictionaries whose keys are known. It is taken on trust, for
 * reading and writing: nothing is checked at run time beyond the signature. What is read with `variants: 'wrap'` or
 * `typedArrays` is typed by the signature alone, where these make a difference.
 *
 * @example
 * ```ts
 * @method({ in: [type<'options:a{sv}', { Name?: string }>('options:a{sv}')] })
 * Rename(options: { Name?: string }): void { console.log(options.Name); }
 * ```
 *
 * @param signature the signature once more, because types are gone at run time; the compiler sees to it that both agree
 */
export function type<S extends string, T extends Refinable<S>>(signature: S): Refined<S, T> {
  return signature as Refined<S, T>;
}
