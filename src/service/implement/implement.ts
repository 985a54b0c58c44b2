/**
 * `implement`: an object for an interface that was defined as data. The program keeps its functions. Properties that
 * are given as plain values are stored here, and every change of them goes through here.
 */

import { inspect } from 'node:util';
import { type Callable, callableName } from '../../base/called-by-itself.js';
import { InvalidArgumentError, UnknownMethodError, UnknownPropertyError } from '../../base/errors.js';
import { quoted } from '../../base/names.js';
import { suggestion } from '../../base/nearest-name.js';
import { printable } from '../../base/printable.js';
import { describe as describeValue } from '../../codec/misfit.js';
import { report } from '../../diagnostics/problems.js';
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
import type { Access, InterfaceDescription, PropertyDescription } from '../../interface/description.js';
import { checkNotProvided } from '../../interface/reserved-interfaces.js';
import type { ReadValueAs, VariantChoice, WriteArguments, WriteValue } from '../../signature/types.js';
import type { CallContext } from '../calls/call-context.js';
import { type ParametersWithContext, withContext } from '../calls/with-context.js';
import { GENERATOR, isGenerator } from '../class/decoration.js';
import { type Exportable, registerExportable } from '../objects/exportable.js';
import { viewOf } from '../objects/inspection.js';
import { type PropertySource, PropertyStore } from '../properties/property-store.js';
import { type ImplementedProperty, implementedProperty } from './implemented-property.js';

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
  const object = new ImplementedObject(definition, members as Record<string, unknown>);
  const implementation: Implementation & Record<'emit' | 'properties', object> = {
    description: definition.description,
    emit: object.emitters(),
    properties: object.assignableProperties(),
    emitPropertiesChanged: (changes: readonly string[] | Readonly<Record<string, unknown>>) => object.announce(changes),
  };
  Object.defineProperty(implementation, inspect.custom, { value: () => object.view });
  Object.freeze(implementation);
  registerExportable(implementation, object);
  return implementation as ImplementationOf<M, Given>;
}

type Handler = (this: unknown, ...args: readonly unknown[]) => unknown;

class ImplementedObject implements Exportable, PropertySource {
  readonly description: InterfaceDescription;
  readonly properties: PropertyStore;
  readonly isUnsettled = false;
  readonly wrapping: ReadonlySet<string>;
  readonly #members: Record<string, unknown>;
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #implemented: ReadonlyMap<string, ImplementedProperty>;
  readonly #wrappingProperties: ReadonlySet<string>;

  constructor({ description, members: defined }: InterfaceDefinition, members: Record<string, unknown>) {
    checkNotProvided(description.name);
    checkMembers(description, members);
    this.description = description;
    this.#members = members;
    this.properties = new PropertyStore(description, this);
    const methods = [...description.methods.keys()];
    this.wrapping = new Set(methods.filter((name) => defined.methods?.[name]?.variants === 'wrap'));
    this.#handlers = new Map(methods.map((name) => [name, functionOf(name, members[name])]));
    const properties = [...description.properties.values()];
    const wraps = ({ name }: PropertyDescription) => defined.properties?.[name]?.variants === 'wrap';
    this.#wrappingProperties = new Set(properties.filter(wraps).map(({ name }) => name));
    this.#implemented = new Map(
      properties.map((described) => [described.name, implementedProperty(described, members, this.properties)]),
    );
  }

  callMethod(name: string, args: readonly unknown[], context: CallContext): unknown {
    const handler = this.#handlers.get(name);
    if (handler === undefined) throw new UnknownMethodError(`${this.description.name} has no method ${name}`);
    return handler.apply(this.#members, withContext(args, context));
  }

  readProperty(name: string): unknown {
    return this.#property(name).get();
  }

  writeProperty(name: string, value: unknown): unknown {
    return this.#property(name).set(value);
  }

  wrapsProperty(name: string): boolean {
    return this.#wrappingProperties.has(name);
  }

  /** First values were checked when they were passed in. */
  prepare(): void {}

  announce(changes: readonly string[] | Readonly<Record<string, unknown>>): void {
    const names = new Map([...this.description.properties.keys()].map((name) => [name, name]));
    this.properties.announce(names, changes);
  }

  emitters(): object {
    const emitters = Object.create(null);
    for (const name of this.description.signals.keys()) {
      // Not an expression: JavaScriptCore forgets the frame of a function whose result is that of another one.
      const emit = (...values: unknown[]): void => {
        this.properties.places.emitSignal(name, values, emit);
      };
      emitters[callableName(name)] = emit;
    }
    return Object.freeze(emitters);
  }

  assignableProperties(): object {
    const properties = Object.create(null);
    for (const [name, property] of this.#implemented) {
      Object.defineProperty(properties, name, {
        enumerable: true,
        get: () => property.get(),
        set: (value: unknown) => assign(name, property, value),
      });
    }
    return Object.freeze(properties);
  }

  /** What inspection shows: its properties. */
  get view(): object {
    const members: PropertyDescriptorMap = {};
    for (const [name, { access }] of this.description.properties) {
      const { get, set, isKept } = this.#property(name);
      members[name] = isKept
        ? { value: get() }
        : { ...(access !== 'write' && { get }), ...(access !== 'read' && { set }) };
    }
    return viewOf(this, 'Implementation', this, members);
  }

  #property(name: string): ImplementedProperty {
    const property = this.#implemented.get(name);
    if (property === undefined)
      throw new UnknownPropertyError(`${this.description.name} has no property ${quoted(name)}`);
    return property;
  }
}

/** Sets a property without waiting: if the promise rejects, that is reported. */
function assign(name: string, property: ImplementedProperty, value: unknown): void {
  const done = property.set(value);
  if (done instanceof Promise) done.catch((error) => report('handler', `setting the property ${name} failed`, error));
}

function functionOf(name: string, value: unknown): Handler {
  if (isGenerator(value)) throw new InvalidArgumentError(`the method ${name}: ${GENERATOR}`);
  if (typeof value === 'function') return value as Handler;
  throw new InvalidArgumentError(`the method ${name}: expected a function, got ${describeValue(value)}`);
}

function checkMembers({ name, methods, properties }: InterfaceDescription, members: Record<string, unknown>): void {
  if (typeof members !== 'object' || members === null) {
    throw new InvalidArgumentError(
      `members: expected an object with the methods and properties of ${name}, got ${describeValue(members)}`,
    );
  }
  const wanted = [...methods.keys(), ...properties.keys()];
  for (const member of wanted) {
    if (methods.has(member) && properties.has(member)) {
      throw new InvalidArgumentError(`${name} has a method and a property ${member}: use a class with decorators`);
    }
    if (!has(members, member)) throw new InvalidArgumentError(missingMember(name, member, methods.has(member)));
  }
  // A class may have further members. In a plain object an unknown name is a mistake.
  if (Object.getPrototypeOf(members) !== Object.prototype) return;
  for (const member of Object.keys(members)) {
    if (methods.has(member) || properties.has(member)) continue;
    throw new InvalidArgumentError(`${name} has no method or property ${member}${suggestion(member, wanted)}`);
  }
}

function missingMember(name: string, member: string, isMethod: boolean): string {
  const what = isMethod ? 'method' : 'property';
  const cure = isMethod ? 'a function' : 'its first value, or functions { get, set }';
  return `the implementation of ${name} has no ${what} ${printable(member)}: add ${cure}`;
}

/** Whether there is such a member, other than those that every object has (`toString`, `constructor`). */
function has(members: Record<string, unknown>, name: string): boolean {
  return name in members && members[name] !== (Object.prototype as unknown as Record<string, unknown>)[name];
}
