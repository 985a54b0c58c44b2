/** The members of an interface from its definition, as a client uses them: everything follows from the signatures. */
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
 * The members of a definition, where values are read in that way. Editors find names that are mapped from the definition's own,
 * and lose what is renamed, so that stands apart.
 */
export interface DefinedMemberTypes<M, D extends Reading> extends MemberTypes {
  /** Functions as a client calls them. */
  readonly methods: {
    readonly [Name in keyof Table<M, 'methods'> as Own<Name>]: Called<Table<M, 'methods'>[Name], D>;
  } & {
    readonly [Name in keyof Table<M, 'methods'> & CalledByItself as Callable<Name>]: Called<
      Table<M, 'methods'>[Name],
      D
    >;
  };
  /** The tuple of arguments of each signal. */
  readonly signals: {
    readonly [Name in keyof Table<M, 'signals'> as Own<Name>]: Heard<Table<M, 'signals'>[Name], D>;
  } & {
    readonly [Name in keyof Table<M, 'signals'> & CalledByItself as Callable<Name>]: Heard<
      Table<M, 'signals'>[Name],
      D
    >;
  };
  /** The type of each property that can be read. */
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
  /** The type that each property that can be written is written from. */
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

/** The name, but for a property of that access. */
type Unless<Property, A, Name> = AccessOf<Property> extends A ? never : Name;

type Called<Method, D extends Reading> = (
  ...args: Tuple<WriteArguments<ListOf<Method, 'in'>>>
) => Promise<ReadResultIn<ListOf<Method, 'out'>, D>>;

type Heard<Signal, D extends Reading> = ReadArgumentsIn<ListOf<Signal, 'args'>, D>;
