/** The members of an interface as a client uses them, from its definition. All types follow from the signatures. */
import type { Callable, CalledByItself } from '../base/called-by-itself.js';
import type { AccessOf, ListOf, Table, TypeOf } from '../interface/definitions.js';
import type {
  ReadArgumentsIn,
  Reading,
  ReadResultIn,
  ReadValueIn,
  WriteArguments,
  WriteValue,
} from '../signature/types.js';
import type { MemberTypes } from './member-types.js';

type Tuple<Arguments> = Extract<Arguments, readonly unknown[]>;

/**
 * The members of a definition, with values read as `D` says. Names are mapped from the names in the definition, so that
 * editors find them. Editors lose renamed members, so those are mapped apart.
 *
 * @typeParam P makes the type of a proxy, which is made from these types
 */
export interface DefinedMemberTypes<M, D extends Reading, P extends ProxyMaker> extends MemberTypes {
  readonly methods: {
    readonly [Name in keyof Table<M, 'methods'> as Own<Name>]: Called<Table<M, 'methods'>[Name], D, P>;
  } & {
    readonly [Name in keyof Table<M, 'methods'> & CalledByItself as Callable<Name>]: Called<
      Table<M, 'methods'>[Name],
      D,
      P
    >;
  };
  /** The arguments of each signal, as a tuple. */
  readonly signals: {
    readonly [Name in keyof Table<M, 'signals'> as Own<Name>]: Heard<Table<M, 'signals'>[Name], D>;
  } & {
    readonly [Name in keyof Table<M, 'signals'> & CalledByItself as Callable<Name>]: Heard<
      Table<M, 'signals'>[Name],
      D
    >;
  };
  /** The types of readable properties. */
  readonly readable: {
    readonly [Name in keyof Properties<M> as Unless<Properties<M>[Name], 'write', Own<Name>>]: ReadValueIn<
      TypeOf<Properties<M>[Name]>,
      D
    >;
  } & {
    readonly [Name in keyof Properties<M> & CalledByItself as Unless<
      Properties<M>[Name],
      'write',
      Callable<Name>
    >]: ReadValueIn<TypeOf<Properties<M>[Name]>, D>;
  };
  /** The types that writable properties accept. */
  readonly writable: {
    readonly [Name in keyof Properties<M> as Unless<Properties<M>[Name], 'read', Own<Name>>]: WriteValue<
      TypeOf<Properties<M>[Name]>
    >;
  } & {
    readonly [Name in keyof Properties<M> & CalledByItself as Unless<
      Properties<M>[Name],
      'read',
      Callable<Name>
    >]: WriteValue<TypeOf<Properties<M>[Name]>>;
  };
}

type Properties<M> = Table<M, 'properties'>;

type Own<Name> = Name extends CalledByItself ? never : Name;

/** The name, unless the property has that access. */
type Unless<Property, A, Name> = AccessOf<Property> extends A ? never : Name;

type Called<Method, D extends Reading, P extends ProxyMaker> = (
  ...args: Tuple<WriteArguments<ListOf<Method, 'in'>>>
) => Promise<
  Method extends { readonly returns: infer Returned }
    ? Objects<ReadResultIn<ListOf<Method, 'out'>, D>, Returned, P>
    : ReadResultIn<ListOf<Method, 'out'>, D>
>;

/** The results of a method, with proxies in place of the paths whose interfaces are known. */
type Objects<Result, Returned, P extends ProxyMaker> = Returned extends readonly unknown[]
  ? Returned extends readonly [infer Only]
    ? ObjectOf<Result, Only, P>
    : { [Index in keyof Result]: Index extends keyof Returned ? ObjectOf<Result[Index], Returned[Index], P> : never }
  : ObjectOf<Result, Returned, P>;

type ObjectOf<Paths, Returned, P extends ProxyMaker> = Returned extends undefined
  ? Paths
  : Paths extends readonly unknown[]
    ? ProxyFor<Returned, P>[]
    : ProxyFor<Returned, P>;

type ProxyFor<Returned, P extends ProxyMaker> = (P & { readonly of: Returned })['proxy'];

/** Makes the type `proxy` from `of`, the interface. The file that has the type of proxies extends it. */
export interface ProxyMaker {
  readonly of: unknown;
  readonly proxy: unknown;
}

type Heard<Signal, D extends Reading> = ReadArgumentsIn<ListOf<Signal, 'args'>, D>;
