/**
 * The types of proxies: of `call`, `on`, `get`, `set` and the other members of a proxy. They are made from a service
 * class (`class-member-types.ts`) or a definition (`defined-member-types.ts`), and are loose for a description that is
 * only known at run time. This file has types only; `proxy.ts` makes the objects.
 */

import type { Handle } from '../base/handle.js';
import type { CallOptions } from '../bus/names/requests.js';
import type { Subscription } from '../bus/rules/subscription.js';
import type { InterfaceDefinition } from '../interface/define-interface.js';
import type { InterfaceMembers } from '../interface/definitions.js';
import type { IsServiceOnly, ServiceInterface, ServiceInterfaceClass } from '../service/class/service-interface.js';
import type { DictionaryChoice, MappedReading, Reading, ReadingOf, VariantChoice } from '../signature/types.js';
import type { ClassMemberTypes } from './class-member-types.js';
import type { DefinedMemberTypes, ProxyMaker } from './defined-member-types.js';
import type { MemberTypes } from './member-types.js';
import type { ContextOption, SignalContext } from './signal-context.js';
import type { WatchOptions } from './signal-queue.js';

/**
 * The type of the proxy for an interface: for a `ServiceInterface` class (`typeof TestModule`, or `TestModule`), for a
 * definition (`typeof Module`), or for a description, which is typed loosely.
 *
 * @example
 * ```ts
 * const module: ProxyOf<typeof TestModule> = bus.proxy(TestModule, 'org.example.dbustest', '/org/example/dbustest');
 * ```
 */
export type ProxyOf<T> = InterfaceProxy<Described<T>>;

/** What an interface was described by. The class and its instances count as the same description. */
export type Described<T> = T extends ServiceInterface
  ? T
  : T extends abstract new (
        ...args: never
      ) => infer Instance
    ? Instance
    : T extends ServiceInterfaceClass<infer Instance>
      ? Instance
      : T extends InterfaceDefinition<string, infer M>
        ? InterfaceMembers extends M
          ? LooseMemberTypes
          : M
        : LooseMemberTypes;

/** A type that no value fits. Its key says that clients do not share the class. */
interface ServiceOnly<Cure extends string> {
  readonly serviceOnly: never;
  readonly cure: Cure;
}

/**
 * What proxies are made from. A class that clients do not share is excluded: its types do not say what a client reads.
 */
export type Shared<T> =
  IsServiceOnly<Described<T>> extends true
    ? ServiceOnly<'the class is for services only: make the proxy from a definition, or from describe(…) of the class'>
    : unknown;

/** The members of a class, definition or description, with values read as `D` says. */
type MembersIn<T, D extends Reading> = T extends LooseMemberTypes
  ? LooseMemberTypes
  : T extends ServiceInterface
    ? ClassMemberTypes<T, D>
    : DefinedMemberTypes<T, D, ProxyIn<D>>;

/** Makes the type of the proxy for an object whose path a method returns. */
interface ProxyIn<D extends Reading> extends ProxyMaker {
  readonly proxy: InterfaceProxy<Described<this['of']>, D>;
}

/**
 * A proxy for one interface of a remote object. Members are grouped by operation, under their D-Bus names.
 * {@link ProxyOf} is the type of the proxy for a given interface.
 *
 * @typeParam T the instances of the class, or the members of the definition
 * @typeParam D how variants, dictionaries and arrays of numbers are read
 * @typeParam N whether calls ask for no reply (the option `noReply`)
 * @typeParam L whether values of other types are accepted (the option `loose`)
 */
export interface InterfaceProxy<
  out T = LooseMemberTypes,
  in out D extends Reading = 'read',
  in out N extends boolean = false,
  in out L extends boolean = false,
> {
  /** The name of the connection that has the object; `undefined` if it was left out, between peers. */
  readonly destination: string | undefined;
  /** The object's path. */
  readonly path: string;
  /** The name of the interface. */
  readonly interface: string;
  /**
   * Calls a method. Resolves with the reply: with `undefined` if it has no value, with the value if it has one, else
   * with a tuple of the values.
   *
   * @throws (rejects) {@link DBusError} if the peer answers with an error; {@link TimeoutError}, {@link
   * ConnectionClosedError}, or the abort signal's reason if it did not answer; {@link InvalidArgumentError} if an
   * argument does not have its type; nothing is sent then
   */
  readonly call: Methods<T, D, N, L>;
  /** Subscribes a function to a signal. It gets the signal's arguments. */
  readonly on: Signals<T, D, L>;
  /** Waits for the next signal. Resolves with the tuple of its arguments. */
  readonly once: SignalsOnce<T, D, L>;
  /** Iterates over the signals that arrive from now on: `for await (const [first, second] of proxy.watch.Name())`. */
  readonly watch: SignalsInLoops<T, D, L>;
  /** Reads a property. */
  readonly get: ReadableProperties<T, D, L>;
  /** Writes a property. Resolves when the peer has replied. */
  readonly set: WritableProperties<T, D>;
  /** Reads all properties with one call. A peer leaves out properties that it cannot read at that time. */
  getAll(): Promise<Partial<Values<T, D, L>>>;
  /**
   * Subscribes a function to changes of this interface's properties.
   *
   * @param listener gets the new values, and the names of properties that changed without their values being sent
   */
  onChange(listener: ChangeListener<Values<T, D, L>>): Subscription;
  /**
   * Makes the same proxy with other options for its calls. Options that are not given stay as they are. `variants`,
   * `typedArrays` and `dictionaries` decide the types of values that are read. With `loose` those are `unknown`. With
   * `noReply`, calls resolve with `undefined`.
   */
  with<
    V extends VariantChoice | undefined = undefined,
    A extends boolean | undefined = undefined,
    M extends DictionaryChoice | undefined = undefined,
    NoReply extends boolean | undefined = undefined,
    Loose extends boolean | undefined = undefined,
  >(
    options: ProxyOptions<V, A, M, NoReply, Loose>,
  ): T extends LooseMemberTypes
    ? InterfaceProxy<T, D, N, L>
    : InterfaceProxy<T, ReadingWith<D, V, A, M>, Chosen<NoReply, N, boolean>, Chosen<Loose, L, boolean>>;
}

// These types have names for the compiler's errors: "property 'Changed' does not exist on type 'Methods<…>'".
type Methods<out T, in out D extends Reading, in out N extends boolean, in out L extends boolean> = {
  readonly [Name in keyof Members<T, D, 'methods'>]: Answered<Members<T, D, 'methods'>[Name], N, L>;
};
type Signals<out T, in out D extends Reading, in out L extends boolean> = {
  readonly [Name in keyof Members<T, D, 'signals'>]: Listen<Heard<Members<T, D, 'signals'>[Name], L>>;
};
type SignalsOnce<out T, in out D extends Reading, in out L extends boolean> = {
  readonly [Name in keyof Members<T, D, 'signals'>]: Once<Heard<Members<T, D, 'signals'>[Name], L>>;
};
export type SignalsInLoops<out T, in out D extends Reading, in out L extends boolean> = {
  readonly [Name in keyof Members<T, D, 'signals'>]: Watch<Heard<Members<T, D, 'signals'>[Name], L>>;
};
type ReadableProperties<out T, in out D extends Reading, in out L extends boolean> = {
  readonly [Name in keyof Members<T, D, 'readable'>]: () => Promise<Promised<Members<T, D, 'readable'>[Name], L>>;
};
type WritableProperties<out T, in out D extends Reading> = {
  readonly [Name in keyof Members<T, D, 'writable'>]: (value: Members<T, D, 'writable'>[Name]) => Promise<void>;
};

/** The values of the properties, by name. */
export type Values<T, D extends Reading, L extends boolean> = true extends L
  ? { readonly [Name in keyof Members<T, D, 'readable'>]: unknown }
  : Members<T, D, 'readable'>;

/** A method whose call may resolve without a reply, or with a value that does not have the described type. */
type Answered<Method, N extends boolean, L extends boolean> = [N | L] extends [false]
  ? Method
  : Method extends (...args: infer Arguments) => Promise<infer Result>
    ? (...args: Arguments) => Promise<Reply<Result, N, L>>
    : never;
type Reply<Result, N extends boolean, L extends boolean> = [N] extends [true]
  ? void
  : Promised<Result, L> | (true extends N ? undefined : never);
type Promised<Value, L extends boolean> = true extends L ? unknown : Value;
type Heard<Arguments, L extends boolean> = true extends L ? unknown[] : Arguments;

/** The members of one kind. */
type Members<T, D extends Reading, Kind extends keyof MemberTypes> = MembersIn<T, D>[Kind];

/** How values are read with these options. Options that are not given stay as they were. */
type ReadingWith<
  D extends Reading,
  V extends VariantChoice | undefined,
  A extends boolean | undefined,
  M extends DictionaryChoice | undefined,
> = ReadingOf[Chosen<M, DictionariesIn<D>, DictionaryChoice>][Chosen<
  V,
  VariantsIn<D>,
  VariantChoice
>][`${Chosen<A, TypedIn<D>, boolean>}`];

type Chosen<Given, Before, All> = Extract<Exclude<Given, undefined> | (undefined extends Given ? Before : never), All>;

type VariantsIn<D extends Reading> = D extends `wrap${string}` ? 'wrap' : 'plain';
type TypedIn<D extends Reading> = D extends `${string}typed${string}` ? true : false;
type DictionariesIn<D extends Reading> = D extends MappedReading ? 'map' : 'object';

/**
 * Any proxy, for functions that work with every proxy. The values that such a function reads are `unknown`. Only the
 * proxy's own type has the types of arguments.
 *
 * @example
 * ```ts
 * async function state(proxy: AnyProxy): Promise<string> {
 *   return `${proxy.path}: ${JSON.stringify(await proxy.getAll())}`;
 * }
 * ```
 */
export interface AnyProxy {
  /** @see {@link InterfaceProxy.destination} */
  readonly destination: string | undefined;
  /** @see {@link InterfaceProxy.path} */
  readonly path: string;
  /** @see {@link InterfaceProxy.interface} */
  readonly interface: string;
  /** @see {@link InterfaceProxy.call} */
  readonly call: { readonly [name: string]: (...args: never) => Promise<unknown> };
  /** @see {@link InterfaceProxy.on} */
  readonly on: { readonly [name: string]: (listener: (...args: readonly unknown[]) => unknown) => Subscription };
  /** @see {@link InterfaceProxy.once} */
  readonly once: { readonly [name: string]: (options?: OnceOptions) => Promise<readonly unknown[]> };
  /** @see {@link InterfaceProxy.watch} */
  readonly watch: { readonly [name: string]: (options?: WatchOptions) => AsyncIterable<readonly unknown[]> };
  /** @see {@link InterfaceProxy.get} */
  readonly get: { readonly [name: string]: () => Promise<unknown> };
  /** @see {@link InterfaceProxy.set} */
  readonly set: { readonly [name: string]: (value: never) => Promise<void> };
  /** @see {@link InterfaceProxy.getAll} */
  getAll(): Promise<{ readonly [name: string]: unknown }>;
  /** @see {@link InterfaceProxy.onChange} */
  onChange(listener: ChangeListener<{ readonly [name: string]: unknown }>): Subscription;
  /** @see {@link InterfaceProxy.with} */
  with(options: ProxyOptions): AnyProxy;
}

/** How a proxy makes calls, and how it decodes values. */
export interface ProxyOptions<
  V extends VariantChoice | undefined = VariantChoice | undefined,
  A extends boolean | undefined = boolean | undefined,
  M extends DictionaryChoice | undefined = DictionaryChoice | undefined,
  NoReply extends boolean | undefined = boolean | undefined,
  Loose extends boolean | undefined = boolean | undefined,
> extends CallOptions {
  /** `true`: do not ask for a reply. A call resolves with `undefined` as soon as it is sent. */
  readonly noReply?: NoReply;
  /**
   * `'wrap'`: variants are read as `Variant`, losslessly. `'plain'` (the default): variants are read as the values in
   * them. `'keep'`: they are read as the values in them, and busbar remembers their types beside the containers, so that
   * a value that is read, changed and written has the types that were read.
   */
  readonly variants?: V;
  /** `true`: arrays of numbers are read as typed arrays. */
  readonly typedArrays?: A;
  /**
   * `'map'`: dictionaries are read as `Map`, in the order in which they were sent. `'object'` (the default):
   * dictionaries with text keys are read as plain objects.
   */
  readonly dictionaries?: M;
  /**
   * `true`: accept values whose types are not the described ones. They are typed `unknown`. By default, a proxy that is
   * typed by a class or a definition refuses them: calls reject with {@link InvalidReplyError}, and signals and changes
   * are dropped. A proxy made from a description or from introspection data accepts every type.
   */
  readonly loose?: Loose;
  /**
   * `true`: calls wait until the name has an owner. `timeout` is the limit of the wait and the call together. They do not
   * make the bus start the service.
   */
  readonly wait?: boolean | undefined;
}

/**
 * Gets the properties with new values, the names of properties that changed without their values being sent, and the
 * context of the signal.
 */
export type ChangeListener<Properties> = (
  changed: Partial<Properties>,
  invalidated: readonly (keyof Properties & string)[],
  context: SignalContext,
) => void;

type Tuple<Arguments> = Extract<Arguments, readonly unknown[]>;

/** The arguments of a signal, and its context. */
type WithContext<Arguments> = [...args: Tuple<Arguments>, context: SignalContext];

/**
 * Subscribes a function to a signal. Signals of a well-known name are delivered if they come from its owner. With `{
 * context: true }` the function gets a {@link SignalContext} after the arguments.
 */
export interface Listen<Arguments> {
  (listener: (...args: WithContext<Arguments>) => unknown, options: ContextOption): Subscription;
  (listener: (...args: Tuple<Arguments>) => unknown): Subscription;
}

/**
 * Functions for the signals of an interface, by name, each with the arguments of its signal and the context: see {@link
 * MessageBus.signals}.
 */
export type SignalListeners<T, D extends Reading = 'read'> = {
  readonly [Name in keyof Members<Described<T>, D, 'signals'>]?:
    | ((...args: WithContext<Members<Described<T>, D, 'signals'>[Name]>) => unknown)
    | undefined;
};

/** How to wait for a signal. */
export interface OnceOptions {
  /** Milliseconds until it rejects with a {@link TimeoutError}. Without it there is no limit. */
  readonly timeout?: number | undefined;
  /** Aborting rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** See {@link InterfaceProxy.once}. Aborting rejects with the abort signal's reason. */
export interface Once<Arguments> {
  (options: OnceOptions & ContextOption): Promise<WithContext<Arguments>>;
  (options?: OnceOptions): Promise<Tuple<Arguments>>;
}

/** Collects signals from now on, for a loop to read. */
export interface Watch<Arguments> {
  (options: WatchOptions & ContextOption): SignalWatch<WithContext<Arguments>>;
  (options?: WatchOptions): SignalWatch<Tuple<Arguments>>;
}

/**
 * Signals to iterate over. Leaving the loop, disposing (`using`), or the end of the connection ends the subscription.
 */
export interface SignalWatch<Arguments extends readonly unknown[]> extends AsyncIterableIterator<Arguments>, Handle {
  /** How many signals were dropped because the loop was too slow. */
  readonly dropped: number;
}

/** The members of an interface that is only known at run time. The caller names the types of results. */
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
