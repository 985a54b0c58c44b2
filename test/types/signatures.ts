/**
 * The types that the compiler derives from signatures. Compiling this file is the test: `is` accepts only `true`, and an
 * expected error that is missing is an error.
 */

import { type Refined, type } from '../../src/signature/refine.js';
import type { Int64Of } from '../../src/signature/register.js';
import type {
  InvalidSignature,
  ReadArguments,
  ReadResult,
  ReadValue,
  ReadValueIn,
  ReadValues,
  ValidArguments,
  WriteArguments,
  WriteResult,
  WriteValue,
  WriteValues,
} from '../../src/signature/types.js';
import type { FileDescriptor } from '../../src/values/file-descriptor.js';
import { Variant, variant } from '../../src/values/variant.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type IsInvalid<T> = T extends InvalidSignature<string> ? true : false;
declare function is<_T extends true>(): void;
declare function written<S extends string>(signature: S, value: WriteValue<S>): void;
declare function declared<const A extends string | readonly string[]>(list: A & ValidArguments<A>): ReadArguments<A>;

/** A `Buffer` of memory that is not shared, if the compiler distinguishes that. */
type Bytes = ReturnType<typeof Buffer.alloc>;

// Basic types, read.
is<Equal<ReadValues<'ybnqiud'>, [number, boolean, number, number, number, number, number]>>();
is<Equal<ReadValues<'xt'>, [bigint, bigint]>>();
is<Equal<ReadValues<'sog'>, [string, string, string]>>();
is<Equal<ReadValue<'h'>, FileDescriptor>>();
is<Equal<ReadValue<'v'>, unknown>>();

// Basic types, written.
is<Equal<WriteValues<'yxt'>, [number, bigint | number, bigint | number]>>();
is<Equal<WriteValue<'h'>, FileDescriptor | number>>();
is<Equal<WriteValue<'v'>, unknown>>();

// Containers, read.
is<Equal<ReadValue<'ay'>, Bytes>>();
is<Equal<ReadValue<'aay'>, Bytes[]>>();
is<Equal<ReadValue<'ai'>, number[]>>();
is<Equal<ReadValue<'av'>, unknown[]>>();
is<Equal<ReadValue<'a{sv}'>, Record<string, unknown>>>();
is<Equal<ReadValue<'a{ob}'>, Record<string, boolean>>>();
is<Equal<ReadValue<'a{gay}'>, Record<string, Bytes>>>();
is<Equal<ReadValue<'a{us}'>, Map<number, string>>>();
is<Equal<ReadValue<'a{ts}'>, Map<bigint, string>>>();
is<Equal<ReadValue<'(sai)'>, [string, number[]]>>();
is<Equal<ReadValue<'((y)(s(b)))'>, [[number], [string, [boolean]]]>>();
is<Equal<ReadValue<'a(sa{sas})'>, [string, Record<string, string[]>][]>>();
is<Equal<ReadValue<'a{oa{sa{sv}}}'>, Record<string, Record<string, Record<string, unknown>>>>>();
is<
  Equal<
    ReadValues<'susssasa{sv}i'>,
    [string, number, string, string, string, string[], Record<string, unknown>, number]
  >
>();

// Bytes are not shared, so functions that refuse shared memory accept them.
declare const bytes: ReadValue<'ay'>;
void crypto.subtle.digest('SHA-256', bytes);
new Blob([bytes]);

// As typed arrays, with variants as Variant, and with both.
is<Equal<ReadValueIn<'(aiayatadv)', 'typed'>, [Int32s, Bytes, Uint64s, Doubles, unknown]>>();
is<Equal<ReadValueIn<'a{sai}', 'typed'>, Record<string, Int32s>>>();
is<Equal<ReadValueIn<'aai', 'typed'>, Int32s[]>>();
is<Equal<ReadValueIn<'(aia{sv})', 'wrap'>, [number[], Record<string, Variant>]>>();
is<Equal<ReadValueIn<'(aia{sv})', 'wrap typed'>, [Int32s, Record<string, Variant>]>>();
is<Equal<ReadValueIn<'(aia{sv})', 'map'>, [number[], Map<string, unknown>]>>();
is<Equal<ReadValueIn<'(aia{oa{sv}})', 'wrap typed map'>, [Int32s, Map<string, Map<string, Variant>>]>>();
is<Equal<ReadValueIn<'a{us}', 'typed map'>, Map<number, string>>>();
is<Equal<ReadValueIn<'av', 'wrap map'>, Variant[]>>();
type Int32s = ReturnType<typeof Int32Array.of>;
type Uint64s = ReturnType<typeof BigUint64Array.of>;
type Doubles = ReturnType<typeof Float64Array.of>;

// A dictionary of variants is written from an object of any members, as an interface describes it, but not of a class.
interface Described {
  readonly Name: string;
  readonly Size?: number;
}
declare const described: Described;
written('a{sv}', described);
written('a{sa{sv}}', { first: described });
written('a{sv}', new Map([['a', 1]]));
written('a{su}', { a: 1, left: undefined });
// @ts-expect-error an array
written('a{sv}', ['a']);
// @ts-expect-error a date
written('a{sv}', new Date());
// @ts-expect-error bytes
written('a{sv}', Buffer.from(''));
// @ts-expect-error a variant, which is one value
written('a{sv}', variant.u(5));
// @ts-expect-error a function
written('a{sv}', () => {});
// @ts-expect-error a promise
written('a{sv}', Promise.resolve({}));
// @ts-expect-error a text
written('a{sv}', 'a');

// Containers, written.
is<Equal<WriteValue<'ay'>, readonly number[] | Uint8Array>>();
is<Equal<WriteValue<'ai'>, readonly number[] | Int32Array>>();
is<Equal<WriteValue<'at'>, readonly (bigint | number)[] | BigUint64Array>>();
is<Equal<WriteValue<'as'>, readonly string[]>>();
is<Equal<WriteValue<'(si)'>, readonly [string, number]>>();
is<Equal<WriteValue<'a{sb}'>, Readonly<Record<string, boolean | undefined>> | ReadonlyMap<string, boolean>>>();
is<Equal<WriteValue<'a{us}'>, ReadonlyMap<number, string>>>();

// Values that are read can be written back.
written('a{oa{sa{sv}}}', {} as ReadValue<'a{oa{sa{sv}}}'>);
written('(ayaiat)', [Buffer.from(''), [1], [1n]] as ReadValue<'(ayaiat)'>);
written('a{us}', new Map() as ReadValue<'a{us}'>);
written('a{s(ii)}', { a: [1, 2] });
written('a{sv}', { a: variant.u(5), b: 'text' });
// @ts-expect-error a number is not a string
written('s', 5);
// @ts-expect-error a struct has a fixed length
written('(si)', ['a']);
// @ts-expect-error the value in the dictionary is of another type
written('a{sas}', { a: [1] });
// @ts-expect-error a dictionary by number is written from a Map
written('a{us}', { 1: 'a' });
// @ts-expect-error a typed array must match
written('ai', new Uint8Array(1));
// @ts-expect-error a string is not an array of bytes
written('ay', 'text');
// @ts-expect-error nothing is left out
written('s', undefined);

// Signatures that are known as string only.
is<Equal<ReadValue<string>, unknown>>();
is<Equal<ReadValues<string>, unknown[]>>();
is<Equal<ReadValue<`a${string}`>, unknown>>();
is<Equal<ReadArguments<string>, unknown[]>>();
is<Equal<ReadArguments<readonly string[]>, unknown[]>>();
is<Equal<ReadResult<string>, unknown>>();
is<Equal<ReadResult<string[]>, unknown>>();

// Lists of arguments.
is<Equal<ReadArguments<readonly ['kind:s', 'devices:a{sas}']>, [string, Record<string, string[]>]>>();
is<Equal<ReadArguments<['s', 'a name: with colons:u']>, [string, number]>>();
is<Equal<ReadArguments<'sa{sas}'>, [string, Record<string, string[]>]>>();
is<Equal<ReadArguments<[]>, []>>();
is<Equal<ReadArguments<''>, []>>();
is<Equal<WriteArguments<['data:ay', 'h']>, [readonly number[] | Uint8Array, FileDescriptor | number]>>();

// Results.
is<Equal<ReadResult<[]>, void>>();
is<Equal<ReadResult<''>, void>>();
is<Equal<ReadResult<['result:s']>, string>>();
is<Equal<ReadResult<'as'>, string[]>>();
is<Equal<ReadResult<['s', 'u']>, [string, number]>>();
is<Equal<WriteResult<'su'>, readonly [string, number]>>();
is<Equal<WriteResult<['(su)']>, readonly [string, number]>>();

// As deep and long as the specification allows.
type Arrays32 = ReadValue<'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaas'>;
is<
  Equal<Arrays32[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0], string[]>
>();
type Deep =
  ReadValue<'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa((((((((((((((((((((((((((((((((s))))))))))))))))))))))))))))))))'>;
is<Equal<Deep extends readonly unknown[] ? true : false, true>>();
type Repeat<
  S extends string,
  N extends 15 | 51 | 127,
  Count extends readonly 0[] = [],
  Text extends string = '',
> = Count['length'] extends N ? Text : Repeat<S, N, [...Count, 0], `${Text}${S}`>;
is<Equal<ReadValues<Repeat<'as', 127>>['length'], 127>>();
is<Equal<ReadValues<Repeat<'a{sv}', 51>>['length'], 51>>();
is<Equal<ReadValues<Repeat<'(a{s(ayi)}aaoh)v', 15>>['length'], 30>>();

// Invalid signatures match no value, and the error has the reason.
is<Equal<ReadValue<'z'>, InvalidSignature<'"z" is not a type code here in "z"'>>>();
is<Equal<ReadValue<'a'>, InvalidSignature<'the signature "a" is incomplete'>>>();
is<Equal<ReadValue<'(s'>, InvalidSignature<'the signature "(s" is incomplete'>>>();
is<Equal<ReadValue<'s)'>, InvalidSignature<'")" has no opening bracket in "s)"'>>>();
is<Equal<ReadValue<'()'>, InvalidSignature<'a struct must have a field in "()"'>>>();
is<Equal<ReadValue<'a{vs}'>, InvalidSignature<'the key of a dictionary must be a basic type in "a{vs}"'>>>();
is<Equal<ReadValue<'a{sss}'>, InvalidSignature<'a dictionary entry has a key and one value in "a{sss}"'>>>();
is<Equal<ReadValue<'a{s}'>, InvalidSignature<'"}" is not a type code here in "a{s}"'>>>();
is<Equal<ReadValue<'{sv}'>, InvalidSignature<'"{" is not a type code here in "{sv}"'>>>();
is<Equal<ReadValue<''>, InvalidSignature<'a type is missing'>>>();
is<Equal<ReadValue<'ss'>, InvalidSignature<'"ss" is more than one type'>>>();
is<Equal<ReadArguments<['a:s', 'b:ss']>, [string, InvalidSignature<'"ss" is more than one type'>]>>();
// @ts-expect-error 33 arrays
written('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaas', []);
// @ts-expect-error 33 structs
written('(((((((((((((((((((((((((((((((((s)))))))))))))))))))))))))))))))))', []);
// @ts-expect-error 33 arrays, the last of a dictionary
written('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{sy}', []);
type Within<
  S extends string,
  N extends 32 | 33,
  Count extends readonly 0[] = [],
  Open extends string = '',
  Close extends string = '',
> = Count['length'] extends N
  ? S extends 'a{s'
    ? `${Open}y${Close}`
    : never
  : Within<S, N, [...Count, 0], `${S}${Open}`, `${Close}}`>;
// Counted as by libdbus: consecutive arrays, and braces separately from parentheses.
is<Equal<IsInvalid<ReadValue<'(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(as))'>>, false>>();
is<Equal<IsInvalid<ReadValue<'a{s((((((((((((((((((((((((((((((((y))))))))))))))))))))))))))))))))}'>>, false>>();
is<Equal<IsInvalid<ReadValue<Within<'a{s', 32>>>, false>>();
is<Equal<IsInvalid<ReadValue<Within<'a{s', 33>>>, true>>();
// @ts-expect-error no value fits an invalid signature
written('a{vs}', {});
// @ts-expect-error no value fits an invalid signature
variant('z', 1);

// Lists are checked where they are declared.
is<Equal<ReturnType<typeof declared<['a:s', 'u']>>, [string, number]>>();
declared('');
declared([]);
declared('sa{sv}');
declared(['name:a{sv}', 's']);
declared('s' as string);
// @ts-expect-error an invalid signature in a list
declared(['a:s', 'b:z']);
// @ts-expect-error an argument is one complete type
declared(['ss']);
// @ts-expect-error an invalid signature
declared('a{vs}');
declared('' as Repeat<'sssss', 51>);
// @ts-expect-error 256 characters
declared('' as `${Repeat<'sssss', 51>}s`);
declared(['' as `a:(${Repeat<'y', 127>})`, '' as `b:(${Repeat<'s', 51>})`]);
// @ts-expect-error 256 characters together
declared(['' as `a:(${Repeat<'y', 127>})`, '' as `b:(${Repeat<'y', 51>}${Repeat<'s', 51>}${Repeat<'t', 15>}xxxxxxxx)`]);

// Refined types, if they are correct.
is<Equal<Int64Of<object>, bigint>>();
is<Equal<Int64Of<{ int64: number | bigint }>, number | bigint>>();
is<Equal<Int64Of<{ int64: unknown }>, unknown>>();
declare const text: string;
// @ts-expect-error integers are not read as texts
text satisfies Int64Of<{ int64: string }>;
// @ts-expect-error nor as numbers
5 satisfies Int64Of<{ int64: number }>;

// Refined signatures.
interface Options {
  readonly Name?: string;
}
const options = type<'a{sv}', Options>('a{sv}');
const named = type<'options:a{sv}', Options>('options:a{sv}');
is<Equal<typeof options, Refined<'a{sv}', Options>>>();
is<Equal<ReadValue<typeof options>, Options>>();
is<Equal<WriteValue<typeof options>, Options>>();
is<Equal<ReadArguments<readonly [typeof named, 's']>, [Options, string]>>();
is<Equal<ReadArguments<typeof options>, [Options]>>();
is<Equal<ReadResult<readonly [typeof options]>, Options>>();
is<Equal<ReadValueIn<typeof options, 'wrap'>, Record<string, Variant>>>();
is<Equal<ReadValueIn<typeof options, 'typed'>, Options>>();
declared([named, 'u']);
type<'s', 'on' | 'off'>('s');
type<'v', Options>('v');
// @ts-expect-error the signature must be the one that was refined
type<'a{sv}', Options>('a{ss}');
// @ts-expect-error a number cannot be read as a string
type<'u', string>('u');
// @ts-expect-error the refined type counts
written(options, { Name: 5 });

// Variants.
is<Equal<ReturnType<typeof variant.u>, Variant<'u'>>>();
is<Equal<Variant<'ai'>['value'], readonly number[] | Int32Array>>();
is<Equal<Variant['value'], unknown>>();
const anyVariant: Variant = variant.as(['a']);
variant(anyVariant.signature, anyVariant.value);
is<Equal<InstanceType<typeof Variant<'u'>>, Variant<'u'>>>();
const made = new Variant('u', 5);
is<Equal<typeof made, Variant<'u'>>>();
// @ts-expect-error the value must fit
new Variant('u', '5');
// @ts-expect-error the value must fit
variant.u('5');
// @ts-expect-error the value must fit
variant('a{ss}', { a: 1 });
