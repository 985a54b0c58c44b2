/**
 * The types of values, derived from signatures that are literal types: `'a{sv}'` becomes `Record<string, unknown>`.
 * Values that are read have exact types. Values that are written may be anything that the encoder accepts for the
 * signature. If a signature is only known as `string`, its values are `unknown`.
 */

import type { IsTooLong } from '../base/text-length.js';
import type { Direction, InvalidSignature, Parse, Reading } from './literal.js';
import type { Refinement } from './refine.js';
import type { ShapeMark, ShapeValue } from './shape-types.js';

export type { InvalidSignature, MappedReading, Reading } from './literal.js';

/**
 * The types in which the values of a whole signature are read, as a tuple: `'sa{sv}'` → `[string, Record<string,
 * unknown>]`.
 */
export type ReadValues<S extends string> = Values<S, 'read'>;

/** The types from which the values of a whole signature are written, as a tuple. */
export type WriteValues<S extends string> = Values<S, 'write'>;

/** The type in which a value is read, for the signature of one complete type: `'(sai)'` → `[string, number[]]`. */
export type ReadValue<S extends string> = Value<S, 'read'>;

/**
 * How variants are read: as their plain value, as `Variant`, or as their plain value while their type is remembered
 * beside it.
 */
export type VariantChoice = 'plain' | 'wrap' | 'keep';

/** How string-keyed dictionaries are read. */
export type DictionaryChoice = 'object' | 'map';

/** How values are read, by the choices of dictionaries, of variants and of typed arrays. */
export interface ReadingOf {
  readonly object: {
    readonly plain: { readonly false: 'read'; readonly true: 'typed' };
    readonly wrap: { readonly false: 'wrap'; readonly true: 'wrap typed' };
    readonly keep: { readonly false: 'read'; readonly true: 'typed' };
  };
  readonly map: {
    readonly plain: { readonly false: 'map'; readonly true: 'typed map' };
    readonly wrap: { readonly false: 'wrap map'; readonly true: 'wrap typed map' };
    readonly keep: { readonly false: 'map'; readonly true: 'typed map' };
  };
}

/** The type in which a value is read, with this choice for variants. */
export type ReadValueAs<S extends string, V extends VariantChoice> = Value<S, ReadingOf['object'][V]['false']>;

/** The types in which arguments are read, with this choice for variants. */
export type ReadArgumentsAs<A extends string | readonly string[], V extends VariantChoice> = Arguments<
  A,
  ReadingOf['object'][V]['false']
>;

/** The type in which a value is read in this way. */
export type ReadValueIn<S extends string, D extends Reading> = Value<S, D>;

/** The types in which arguments are read in this way. */
export type ReadArgumentsIn<A extends string | readonly string[], D extends Reading> = Arguments<A, D>;

/** The result of a call with these results, if values are read in this way. */
export type ReadResultIn<A extends string | readonly string[], D extends Reading> = Result<Arguments<A, D>>;

/** The type from which a value is written, for the signature of one complete type. */
export type WriteValue<S extends string> = Value<S, 'write'>;

/** The types in which arguments are read, as a tuple. `parseArguments` takes the same list. */
export type ReadArguments<A extends string | readonly string[]> = Arguments<A, 'read'>;

/** The types from which arguments are written, as a tuple. */
export type WriteArguments<A extends string | readonly string[]> = Arguments<A, 'write'>;

/** The result of a call with these results: `void` for none, the value for one, a tuple for several. */
export type ReadResult<A extends string | readonly string[]> = Result<Arguments<A, 'read'>>;

/** What an implementation with these results may return: nothing for none, the value for one, an array for several. */
export type WriteResult<A extends string | readonly string[]> = Result<Readonly<Arguments<A, 'write'>>>;

/**
 * The list of arguments itself if all its signatures are valid and together not too long for a message. Otherwise an
 * {@link InvalidSignature} in place of each invalid one. The compiler does not refuse a function with too few
 * parameters, so a function that takes a list checks it in this way: `in: A & ValidArguments<A>`.
 */
export type ValidArguments<A extends string | readonly string[]> = A extends string
  ? ValidSignature<A>
  : A extends readonly string[]
    ? IsTooLong<Joined<A>> extends true
      ? TooLong
      : { [Index in keyof A]: A[Index] extends string ? ValidArgument<A[Index]> : never }
    : never;

/** The signature itself if it is valid and a single complete type. */
export type ValidType<S extends string> =
  Value<S, 'read'> extends infer T
    ? IsInvalid<T> extends true
      ? S extends `${string}:${string}`
        ? InvalidSignature<`a property has no argument name: write "${Signature<S>}"`>
        : T
      : IsTooLong<S> extends true
        ? TooLong
        : S
    : never;

type TooLong = InvalidSignature<'a signature has 255 characters at most'>;

/** The signatures of a list, concatenated. */
type Joined<A extends readonly string[], Text extends string = ''> = A extends readonly [
  infer First extends string,
  ...infer Others extends readonly string[],
]
  ? Joined<Others, `${Text}${Signature<First>}`>
  : Text;

type ValidSignature<S extends string> =
  Values<S, 'read'> extends infer Types
    ? Types extends readonly unknown[]
      ? FirstInvalid<Types> extends infer Invalid
        ? [Invalid] extends [never]
          ? IsTooLong<S> extends true
            ? TooLong
            : S
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

/** The signature of `'name:signature'`. Names may contain colons, signatures do not. */
type Signature<A extends string> = A extends `${string}:${infer Rest}` ? Signature<Rest> : A;

type Values<S extends string, D extends Direction> =
  S extends Refinement<infer Plain, infer T> ? [RefinedValue<Signature<Plain>, T, D>] : PlainValues<S, D>;

/** The type of one value, which is read or written as `D` says. */
export type Value<S extends string, D extends Direction> =
  S extends Refinement<infer Plain, infer T> ? RefinedValue<Signature<Plain>, T, D> : PlainValue<S, D>;

/**
 * The type of a refined value. A refinement with `type()` describes plain values, so it has no effect where reading in
 * another way changes the type.
 */
type RefinedValue<S extends string, T, D extends Direction> = T extends ShapeMark
  ? unknown extends T
    ? T
    : ShapeValue<T, D>
  : D extends 'read' | 'write'
    ? T
    : Same<PlainValue<S, D>, PlainValue<S, 'read'>> extends true
      ? T
      : PlainValue<S, D>;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

type PlainValues<S extends string, D extends Direction> =
  Parse<S, D> extends infer Types ? (Types extends readonly unknown[] ? Types : [Types]) : never;

type PlainValue<S extends string, D extends Direction> = string extends S
  ? unknown
  : PlainValues<S, D> extends infer Types
    ? Types extends readonly [infer T]
      ? T
      : Types extends readonly []
        ? InvalidSignature<'a type is missing'>
        : Types extends readonly unknown[]
          ? number extends Types['length']
            ? unknown
            : InvalidSignature<`"${S}" is more than one type`>
          : never
    : never;

type Arguments<A extends string | readonly string[], D extends Direction> = A extends string
  ? Values<A, D>
  : A extends readonly string[]
    ? { -readonly [Index in keyof A]: A[Index] extends string ? Argument<A[Index], D> : never }
    : never;

type Argument<A extends string, D extends Direction> =
  A extends Refinement<infer Plain, infer T> ? RefinedValue<Signature<Plain>, T, D> : PlainValue<Signature<A>, D>;

type Result<Types> = Types extends readonly []
  ? void
  : Types extends readonly [infer T]
    ? T
    : Types extends readonly unknown[]
      ? number extends Types['length']
        ? unknown
        : Types
      : never;
