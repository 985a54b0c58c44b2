/** The types of values that `dict()`, `arrayOf()` and `structOf()` describe. */
import type { Direction, InvalidSignature, MappedReading } from './literal.js';
import type { Refinement } from './refine.js';
import type { ValidType, Value } from './types.js';

declare const shape: unique symbol;
declare const described: unique symbol;

/** The type that a signature with a shape carries, in place of the type of its values. It does not exist at run time. */
export interface ShapeMark {
  /** The kind. */
  readonly [shape]: 'dict' | 'array' | 'struct';
}
/** A dictionary, with the signatures of the entries by key. */
export interface DictMark<E> extends ShapeMark {
  /** The kind. */
  readonly [shape]: 'dict';
  /** The signatures of the entries, by key. */
  readonly [described]: E;
}
/** An array, with the type of its elements. */
export interface ArrayMark<S extends string> extends ShapeMark {
  /** The kind. */
  readonly [shape]: 'array';
  /** The type of the elements. */
  readonly [described]: S;
}
/** A struct, with the types of its fields. */
export interface StructMark<F extends readonly string[]> extends ShapeMark {
  /** The kind. */
  readonly [shape]: 'struct';
  /** The types of the fields. */
  readonly [described]: F;
}

/** The type of a value that a mark describes. */
export type ShapeValue<Mark, D extends Direction> =
  Mark extends DictMark<infer E>
    ? DictValue<E, D>
    : Mark extends ArrayMark<infer S>
      ? S extends Refinement<string, unknown>
        ? D extends 'write'
          ? readonly Value<S, D>[]
          : Value<S, D>[]
        : Value<`a${S}`, D>
      : Mark extends StructMark<infer F>
        ? D extends 'write'
          ? { readonly [Index in keyof F]: Value<F[Index] & string, D> }
          : { -readonly [Index in keyof F]: Value<F[Index] & string, D> }
        : never;

/**
 * A dictionary with known keys. It is an object, or with `dictionaries: 'map'` a `Map` as every dictionary. Other keys
 * have the type of `'...'`; the compiler wants the type of an index to include those of all properties.
 */
type DictValue<E, D extends Direction> = D extends MappedReading
  ? Map<string, AnyEntry<E, D>>
  : D extends 'write'
    ? Flat<
        { readonly [K in keyof E as Required<K>]: Value<E[K] & string, D> } & {
          readonly [K in keyof E as Optional<K>]?: Value<E[K] & string, D> | undefined;
        } & (E extends { readonly '...': string } ? { readonly [key: string]: AnyEntry<E, D> | undefined } : unknown)
      >
    : Flat<
        { -readonly [K in keyof E as Required<K>]: Value<E[K] & string, D> } & {
          -readonly [K in keyof E as Optional<K>]?: Value<E[K] & string, D>;
        } & (E extends { readonly '...': string } ? { [key: string]: AnyEntry<E, D> } : unknown)
      >;

type Required<K> = K extends '...' | `${string}?` ? never : K;
type Optional<K> = K extends `${infer Name}?` ? Name : never;
type AnyEntry<E, D extends Direction> = { [K in keyof E]: Value<E[K] & string, D> }[keyof E];

/** One object type in place of an intersection: editors and errors show it without a name. */
type Flat<T> = T extends infer All ? { [K in keyof All]: All[K] } : never;

/** The signature of a type without its shape. */
export type PlainSignature<S extends string> = S extends Refinement<infer Plain, unknown> ? Plain : S;

/** Entries that are valid keep their type. In place of any other entry there is the reason. */
export type ValidEntries<E, S extends string> = {
  readonly [K in keyof E]: E[K] extends string
    ? K extends `${infer Name}?`
      ? Name extends keyof E
        ? InvalidSignature<`the key "${Name}" occurs twice`>
        : ValidEntry<E[K], EntrySignature<S>>
      : ValidEntry<E[K], EntrySignature<S>>
    : E[K];
};

type ValidEntry<Type extends string, Wanted> = Wanted extends 'v'
  ? ValidType<Type>
  : PlainSignature<Type> extends Wanted
    ? ValidType<Type>
    : InvalidSignature<`the values of the dictionary have the signature "${Wanted & string}"`>;

/** The signature of the values of a dictionary; `string` if it is not known. */
type EntrySignature<S extends string> = string extends S
  ? string
  : S extends `${string}:${infer Rest}`
    ? EntrySignature<Rest>
    : S extends `a{${'s' | 'o' | 'g'}${infer V}}`
      ? V
      : string;

/** The signature itself if it is one of a dictionary with text keys; a name may precede it. */
export type ValidDictSignature<S extends string> = S extends `${string}:${infer Rest}`
  ? ValidDictSignature<Rest> extends InvalidSignature<infer Reason>
    ? InvalidSignature<Reason>
    : S
  : S extends `a{${'s' | 'o' | 'g'}${string}}`
    ? ValidType<S>
    : string extends S
      ? S
      : InvalidSignature<'a dict() is a dictionary with text keys, such as "a{sv}", "a{sa{sv}}" or "a{oa{sv}}"'>;
