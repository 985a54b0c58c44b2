/**
 * The types of proxies: what `call`, `on`, `get`, `set` and the others of a proxy have, from a service class, from a
 * definition, or loosely from a description that is only known at run time. There is no code here; `proxy.ts` makes
 * the objects.
 *
 * From a class, the members' own types tell what they are: a function is a method, one that returns `Emits<…>` is a
 * signal, anything else is a property, without `set` if it has no setter. Decorators are invisible to types, so a public
 * function without a decorator cannot be told from a method; make it `protected` or `private` to keep it off the proxy.
 */
import type { CallOptions } from '../bus/requests.js';
import type { Subscription } from '../bus/subscription.js';
import type { CallContext } from '../service/call-context.js';
import type { InterfaceDefinition } from '../service/define-interface.js';
import type { AccessOf, InterfaceMembers, ListOf, Table, TypeOf } from '../service/definitions.js';
import type { SignalArguments } from '../service/emits.js';
import type { ServiceInterface, ServiceInterfaceClass } from '../service/service-interface.js';
import type { ReadArguments, ReadResult, ReadValue, WriteArguments, WriteValue } from '../signature/types.js';
import type { WatchOptions } from './signal-queue.js';

/** The members of an interface as types, whatever it was described by. */
export interface MemberTypes {
  /** Functions as a client calls them. */
  readonly methods: object;
  /** The tuple of arguments of each signal. */
  readonly signals: object;
  /** The type of each property that can be read. */
  readonly readable: object;
  /** The type that each property that can be written is written from. */
  readonly writable: object;
}

/**
 * The proxy for an interface: of a `ServiceInterface` class (`typeof TestModule`, or `TestModule`), of a definition
 * (`typeof Module`), or of a description, which is typed loosely.
 *
 * @example
 * ```ts
 * const module: ProxyOf<typeof TestModule> = bus.proxy(TestModule, 'org.example.dbustest', '/org/example/dbustest');
 * ```
 */
export type ProxyOf<T> = InterfaceProxy<MemberTypesOf<T>>;

/** The members of what an interface was described by. */
type MemberTypesOf<T> =
  T extends ServiceInterfaceClass<infer Instance>
    ? ClassMemberTypes<Instance>
    : T extends ServiceInterface
      ? ClassMemberTypes<T>
      : T extends InterfaceDefinition<string, infer M>
        ? InterfaceMembers extends M
          ? LooseMemberTypes
          : DefinedMemberTypes<M>
        : LooseMemberTypes;

/** One interface of somebody else's object. Members are sorted by what is done with them, under their D-Bus names. */
export interface InterfaceProxy<M extends MemberTypes = LooseMemberTypes> {
  /** The name of the connection that has the object; `undefined` where it was left out, between peers. */
  readonly destination: string | undefined;
  /** The object's path. */
  readonly path: string;
  /** The interface's name. */
  readonly interface: string;
  /**
   * Calls a method. Resolves with nothing, the value, or a tuple of the values of the reply.
   *
   * @throws (rejects) {@link DBusError} what the peer answered; {@link TimeoutError}, {@link ConnectionClosedError}, or
   * the abort signal's reason if it did not answer; {@link InvalidArgumentError} if an argument does not fit, and
   * then nothing was sent
   */
  readonly call: { readonly [Name in keyof M['methods']]: M['methods'][Name] };
  /** Listens to a signal, with a function that gets its arguments. */
  readonly on: { readonly [Name in keyof M['signals']]: Listen<M['signals'][Name]> };
  /** Waits for the next signal, and resolves with the tuple of its arguments. */
  readonly once: { readonly [Name in keyof M['signals']]: Once<M['signals'][Name]> };
  /** Iterates over signals from now on: `for await (const [first, second] of proxy.watch.Name())`. */
  readonly watch: { readonly [Name in keyof M['signals']]: Watch<M['signals'][Name]> };
  /** Reads a property. */
  readonly get: { readonly [Name in keyof M['readable']]: () => Promise<M['readable'][Name]> };
  /** Writes a property; resolves when the peer has. */
  readonly set: { readonly [Name in keyof M['writable']]: (value: M['writable'][Name]) => Promise<void> };
  /** Reads all properties at once. A peer leaves out those that it cannot tell just now. */
  getAll(): Promise<Partial<M['readable']>>;
  /**
   * Listens to changes of this interface's properties.
   *
   * @param listener gets the new values, and the names of properties of which the peer only tells that they changed
   */
  onChange(listener: ChangeListener<M['readable']>): Subscription;
  /** The same proxy with other options for its calls; those not given stay as they are. */
  with(options: ProxyOptions): InterfaceProxy<M>;
}

/** How a proxy calls, and how it decodes what it gets. Types of values are those of the defaults. */
export interface ProxyOptions extends CallOptions {
  /** `'wrap'`: variants are read as `Variant`, losslessly; `'plain'` (if left out): as the value in them. */
  readonly variants?: 'plain' | 'wrap' | undefined;
  /** `true`: arrays of numbers are read as typed arrays. */
  readonly typedArrays?: boolean | undefined;
}

/** Gets the properties that have new values, and the names of those that only told that they changed. */
export type ChangeListener<Properties> = (
  changed: Partial<Properties>,
  invalidated: readonly (keyof Properties & string)[],
) => void;

type Tuple<Arguments> = Extract<Arguments, readonly unknown[]>;

/** Subscribes a function to a signal. Signals of a well-known name are delivered if they come from its owner. */
export type Listen<Arguments> = (listener: (...args: Tuple<Arguments>) => unknown) => Subscription;

/** @see {@link InterfaceProxy.once}; aborting rejects with the abort signal's reason */
export type Once<Arguments> = (options?: { readonly signal?: AbortSignal }) => Promise<Tuple<Arguments>>;

/** Begins to collect signals at once, for a loop to take them. */
export type Watch<Arguments> = (options?: WatchOptions) => SignalWatch<Tuple<Arguments>>;

/** Signals to iterate over. Leaving the loop, disposing (`using`), or the end of the connection ends it. */
export interface SignalWatch<Arguments extends readonly unknown[]>
  extends AsyncIterableIterator<Arguments>,
    Disposable {
  /** How many signals were dropped because the loop was too slow. */
  readonly dropped: number;
}

/** The members of an interface that is only known at run time. Results are what the caller says they are. */
export interface LooseMemberTypes {
  /** Any method, with any arguments. */
  readonly methods: { readonly [name: string]: <Result = unknown>(...args: readonly unknown[]) => Promise<Result> };
  /** Any signal. */
  readonly signals: { readonly [name: string]: unknown[] };
  /** Any property. */
  readonly readable: { readonly [name: string]: unknown };
  /** Any property. */
  readonly writable: { readonly [name: string]: unknown };
}

/** The members of an interface from its definition. */
interface DefinedMemberTypes<M> extends MemberTypes {
  /** Functions as a client calls them. */
  readonly methods: {
    readonly [Name in keyof Table<M, 'methods'>]: (
      ...args: Tuple<WriteArguments<ListOf<Table<M, 'methods'>[Name], 'in'>>>
    ) => Promise<ReadResult<ListOf<Table<M, 'methods'>[Name], 'out'>>>;
  };
  /** The tuple of arguments of each signal. */
  readonly signals: {
    readonly [Name in keyof Table<M, 'signals'>]: ReadArguments<ListOf<Table<M, 'signals'>[Name], 'args'>>;
  };
  /** The type of each property that can be read. */
  readonly readable: {
    readonly [Name in keyof Table<M, 'properties'> as AccessOf<Table<M, 'properties'>[Name]> extends 'write'
      ? never
      : Name]: ReadValue<TypeOf<Table<M, 'properties'>[Name]>>;
  };
  /** The type that each property that can be written is written from. */
  readonly writable: {
    readonly [Name in keyof Table<M, 'properties'> as AccessOf<Table<M, 'properties'>[Name]> extends 'read'
      ? never
      : Name]: WriteValue<TypeOf<Table<M, 'properties'>[Name]>>;
  };
}

/** The members of an interface from the class that implements it. */
interface ClassMemberTypes<T> extends MemberTypes {
  /** Functions as a client calls them. */
  readonly methods: {
    readonly [Name in OwnKeys<T> as KindOf<T[Name]> extends 'method' ? Name : never]: Called<T[Name]>;
  };
  /** The tuple of arguments of each signal. */
  readonly signals: {
    readonly [Name in OwnKeys<T> as KindOf<T[Name]> extends 'signal' ? Name : never]: SignalArguments<T[Name]>;
  };
  /** The type of each property that can be read. */
  readonly readable: { readonly [Name in OwnKeys<T> as KindOf<T[Name]> extends 'property' ? Name : never]: T[Name] };
  /** The type that each property that can be written is written from. */
  readonly writable: {
    readonly [Name in OwnKeys<T> as KindOf<T[Name]> extends 'property'
      ? IsReadonly<T, Name> extends true
        ? never
        : Name
      : never]: T[Name];
  };
}

/** What the class adds to `ServiceInterface`. */
type OwnKeys<T> = Exclude<keyof T & string, keyof ServiceInterface>;

type KindOf<Value> = Value extends (...args: never) => unknown
  ? [SignalArguments<Value>] extends [never]
    ? 'method'
    : 'signal'
  : 'property';

/** A method as it is called from elsewhere: without the context, and with a promise of the result. */
type Called<F> = F extends (...args: infer Parameters) => infer Result
  ? (...args: WithoutContext<Parameters>) => Promise<Awaited<Result>>
  : never;

type WithoutContext<Parameters extends readonly unknown[]> = Parameters extends [...infer Others, CallContext]
  ? Others
  : Parameters;

/** Whether a member can be assigned: types that differ in `readonly` alone are only told apart as type parameters' bounds. */
type IsReadonly<T, Name extends keyof T> =
  Same<{ [K in Name]: T[K] }, { -readonly [K in Name]: T[K] }> extends true ? false : true;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
