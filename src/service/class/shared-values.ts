/**
 * The types of a class whose clients make proxies of it: a proxy has to keep what the members' own types promise. What a
 * class sends is not always what a client reads: a `Variant` comes as the value in it, a `Map` by text as an object, a
 * typed array as an array. Where the type of what is sent tells that, the proxy is typed so. Where it does not (a number is
 * read as a bigint, as a number or as a file descriptor, by the signature alone), the decorators refuse the member.
 */

import type { WrittenDictionary } from '../../signature/literal.js';
import type { ReadBytes, ReadTypedArrays, WrittenTypedArrays } from '../../signature/memory.js';
import type { VariantValue } from '../../signature/register.js';
import type { MappedReading, Reading } from '../../signature/types.js';
import type { FileDescriptor } from '../../values/file-descriptor.js';
import type { Variant } from '../../values/variant.js';

type IsAny<T> = 0 extends 1 & T ? true : false;

/** The typed arrays of numbers, and of integers of 64 bits, that are read, and that may be written. */
type ReadNumbers = ReadTypedArrays['n' | 'q' | 'i' | 'u' | 'd'];
type ReadBigints = ReadTypedArrays['x' | 't'];
type WrittenNumbers = WrittenTypedArrays['n' | 'q' | 'i' | 'u' | 'd'];
type WrittenBigints = WrittenTypedArrays['x' | 't'];

type Wraps<D extends Reading> = D extends `wrap${string}` ? true : false;
type HasTypedArrays<D extends Reading> = D extends `${string}typed${string}` ? true : false;
type ReadDictionary<V, D extends Reading> = D extends MappedReading ? Map<string, V> : Record<string, V>;

/** What a client reads of what a class sends. Refined types are taken on trust, but for members that may be variants. */
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

/** What a client may send for what a class reads. */
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

/** Which typed array is the matching one, only the signature tells. */
type WrittenList<Element> =
  | readonly Written<Element>[]
  | (IsAny<Element> extends true
      ? never
      : [Element] extends [number]
        ? WrittenNumbers
        : [Element] extends [bigint]
          ? WrittenBigints
          : never);

/** Whether what is read is what the type of what was sent promises to clients. */
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
 * Whether types that read values are assignable to take whatever is read. The compiler assigns a dictionary to a type whose
 * members may all be left out, whatever their types are. What is declared has to be of what may be sent.
 */
export type Takes<Read, Declared> = true extends HasOptional<Declared> ? TakesValue<Read, Declared> : true;

/** Whether there is a type in it whose members may all be left out: most have none, and the compiler is done sooner. */
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

/** The same where it is not known that what is declared may be sent: a type that has itself in it ends with what is read. */
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

/** What may be in a dictionary, by a type that has a type for any name, or names. */
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
