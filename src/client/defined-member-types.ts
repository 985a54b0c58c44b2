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
 */
export interface DefinedMemberTypes<M, D extends Reading> extends MemberTypes {
  readonly methods: {
    readonly [Name in keyof Table<M, 'methods'> as Own<Name>]: Called<Table<M, 'methods'>[Name], D>;
  } & {
    readonly [Name in keyof Table<M, 'methods'> & CalledByItself as Callable<Name>]: Called<
      Table<M, 'methods'>[Name],
      D
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

type Called<Method, D extends Reading> = (
  ...args: Tuple<WriteArguments<ListOf<Method, 'in'>>>
) => Promise<ReadResultIn<ListOf<Method, 'out'>, D>>;

type Heard<Signal, D extends Reading> = ReadArgumentsIn<ListOf<Signal, 'args'>, D>;
