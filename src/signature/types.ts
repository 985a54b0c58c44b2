/**
 * The types of values, from signatures that are literal types: `'a{sv}'` becomes `Record<string, unknown>`. What is
 * read is typed exactly; what is written may be anything that the encoder takes for that signature. Where a signature
 * is only known as `string`, values are `unknown`.
 */
import type { Direction, InvalidSignature, Parse } from './literal.js';
import type { refinement } from './refine.js';

export type { InvalidSignature } from './literal.js';

/** The types that the values of a whole signature are read as, a tuple: `'sa{sv}'` → `[string, Record<string, unknown>]`. */
export type ReadValues<S extends string> = Values<S, 'read'>;

/** The types that the values of a whole signature are written from, a tuple. */
export type WriteValues<S extends string> = Values<S, 'write'>;

/** The type that a value is read as, from the signature of one complete type: `'(sai)'` → `[string, number[]]`. */
export type ReadValue<S extends string> = Value<S, 'read'>;

/** How variants are read: as the plain value in them, or as `Variant`, losslessly. */
export type VariantChoice = 'plain' | 'wrap';

/** The type that a value is read as, with that choice of how. */
export type ReadValueAs<S extends string, V extends VariantChoice> = Value<S, DirectionOf<V>>;

/** The types that arguments are read as, with that choice of how. */
export type ReadArgumentsAs<A extends string | readonly string[], V extends VariantChoice> = Arguments<
  A,
  DirectionOf<V>
>;

type DirectionOf<V extends VariantChoice> = [V] extends ['wrap'] ? 'wrap' : 'read';

/** The type that a value is written from, for the signature of one complete type. */
export type WriteValue<S extends string> = Value<S, 'write'>;

/** The types that arguments are read as, a tuple. The list is as `parseArguments` takes it. */
export type ReadArguments<A extends string | readonly string[]> = Arguments<A, 'read'>;

/** The types that arguments are written from, a tuple. */
export type WriteArguments<A extends string | readonly string[]> = Arguments<A, 'write'>;

/** What a call with these results gives: `void` for none, the value for one, a tuple for several. */
export type ReadResult<A extends string | readonly string[]> = Result<Arguments<A, 'read'>>;

/** What an implementation with these results may return: nothing for none, the value for one, an array for several. */
export type WriteResult<A extends string | readonly string[]> = Result<Readonly<Arguments<A, 'write'>>>;

/**
 * A list of arguments itself where all of its signatures are valid; else an {@link InvalidSignature} for those that
 * are not. A function cannot be refused for having too few parameters, so whoever declares a list must check it so:
 * `in: A & ValidArguments<A>`.
 */
export type ValidArguments<A extends string | readonly string[]> = A extends string
  ? ValidSignature<A>
  : { [Index in keyof A]: A[Index] extends string ? ValidArgument<A[Index]> : never };

type ValidSignature<S extends string> =
  Values<S, 'read'> extends infer Types
    ? Types extends readonly unknown[]
      ? FirstInvalid<Types> extends infer Invalid
        ? [Invalid] extends [never]
          ? S
          : Invalid
        : never
      : never
    : never;

type ValidArgument<S extends string> =
  Value<Signature<S>, 'read'> extends infer T ? (IsInvalid<T> extends true ? T : S) : never;

type IsInvalid<T> = unknown extends T ? false : T extends InvalidSignature<string> ? true : false;
type FirstInvalid<Types extends readonly unknown[]> = Types extends readonly [infer T]
  ? IsInvalid<T> extends true
    ? T
    : never
  : never;

/** The signature of `'name:signature'`. Names may have colons, signatures have none. */
type Signature<A extends string> = A extends `${string}:${infer Rest}` ? Signature<Rest> : A;

type Values<S extends string, D extends Direction> = S extends { readonly [refinement]: infer Refinement }
  ? [Refinement]
  : Parse<S, D> extends infer Types
    ? Types extends readonly unknown[]
      ? Types
      : [Types]
    : never;

type Value<S extends string, D extends Direction> = string extends S
  ? unknown
  : Values<S, D> extends readonly [infer T]
    ? T
    : Values<S, D> extends readonly []
      ? InvalidSignature<'a type is missing'>
      : number extends Values<S, D>['length']
        ? unknown
        : InvalidSignature<`"${S}" is more than one type`>;

type Arguments<A extends string | readonly string[], D extends Direction> = A extends string
  ? Values<A, D>
  : A extends readonly string[]
    ? { -readonly [Index in keyof A]: A[Index] extends string ? Argument<A[Index], D> : never }
    : never;

type Argument<A extends string, D extends Direction> = A extends { readonly [refinement]: infer Refinement }
  ? Refinement
  : Value<Signature<A>, D>;

type Result<Types> = Types extends readonly []
  ? void
  : Types extends readonly [infer T]
    ? T
    : Types extends readonly unknown[]
      ? number extends Types['length']
        ? unknown
        : Types
      : never;
