/**
 * The grammar of signatures for the compiler: the twin of `parse.ts`, for signatures that are literal types. It reads a
 * signature once, from left to right, with a stack of open containers, and yields the types of its values.
 *
 * It consists of two conditional types that call one another only in tail position. The compiler allows such chains to
 * have 1000 steps, which is enough for any signature, but it allows far less nesting than D-Bus does.
 */
import type { FileDescriptor } from '../values/file-descriptor.js';
import type { Variant, variantBrand } from '../values/variant.js';
import type { ReadBytes, ReadTypedArrays, WrittenTypedArrays } from './memory.js';
import type { Int64, VariantValue } from './register.js';

/**
 * How values are read: plainly, with variants as `Variant`, with arrays of numbers as typed arrays, with string-keyed
 * dictionaries as `Map`, and in any combination of these.
 */
export type Reading = Elements | MappedReading;

/** The ways of reading in which string-keyed dictionaries become objects. */
type Elements = 'read' | 'wrap' | 'typed' | 'wrap typed';

/** The ways of reading in which string-keyed dictionaries become a `Map`. */
export type MappedReading = 'map' | 'wrap map' | 'typed map' | 'wrap typed map';

/** How values are read, or that they are written. */
export type Direction = Reading | 'write';

declare const reason: unique symbol;

/** What an invalid signature becomes: a type that no value is assignable to. Its type argument is the reason. */
export interface InvalidSignature<Reason extends string> {
  readonly [reason]: Reason;
}

/** The types of the values of a whole signature, as a tuple; `unknown[]` if the signature is not a literal. */
export type Parse<S extends string, D extends Direction> = string extends S ? unknown[] : Scan<S, Root<[]>, D, S>;

interface ReadLeaves {
  y: number;
  b: boolean;
  n: number;
  q: number;
  i: number;
  u: number;
  x: Int64;
  t: Int64;
  d: number;
  s: string;
  o: string;
  g: string;
  h: FileDescriptor;
  v: VariantValue;
}

interface WrappedLeaves extends Omit<ReadLeaves, 'v'> {
  v: Variant;
}

interface WrittenLeaves extends Omit<ReadLeaves, 'x' | 't' | 'h'> {
  x: bigint | number;
  t: bigint | number;
  h: FileDescriptor | number;
}

/** The types of values of basic types and of variants. */
interface Leaves {
  readonly read: ReadLeaves;
  readonly typed: ReadLeaves;
  readonly wrap: WrappedLeaves;
  readonly 'wrap typed': WrappedLeaves;
  readonly map: ReadLeaves;
  readonly 'typed map': ReadLeaves;
  readonly 'wrap map': WrappedLeaves;
  readonly 'wrap typed map': WrappedLeaves;
  readonly write: WrittenLeaves;
}

type ReadArrays<Elements> = { [Code in keyof Elements]: Code extends 'y' ? ReadBytes : Elements[Code][] };
type ReadArraysTyped<Elements> = {
  [Code in keyof Elements]: Code extends 'y'
    ? ReadBytes
    : Code extends keyof ReadTypedArrays
      ? ReadTypedArrays[Code]
      : Elements[Code][];
};

/** Arrays of basic types and variants, by the code of the element. */
interface LeafArrays {
  readonly read: ReadArrays<ReadLeaves>;
  readonly typed: ReadArraysTyped<ReadLeaves>;
  readonly wrap: ReadArrays<WrappedLeaves>;
  readonly 'wrap typed': ReadArraysTyped<WrappedLeaves>;
  readonly map: LeafArrays['read'];
  readonly 'typed map': LeafArrays['typed'];
  readonly 'wrap map': LeafArrays['wrap'];
  readonly 'wrap typed map': LeafArrays['wrap typed'];
  readonly write: {
    [Code in keyof WrittenLeaves]:
      | readonly WrittenLeaves[Code][]
      | (Code extends keyof WrittenTypedArrays ? WrittenTypedArrays[Code] : never);
  };
}

type KeyCode = Exclude<keyof ReadLeaves, 'v'>;

/**
 * An object whose type has no index signature, such as an interface. As a dictionary of variants it may have any
 * members. An object with one of these symbols is not a plain object: arrays, maps, dates, buffers, promises and
 * variants have one.
 */
export interface PlainObject {
  /** Excludes arrays, maps and strings. */
  readonly [Symbol.iterator]?: never;
  /** Excludes buffers and promises. */
  readonly [Symbol.toStringTag]?: never;
  /** Excludes dates. */
  readonly [Symbol.toPrimitive]?: never;
  /** Excludes functions and classes. */
  readonly [Symbol.hasInstance]?: never;
  /** Excludes variants. */
  readonly [variantBrand]?: never;
}

/** The values from which string-keyed dictionaries are written. A property that is `undefined` is not an entry. */
export type WrittenDictionary<V> =
  | Readonly<Record<string, V | undefined>>
  | ReadonlyMap<string, V>
  | (unknown extends V ? object & PlainObject : never);

/**
 * The type of a dictionary. With string keys it is also written from a plain object; for other keys, a property name
 * would lose the type of the key.
 */
type Dictionary<K extends KeyCode, V, D extends Direction> = K extends 's' | 'o' | 'g'
  ? D extends 'write'
    ? WrittenDictionary<V>
    : D extends MappedReading
      ? Map<string, V>
      : Record<string, V>
  : D extends 'write'
    ? ReadonlyMap<Leaves[D][K], V>
    : Map<Leaves[D][K], V>;

type List<T, D extends Direction> = D extends 'write' ? readonly T[] : T[];
type Struct<Fields extends readonly unknown[], D extends Direction> = D extends 'write' ? Readonly<Fields> : Fields;

/** The bottom of the stack: the complete types so far. */
interface Root<Types extends readonly unknown[]> {
  readonly in: 'root';
  readonly types: Types;
  readonly arrays: 0;
  readonly structs: 0;
  readonly entries: 0;
}
/**
 * Open containers: their types so far, the container outside, and the nesting. The nesting is the number of arrays that
 * directly contain one another down to here, and the numbers of nested structs and dictionary entries.
 */
interface OpenList<Outer extends Frame> {
  readonly in: 'list';
  readonly outer: Outer;
  readonly arrays: Deeper<Outer['arrays']>;
  readonly structs: Outer['structs'];
  readonly entries: Outer['entries'];
}
interface OpenStruct<Fields extends readonly unknown[], Outer extends Frame> {
  readonly in: 'struct';
  readonly types: Fields;
  readonly outer: Outer;
  readonly arrays: 0;
  readonly structs: Deeper<Outer['structs']>;
  readonly entries: Outer['entries'];
}
interface OpenDictionary<K extends KeyCode, Outer extends Frame> {
  readonly in: 'dictionary';
  readonly key: K;
  readonly outer: Outer;
  readonly arrays: 0;
  readonly structs: Outer['structs'];
  readonly entries: Deeper<Outer['entries']>;
}
interface Frame {
  readonly in: 'root' | 'list' | 'struct' | 'dictionary';
  readonly arrays: number;
  readonly structs: number;
  readonly entries: number;
}

/** Counts to 33, which is one more than the specification allows to nest. */
type Deeper<N extends number> = Successors[N];
// biome-ignore format: a table
type Successors = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33,
];

/**
 * Reads the next code of `Rest`, within the container `Top`. `S` is the whole signature, for the reason of an error.
 */
type Scan<Rest extends string, Top extends Frame, D extends Direction, S extends string> = Top['structs'] extends 33
  ? InvalidSignature<`more than 32 structs are nested in "${S}"`>
  : Top['entries'] extends 33
    ? InvalidSignature<`more than 32 dictionary entries are nested in "${S}"`>
    : Rest extends `${infer Code}${infer After}`
      ? Code extends keyof Leaves[D]
        ? Complete<After, Top, Leaves[D][Code], D, S>
        : Code extends 'a'
          ? Top['arrays'] extends 32
            ? InvalidSignature<`more than 32 arrays are nested in "${S}"`>
            : After extends `{${infer Key}${infer Value}`
              ? Key extends KeyCode
                ? Scan<Value, OpenDictionary<Key, Top>, D, S>
                : InvalidSignature<`the key of a dictionary must be a basic type in "${S}"`>
              : After extends `${infer Element extends keyof LeafArrays[D] & string}${infer AfterElement}`
                ? Complete<AfterElement, Top, LeafArrays[D][Element], D, S>
                : Scan<After, OpenList<Top>, D, S>
          : Code extends '('
            ? Scan<After, OpenStruct<[], Top>, D, S>
            : Code extends ')'
              ? Top extends OpenStruct<infer Fields, infer Outer>
                ? Fields extends []
                  ? InvalidSignature<`a struct must have a field in "${S}"`>
                  : Complete<After, Outer, Struct<Fields, D>, D, S>
                : InvalidSignature<`")" has no opening bracket in "${S}"`>
              : InvalidSignature<`"${Code}" is not a type code here in "${S}"`>
      : Rest extends ''
        ? Top extends Root<infer Types>
          ? Types
          : InvalidSignature<`the signature "${S}" is incomplete`>
        : unknown[];

/** Adds a complete type to the container `Top`, which may complete that container in turn. */
type Complete<Rest extends string, Top extends Frame, T, D extends Direction, S extends string> =
  Top extends Root<infer Types>
    ? Scan<Rest, Root<[...Types, T]>, D, S>
    : Top extends OpenStruct<infer Fields, infer Outer>
      ? Scan<Rest, OpenStruct<[...Fields, T], Outer>, D, S>
      : Top extends OpenList<infer Outer>
        ? Complete<Rest, Outer, List<T, D>, D, S>
        : Top extends OpenDictionary<infer Key, infer Outer>
          ? Rest extends `}${infer After}`
            ? Complete<After, Outer, Dictionary<Key, T, D>, D, S>
            : InvalidSignature<`a dictionary entry has a key and one value in "${S}"`>
          : never;
