/** `implement`: an object for an interface that was defined as data. */

import { inspect } from 'node:util';
import type { Callable } from '../../base/called-by-itself.js';
import { InvalidArgumentError } from '../../base/errors.js';
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
import type { ArgumentList } from '../../interface/member-inputs.js';
import type { ReadValueAs, VariantChoice, WriteArguments, WriteValue } from '../../signature/types.js';
import type { CallContext } from '../calls/call-context.js';
import type { ParametersWithContext } from '../calls/with-context.js';
import { registerExportables } from '../objects/exportable.js';
import { Recipient, type SignalDestination, type SignalDestinationOptions } from '../objects/recipient.js';
import type { ImplementedMemberOptions, ImplementOptions, LooseMemberOptions } from '../permits/implemented-rules.js';
import { ImplementedObject } from './implemented-object.js';

/**
 * A property as a pair of functions. Either may return a promise. Values are checked when they are sent. Both get the
 * context of the call last, a call of `Properties` or of an ObjectManager; `undefined` if the program itself reads or
 * assigns the property, and if the value is read for an announcement. The members are properties with functions rather
 * than methods, because the compiler compares the parameters of methods both ways.
 */
type PropertyFunctions<S extends string, A extends Access, V extends VariantChoice = 'plain'> = (A extends 'write'
  ? { readonly get?: undefined }
  : { readonly get: (call: CallContext | undefined) => WriteValue<S> | PromiseLike<WriteValue<S>> }) &
  (A extends 'read'
    ? { readonly set?: undefined }
    : { readonly set: (value: ReadValueAs<S, V>, call: CallContext | undefined) => void | PromiseLike<void> });

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

/** The functions that emit the signals of an interface. */
type Emitters<M extends InterfaceMembers> = {
  readonly [Name in keyof Table<M, 'signals'> as Callable<Name>]: Emitter<ListOf<Table<M, 'signals'>[Name], 'args'>>;
};

/** Sends signals to one connection. */
export interface DirectedSignals<M extends InterfaceMembers> {
  /** As `emit` of the implementation, for one receiver. */
  readonly emit: Emitters<M>;
}

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
  readonly emit: Emitters<M>;
  /**
   * Returns the signals as functions that send them to one connection, as {@link ServiceInterface.signalsTo} does.
   *
   * @example
   * ```ts
   * const module = implement(Module, {
   *   TestMethod(_kind, _devices, call) {
   *     module.to(call).emit.TestSignal({ vm: 'up' });
   *     return 'Success';
   *   },
   *   TestProperty: {},
   * });
   * ```
   * @throws {@link InvalidArgumentError} as {@link ServiceInterface.signalsTo} does
   */
  to(destination: SignalDestination, options?: SignalDestinationOptions): DirectedSignals<M>;
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

/** The type that reading a property returns and assigning it accepts. A `Map` has a `get` as well, and a `size`. */
type HeldBy<P, Given> = Given extends { readonly get: (...args: never[]) => infer Value; readonly size?: undefined }
  ? WriteValue<TypeOf<P>> | Value
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
 * A member of an interface that is only known at run time: a function, the first value of a property, or its functions.
 */
type LooseMember = ((...args: unknown[]) => unknown) | object | string | number | bigint | boolean | null | undefined;

/** The members of an interface that is only known at run time. */
export interface LooseMembers {
  /** By their D-Bus names. */
  readonly [name: string]: LooseMember;
}

/** An implementation of an interface that is only known at run time. */
export interface LooseImplementation extends Implementation {
  /** As `emit` of {@link ImplementationOf}. The types of values are only checked at run time. */
  readonly emit: Readonly<Record<string, (...values: unknown[]) => void>>;
  /** The properties, as those of {@link ImplementationOf}. */
  readonly properties: Record<string, unknown>;
  /** Sends signals to one connection, as {@link ServiceInterface.signalsTo} does. */
  to(destination: SignalDestination, options?: SignalDestinationOptions): Pick<LooseImplementation, 'emit'>;
}

/**
 * Makes an object that can be exported, for an interface that {@link defineInterface} made, or for one of those that
 * {@link parseIntrospection} returns, which is typed loosely.
 *
 * @param members for each method a function; for each property its first value, or `{ get, set }`, which may be
 * asynchronous
 * @param options which callers may use the members, in which order the handlers run, and which values properties accept
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
 * type; if a method and a property have the same name, which only a decorated class can implement; or if introspection
 * data has several methods of one name
 */
export function implement(
  description: InterfaceDescription,
  members: LooseMembers,
  options?: ImplementOptions<LooseMemberOptions>,
): LooseImplementation;
export function implement<
  const M extends InterfaceMembers,
  const Given extends ImplementationMembers<M> & NoOthers<M, Given>,
>(
  definition: InterfaceDefinition<string, M>,
  members: Given & ThisType<GivenAsThis<M>>,
  options?: ImplementOptions<ImplementedMemberOptions<M>>,
): ImplementationOf<M, Given>;
export function implement(
  given: InterfaceDefinition | InterfaceDescription,
  members: object,
  options?: ImplementOptions<object>,
): object {
  return new ImplementationHandle(new ImplementedObject(definitionOf(given), members, options));
}

/** The definitions for descriptions, so that the objects of one description share what they can. */
const definitions = new WeakMap<InterfaceDescription, InterfaceDefinition>();

function definitionOf(given: InterfaceDefinition | InterfaceDescription): InterfaceDefinition {
  if (typeof given !== 'object' || given === null) throw noDefinition();
  if ('description' in given && given.description !== undefined) return given;
  const description = given as InterfaceDescription;
  const { name, methods, signals, properties } = description;
  if (!(methods instanceof Map && signals instanceof Map && properties instanceof Map)) throw noDefinition();
  for (const [key, method] of methods) {
    if (key !== method.name)
      throw new InvalidArgumentError(`${name} has several methods ${method.name}, which a service cannot have`);
  }
  const known = definitions.get(description) ?? { name, members: {}, description };
  definitions.set(description, known);
  return known;
}

function noDefinition(): InvalidArgumentError {
  return new InvalidArgumentError(
    'definition: expected the result of defineInterface(), or one of the interfaces that parseIntrospection() returns',
  );
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

  to(destination: SignalDestination, options: SignalDestinationOptions = {}): { readonly emit: object } {
    return Object.freeze({ emit: this.#object.makeEmitters(new Recipient(destination, options)) });
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
