/**
 * The types that follow from the definition of an interface. Argument lists and signatures are literal types there, so
 * the compiler parses them as well; `build.ts` parses them at run time.
 */

import type { InvalidName, ValidMemberName } from '../base/name-grammar.js';
import type { IsShort } from '../base/text-length.js';
import type { ReadArgumentsAs, ValidArguments, ValidType, VariantChoice, WriteResult } from '../signature/types.js';
import type { Access } from './description.js';
import type { ArgumentList, MethodInput, PropertyInput, SignalInput } from './member-inputs.js';

/** The members of an interface, by their D-Bus names. */
export interface InterfaceMembers {
  /** Methods, by their D-Bus names. */
  readonly methods?: { readonly [name: string]: MethodInput };
  /** Signals, by their D-Bus names. */
  readonly signals?: { readonly [name: string]: SignalInput };
  /** Properties, by their D-Bus names. */
  readonly properties?: { readonly [name: string]: PropertyInput };
  /** What the interface is for, for the introspection data. */
  readonly docs?: string | undefined;
  /** Annotations of the interface for the introspection data, by name. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The members of one kind; none if the definition has no table for it. */
export type Table<M, Kind extends keyof OptionsByKind> = M extends { readonly [K in Kind]: infer T }
  ? T
  : Record<never, never>;

/** The list under a key of a definition; an empty list if there is none. */
export type ListOf<Definition, Key extends string> = Definition extends {
  readonly [K in Key]: infer List extends ArgumentList;
}
  ? List
  : '';

/** The signature of a property. */
export type TypeOf<Definition> = Definition extends { readonly type: infer S extends string } ? S : string;

/** The access of a property, or the default if the definition has none. */
export type AccessOf<Definition> = Definition extends { readonly access: infer A extends Access } ? A : 'readwrite';

/** How the service reads the variants of a member. */
export type VariantsOf<Definition> = Definition extends { readonly variants: infer V extends VariantChoice }
  ? V
  : 'plain';

/** A type that no value fits, for an option or a kind of member that does not exist. */
interface UnknownOption<Known extends PropertyKey> {
  readonly unknownOption: never;
  readonly known: Known;
}

/** A type that no value fits, for options that exclude one another. */
interface Excluded<Cure extends string> {
  readonly excluded: never;
  readonly cure: Cure;
}

/** Whether a method with these results may be one without a reply. */
export type NoReply<O extends ArgumentList> = O extends '' | readonly []
  ? boolean
  : string extends O
    ? boolean
    : false | Excluded<'a method without a reply has no "out"'>;

/** The options of each kind of member. */
interface OptionsByKind {
  readonly methods: MethodInput;
  readonly signals: SignalInput;
  readonly properties: PropertyInput;
}

/**
 * Members whose names, options and signatures are all valid keep their type. Any other member becomes a type that no
 * value fits.
 */
type ValidMembers<M> = {
  readonly [Kind in keyof M]: Kind extends 'docs' | 'annotations'
    ? M[Kind]
    : Kind extends keyof OptionsByKind
      ? {
          readonly [Name in keyof M[Kind]]: ValidName<Kind, Name> extends infer Reason extends InvalidName<string>
            ? Reason
            : {
                readonly [Key in keyof M[Kind][Name]]: Key extends keyof OptionsByKind[Kind]
                  ? ValidOption<Key, M[Kind][Name][Key], M[Kind][Name]>
                  : UnknownOption<keyof OptionsByKind[Kind]>;
              };
        }
      : UnknownOption<keyof InterfaceMembers>;
};

/** The names of properties are free text, but not empty. */
type ValidName<Kind, Name> = Name extends string
  ? Kind extends 'properties'
    ? Name extends ''
      ? InvalidName<'a property name cannot be empty'>
      : Name
    : ValidMemberName<Name>
  : Name;

type ValidOption<Key, Value, Options> = Key extends 'in' | 'out' | 'args'
  ? Value extends ArgumentList
    ? ValidArguments<Value>
    : Value
  : Key extends 'type'
    ? Value extends string
      ? ValidType<Value>
      : Value
    : Key extends 'noReply'
      ? NoReply<ListOf<Options, 'out'>> | undefined
      : Key extends 'emits'
        ? Value extends 'const'
          ? AccessOf<Options> extends 'readwrite'
            ? Excluded<'"emits" is "const", but clients can set it: set "access" to "read"'>
            : Value
          : Value
        : Key extends 'returns'
          ? ValidReturns<Value, OutTypes<ListOf<Options, 'out'>>>
          : Value;

/** The types of results, without their names; the text of several types in one is not split. */
type OutTypes<List extends ArgumentList> = List extends readonly string[]
  ? { readonly [Index in keyof List]: List[Index] extends `${string}:${infer Type}` ? Type : List[Index] }
  : readonly [List];

/** Interfaces for results that are paths. A list that is not literal is checked at run time. */
type ValidReturns<Value, Types> = Value extends readonly unknown[]
  ? { readonly [Index in keyof Value]: Index extends keyof Types ? ValidReturn<Value[Index], Types[Index]> : never }
  : Types extends readonly [infer Type]
    ? ValidReturn<Value, Type>
    : Value;

type ValidReturn<Value, Type> = Value extends undefined
  ? Value
  : string extends Type
    ? Value
    : Type extends 'o' | 'ao'
      ? Value
      : Excluded<'"returns" names the interface of a result of type "o" or "ao"'>;

/**
 * What the argument of a definition has to be: what it is if nothing in it is doubtful, else {@link ValidMembers}, which
 * names each fault in its place. To compare a definition with that takes several times as long as to collect doubts,
 * and most definitions have none. The mapped type keeps texts literal in members that are spread into a table.
 */
export type CheckedMembers<M> = { readonly [Kind in keyof M]: M[Kind] } & ([Doubts<M>] extends [never]
  ? unknown
  : ValidMembers<M>);

/** What may be invalid, and everything that is; `never` if nothing may be. Members are looked at together, as unions. */
type Doubts<M> =
  | Exclude<keyof M, keyof InterfaceMembers>
  | DoubtsOfCalls<Table<M, 'methods'>, Exclude<keyof MethodInput, 'noReply' | 'returns'>>
  | DoubtsOfCalls<Table<M, 'signals'>, keyof SignalInput>
  | DoubtsOfProperties<Table<M, 'properties'>>;

type DoubtsOfCalls<T, Known> =
  | DoubtfulName<keyof T>
  | Exclude<KeysOf<T[keyof T]>, Known>
  | DoubtfulLists<ListsOf<T[keyof T]>>;

type DoubtsOfProperties<T> =
  | DoubtfulPropertyName<keyof T>
  | Exclude<KeysOf<T[keyof T]>, keyof PropertyInput>
  | Extract<T[keyof T], { readonly emits: 'const'; readonly access?: 'readwrite' | undefined }>
  | (T[keyof T] extends { readonly type: infer S } ? DoubtfulType<S> : T);

type KeysOf<Options> = Options extends unknown ? keyof Options : never;

type ListsOf<Options> =
  | (Options extends { readonly in: infer List } ? List : never)
  | (Options extends { readonly out: infer List } ? List : never)
  | (Options extends { readonly args: infer List } ? List : never);

type DoubtfulName<Name> = Name extends string ? (Name extends ValidMemberName<Name> ? never : Name) : Name;
type DoubtfulPropertyName<Name> = [Name] extends [string] ? Extract<Name, ''> : Name;

/** Seven short signatures are not too long together. */
type DoubtfulLists<List> = [List] extends [readonly string[]]
  ? [DoubtfulArgument<List[number]>, List['length']] extends [never, 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7]
    ? never
    : InvalidList<List>
  : InvalidList<List>;

type InvalidList<List> = List extends ArgumentList ? (List extends ValidArguments<List> ? never : List) : List;

type DoubtfulArgument<A extends string> = A extends `${string}:${infer S}` ? DoubtfulShort<S> : DoubtfulShort<A>;
type DoubtfulShort<S extends string> = IsShort<S> extends true ? DoubtfulType<S> : S;
type DoubtfulType<S> = S extends string ? (S extends ValidType<S> ? never : S) : S;

/** The parameters of a service's method. */
export type HandlerParameters<I extends ArgumentList, V extends VariantChoice = 'plain'> = Extract<
  ReadArgumentsAs<I, V>,
  readonly unknown[]
>;

/** The values that a service's method may return: its result, or a promise of it. */
export type HandlerResult<O extends ArgumentList> =
  WriteResult<O> extends infer Result ? Result | PromiseLike<Result> : never;
