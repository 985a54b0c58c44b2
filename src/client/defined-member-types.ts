/** The members of an interface from its definition, as a client uses them: everything follows from the signatures. */
import type { Callable } from '../called-by-itself.js';
import type { AccessOf, ListOf, Table, TypeOf } from '../service/definitions.js';
import type {
  ReadArgumentsIn,
  Reading,
  ReadResultIn,
  ReadValueIn,
  WriteArguments,
  WriteValue,
} from '../signature/types.js';
import type { MemberTypes } from './proxy-types.js';

type Tuple<Arguments> = Extract<Arguments, readonly unknown[]>;

/** The members of a definition, where values are read in that way. */
export interface DefinedMemberTypes<M, D extends Reading> extends MemberTypes {
  /** Functions as a client calls them. */
  readonly methods: {
    readonly [Name in keyof Table<M, 'methods'> as Callable<Name>]: (
      ...args: Tuple<WriteArguments<ListOf<Table<M, 'methods'>[Name], 'in'>>>
    ) => Promise<ReadResultIn<ListOf<Table<M, 'methods'>[Name], 'out'>, D>>;
  };
  /** The tuple of arguments of each signal. */
  readonly signals: {
    readonly [Name in keyof Table<M, 'signals'> as Callable<Name>]: ReadArgumentsIn<
      ListOf<Table<M, 'signals'>[Name], 'args'>,
      D
    >;
  };
  /** The type of each property that can be read. */
  readonly readable: {
    readonly [Name in keyof Table<M, 'properties'> as AccessOf<Table<M, 'properties'>[Name]> extends 'write'
      ? never
      : Callable<Name>]: ReadValueIn<TypeOf<Table<M, 'properties'>[Name]>, D>;
  };
  /** The type that each property that can be written is written from. */
  readonly writable: {
    readonly [Name in keyof Table<M, 'properties'> as AccessOf<Table<M, 'properties'>[Name]> extends 'read'
      ? never
      : Callable<Name>]: WriteValue<TypeOf<Table<M, 'properties'>[Name]>>;
  };
}
