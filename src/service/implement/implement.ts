/** `implement`: an object for an interface that was defined as data. */

import { inspect } from 'node:util';
import type { Callable } from '../../base/called-by-itself.js';
import { InvalidArgumentError } from '../../base/errors.js';
import type { ArgumentList } from '../../interface/build.js';
import type { InterfaceDefinition } from '../../interface/define-interface.js';
import type {
  AccessOf,
  HandlerParameters,
  HandlerResult,
  InterfaceMembers,
  ListOf,
  Table,
  TypeOf,
  VariantsOf,
} from '../../interface/definitions.js';
import type { Access, InterfaceDescription } from '../../interface/description.js';
import type { ReadValueAs, VariantChoice, WriteArguments, WriteValue } from '../../signature/types.js';
import type { CallContext } from '../calls/call-context.js';
import type { ParametersWithContext } from '../calls/with-context.js';
import { registerExportables } from '../objects/exportable.js';
import { ImplementedObject } from './implemented-object.js';

/**
 * A property as a pair of functions. Either may return a promise. Values are checked when they are sent. The members
 * are properties with functions rather than methods, because the compiler compares the parameters of methods both ways.
 */
type PropertyFunctions<S extends string, A extends Access, V extends VariantChoice = 'plain'> = (A extends 'write'
  ? { readonly get?: undefined }
  : { readonly get: () => WriteValue<S> | PromiseLike<WriteValue<S>> }) &
  (A extends 'read'
    ? { readonly set?: undefined }
    : { readonly set: (value: ReadValueAs<S, V>) => void | PromiseLike<void> });

/** A property as `implement` takes it: its first value, or functions. */
type ImplementedBy<P> = WriteValue<TypeOf<P>> | PropertyFunctions<TypeOf<P>, AccessOf<P>, VariantsOf<P>>;

/**
 * The members that an implementation needs: for each method a function, which gets the arguments and then the call's
 * {@link CallContext}; for each property its first value, or functions to get and set it.
 */
export type ImplementationMembers<M extends InterfaceMembers> = {
  readonly [Name in keyof Table<M, 'methods'>]: (
    ...args: ParametersWithContext<ListOf<Table<M, 'methods'>[Name], 'in'>, VariantsOf<Table<M, 'methods'>[Name]>>
  ) => HandlerResult<ListOf<Table<M, 'methods'>[Name], 'out'>>;
} & {
  readonly [Name in keyof Table<M, 'properties'>]: ImplementedBy<Table<M, 'properties'>[Name]>;
};

/** `this` in the given functions: the given object, whose functions may be called without a context. */
type GivenAsThis<M extends InterfaceMembers> = {
  [Name in keyof Table<M, 'methods'>]: (
    ...args: [
      ...HandlerParameters<ListOf<Table<M, 'methods'>[Name], 'in'>, VariantsOf<Table<M, 'methods'>[Name]>>,
      context?: CallContext,
    ]
  ) => HandlerResult<ListOf<Table<M, 'methods'>[Name], 'out'>>;
} & {
  [Name in keyof Table<M, 'properties'>]: ImplementedBy<Table<M, 'properties'>[Name]>;
};

/** A type that no value fits, for a member that the interface does not have. */
interface NoSuchMember<Known extends PropertyKey> {
  readonly noSuchMember: never;
  readonly known: Known;
}

/**
 * The type of members that the interface does not have: no value fits it. For a table with any names nothing is known.
 */
type NoOthers<M extends InterfaceMembers, Given> = string extends keyof Given
  ? unknown
  : {
      readonly [Name in Exclude<keyof Given, keyof ImplementationMembers<M>>]: NoSuchMember<
        keyof ImplementationMembers<M>
      >;
    };

/** Emits a signal. */
type Emitter<Args extends ArgumentList> = (...args: Extract<WriteArguments<Args>, readonly unknown[]>) => void;

/** The result of {@link implement} for any interface. It can be exported. */
export interface Implementation {
  /** The interface. */
  readonly description: InterfaceDescription;
  /** Does the same as {@link ServiceInterface.emitPropertiesChanged}, for values that change without an assignment. */
  emitPropertiesChanged(changes: readonly string[] | Readonly<Record<string, unknown>>): void;
}

/** An implementation with the members of its interface. */
export interface ImplementationOf<M extends InterfaceMembers, Given = ImplementationMembers<M>>
  extends Omit<Implementation, 'emitPropertiesChanged'> {
  /**
   * Emits a signal from every path and connection at which the object is exported.
   *
   * @throws {@link InvalidArgumentError} if a value has the wrong type
   */
  readonly emit: {
    readonly [Name in keyof Table<M, 'signals'> as Callable<Name>]: Emitter<ListOf<Table<M, 'signals'>[Name], 'args'>>;
  };
  /**
   * The properties. Reading returns the assigned value or the result of `get`; `undefined` if there is only `set`.
   * Assigning emits PropertiesChanged as the property's `emits` says.
   */
  readonly properties: {
    -readonly [Name in keyof Table<M, 'properties'>]: HeldBy<Table<M, 'properties'>[Name], GivenFor<Given, Name>>;
  };
  /** Does the same as {@link ServiceInterface.emitPropertiesChanged}, for values that change without an assignment. */
  emitPropertiesChanged(
    changes:
      | readonly Emitting<M>[]
      | {
          readonly [Name in keyof Table<M, 'properties'> as Extract<Name, Emitting<M>>]?: WriteValue<
            TypeOf<Table<M, 'properties'>[Name]>
          >;
        },
  ): void;
}

type GivenFor<Given, Name> = Name extends keyof Given ? Given[Name] : unknown;

/** The type that reading a property returns and assigning it accepts. */
type HeldBy<P, Given> = Given extends { readonly get: () => infer Value }
  ? Given extends ReadonlyMap<never, unknown>
    ? WriteValue<TypeOf<P>>
    : WriteValue<TypeOf<P>> | Value
  : Given extends { readonly get?: undefined; readonly set: (value: never) => unknown }
    ? WriteValue<TypeOf<P>> | undefined
    : WriteValue<TypeOf<P>>;

/** The properties whose changes are announced. */
type Emitting<M> = {
  [Name in keyof Table<M, 'properties'>]: Table<M, 'properties'>[Name] extends { readonly emits: false | 'const' }
    ? never
    : Name;
}[keyof Table<M, 'properties'>] extends infer Names extends PropertyKey
  ? Names
  : never;

/**
 * Makes an object that can be exported, for an interface that {@link defineInterface} made.
 *
 * @param members for each method a function; for each property its first value, or `{ get, set }`, which may be
 * asynchronous
 *
 * @example
 * ```ts
 * const module = implement(Module, {
 *   async TestMethod(kind, devices) { return 'Success'; },
 *   TestProperty: {},
 * });
 * bus.export('/org/example/dbustest', module);
 * module.emit.TestSignal({ vm: 'up' });
 * module.properties.TestProperty = { vm: 'up' };
 * ```
 *
 * @throws {@link InvalidArgumentError} if a member is missing, is of the wrong kind, or its first value has the wrong
 * type; or if a method and a property have the same name, which only a decorated class can implement
 */
export function implement<
  const M extends InterfaceMembers,
  const Given extends ImplementationMembers<M> & NoOthers<M, Given>,
>(definition: InterfaceDefinition<string, M>, members: Given & ThisType<GivenAsThis<M>>): ImplementationOf<M, Given> {
  if (typeof definition !== 'object' || definition === null || definition.description === undefined) {
    throw new InvalidArgumentError('definition: expected the result of defineInterface()');
  }
  return new ImplementationHandle(new ImplementedObject(definition, members)) as unknown as ImplementationOf<M, Given>;
}

class ImplementationHandle implements Implementation {
  readonly #object: ImplementedObject;

  constructor(object: ImplementedObject) {
    this.#object = object;
    Object.freeze(this);
  }

  static {
    registerExportables(ImplementationHandle.prototype, (object) => {
      try {
        return (object as ImplementationHandle).#object;
      } catch {
        return undefined;
      }
    });
  }

  get description(): InterfaceDescription {
    return this.#object.description;
  }

  get emit(): object {
    return this.#object.emitters;
  }

  get properties(): object {
    return this.#object.assignableProperties;
  }

  emitPropertiesChanged(changes: readonly string[] | Readonly<Record<string, unknown>>): void {
    this.#object.announce(changes);
  }

  get [inspect.custom](): () => object {
    return () => this.#object.view;
  }
}
