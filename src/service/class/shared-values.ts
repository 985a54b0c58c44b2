/**
 * The types of a class whose clients make proxies of it. A proxy must read the declared types of the members, but
 * clients do not always read what a class sends: a `Variant` is read as the value in it, a `Map` with text keys as an
 * object, a typed array as an array. If the sent type determines the read type, the proxy is typed by it. If it does
 * not (the signature alone decides whether a number is read as a bigint, a number or a file descriptor), the decorators
 * refuse the member.
 */

import type { WrittenDictionary } from '../../signature/literal.js';
import type { ReadBytes, ReadTypedArrays, WrittenTypedArrays } from '../../signature/memory.js';
import type { VariantValue } from '../../signature/register.js';
import type { MappedReading, Reading } from '../../signature/types.js';
import type { FileDescriptor } from '../../values/file-descriptor.js';
import type { Variant } from '../../values/variant.js';

type IsAny<T> = 0 extends 1 & T ? true : false;

/** The typed arrays of numbers and of 64-bit integers that are read, and those that may be written. */
type ReadNumbers = ReadTypedArrays['n' | 'q' | 'i' | 'u' | 'd'];
type ReadBigints = ReadTypedArrays['x' | 't'];
type WrittenNumbers = WrittenTypedArrays['n' | 'q' | 'i' | 'u' | 'd'];
type WrittenBigints = WrittenTypedArrays['x' | 't'];

type Wraps<D extends Reading> = D extends `wrap${string}` ? true : false;
type HasTypedArrays<D extends Reading> = D extends `${string}typed${string}` ? true : false;
type ReadDictionary<V, D extends Reading> = D extends MappedReading ? Map<string, V> : Record<string, V>;

/**
 * The type that a client reads for a type that a class sends. Refined types are trusted, except for members that may be
 * variants.
 */
export type Received<T, D extends Reading> =
  IsAny<T> extends true
    ? T
    : unknown extends T
      ? Wraps<D> extends true
        ? Variant
        : T
      : T extends string | number | bigint | boolean | null | undefined | FileDescriptor | void
        ? T
        : T extends Variant
          ? Wraps<D> extends true
            ? Variant
            : VariantValue
          : T extends Uint8Array
            ? ReadBytes
            : T extends WrittenNumbers
              ? ReceivedList<number, D>
              : T extends WrittenBigints
                ? ReceivedList<bigint, D>
                : T extends readonly unknown[]
                  ? number extends T['length']
                    ? ReceivedList<T[number], D>
                    : { [Index in keyof T]: Received<T[Index], D> }
                  : T extends ReadonlyMap<infer Key, infer Value>
                    ? [Key] extends [string]
                      ? ReadDictionary<Received<Value, D>, D>
                      : Map<Key, Received<Value, D>>
                    : T extends { readonly [name: string]: infer Value }
                      ? string extends keyof T
                        ? ReadDictionary<Received<Value, D>, D>
                        : ReceivedRefined<T, D>
                      : ReceivedRefined<T, D>;

type ReceivedList<Element, D extends Reading> =
  IsAny<Element> extends true
    ? Element[]
    : HasTypedArrays<D> extends true
      ? [Element] extends [number]
        ? ReadNumbers
        : [Element] extends [bigint]
          ? ReadBigints
          : Received<Element, D>[]
      : Received<Element, D>[];

type ReceivedRefined<T, D extends Reading> = D extends 'read'
  ? T
  : D extends MappedReading
    ? Map<string, unknown>
    : { readonly [Name in keyof T]: unknown };

/** The type that a client may send for a type that a class reads. */
export type Written<T> =
  IsAny<T> extends true
    ? T
    : unknown extends T
      ? T
      : T extends bigint
        ? bigint | number
        : T extends string | number | boolean | null | undefined | void
          ? T
          : T extends FileDescriptor
            ? FileDescriptor | number
            : T extends Variant
              ? VariantValue
              : T extends Uint8Array
                ? Uint8Array | readonly number[]
                : T extends readonly unknown[]
                  ? number extends T['length']
                    ? WrittenList<T[number]>
                    : { readonly [Index in keyof T]: Written<T[Index]> }
                  : T extends ReadonlyMap<infer Key, infer Value>
                    ? ReadonlyMap<Written<Key>, Written<Value>>
                    : string extends keyof T
                      ? T extends { readonly [name: string]: infer Value }
                        ? WrittenDictionary<Written<Value>>
                        : T
                      : T;

/** The signature alone tells which typed array matches. */
type WrittenList<Element> =
  | readonly Written<Element>[]
  | (IsAny<Element> extends true
      ? never
      : [Element] extends [number]
        ? WrittenNumbers
        : [Element] extends [bigint]
          ? WrittenBigints
          : never);

/** Whether the type that is read is the type that the class declares to clients. */
export type Keeps<Read, Sent> = [Sent] extends [never]
  ? true
  : [Read] extends [Sent]
    ? Takes<Read, Sent>
    : Promises<Read, IsAny<Sent> extends true ? Sent : Received<Sent, 'read'>>;

type Promises<Read, Promised> =
  IsAny<Promised> extends true
    ? true
    : [Read] extends [Promised]
      ? Takes<Read, Promised>
      : unknown extends Read
        ? false
        : Read extends readonly unknown[]
          ? Promised extends readonly unknown[]
            ? number extends Read['length']
              ? Promises<Read[number], Promised[number]>
              : AllPromise<Read, Promised>
            : false
          : Read extends ReadonlyMap<infer Key, infer Value>
            ? Promised extends ReadonlyMap<infer PromisedKey, infer PromisedValue>
              ? AllPromise<[Key, Value], [PromisedKey, PromisedValue]>
              : false
            : string extends keyof Read
              ? Promises<Read[keyof Read], Promised[keyof Promised]>
              : [Promised] extends [Read]
                ? true
                : false;

/**
 * Whether a type accepts every value that is read. The compiler assigns a dictionary to any type whose members are all
 * optional, so the declared type must also be a type that may be sent.
 */
export type Takes<Read, Declared> = true extends HasOptional<Declared> ? TakesValue<Read, Declared> : true;

/** Whether the type contains one whose members are all optional. Most contain none, which saves the compiler time. */
type HasOptional<Declared> = Declared extends string | number | bigint | boolean | undefined
  ? never
  : unknown extends Declared
    ? never
    : Declared extends readonly unknown[]
      ? HasOptional<Declared[number]>
      : Declared extends ReadonlyMap<infer _, infer Value>
        ? HasOptional<Value>
        : string extends keyof Declared
          ? HasOptional<Declared[keyof Declared]>
          : object extends Declared
            ? true
            : never;

/** The same if it is not known that the declared type may be sent. A recursive type ends with the type that is read. */
export type TakesValue<Read, Declared> = Read extends string | number | bigint | boolean
  ? true
  : unknown extends Declared
    ? true
    : Read extends readonly unknown[]
      ? number extends Read['length']
        ? Declared extends readonly unknown[]
          ? TakesValue<Read[number], Declared[number]>
          : true
        : false extends {
              [Index in keyof Read]: Index extends keyof Declared ? TakesValue<Read[Index], Declared[Index]> : true;
            }[number]
          ? false
          : true
      : Read extends ReadonlyMap<infer _, infer Value>
        ? Declared extends ReadonlyMap<infer _, infer Taken>
          ? TakesValue<Value, Taken>
          : true
        : string extends keyof Read
          ? TakesEntries<Read[keyof Read], Declared>
          : true;

/** The values that a dictionary may have, by a type with an index signature. */
type TakesEntries<Value, Declared> = string extends keyof Declared
  ? TakesValue<Value, Declared[keyof Declared]>
  : false extends {
        [Name in keyof Declared & string]-?: [Value] extends [Declared[Name]]
          ? TakesValue<Value, NonNullable<Declared[Name]>>
          : false;
      }[keyof Declared & string]
    ? false
    : true;

type AllPromise<Read extends readonly unknown[], Promised> = false extends {
  [Index in keyof Read]: Index extends keyof Promised ? Promises<Read[Index], Promised[Index]> : false;
}[number]
  ? false
  : true;
