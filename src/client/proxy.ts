/**
 * A proxy for one interface of a remote object, made from the interface's description. Making one sends nothing.
 *
 * Members live in namespaces (`call`, `on`, `get`, …), so that no member's name can collide with anything. The
 * prototype of a namespace is made once for each description. The function of a member is made when it is first used.
 */
import { inspect } from 'node:util';
import { callableName } from '../base/called-by-itself.js';
import { KnownOptions } from '../base/known-options.js';
import { checkObjectPath } from '../base/names.js';
import { checkBoolean, checkFunction, checkSignal } from '../base/parameters.js';
import { printable } from '../base/printable.js';
import type { Bus } from '../bus/bus.js';
import { callFlags, callTable } from '../bus/names/requests.js';
import type { Subscription } from '../bus/rules/subscription.js';
import type { DecodeOptions } from '../codec/decode-options.js';
import { MessageType } from '../connection/message.js';
import type { Inbox } from '../connection/receiving/inbox.js';
import { PreparedHead } from '../connection/sending/header.js';
import type { ReplyBody } from '../connection/sending/pending-calls.js';
import { report } from '../diagnostics/problems.js';
import type { InterfaceDescription, MethodDescription, SignalDescription } from '../interface/description.js';
import { abortable } from './abortable.js';
import { absentMembers, absentOfProxy, calledAsFunction, type NamespaceName } from './absent-members.js';
import { misfitReply, misfitText, tellDropped } from './misfits.js';
import { type ListenOnce, nextSignal } from './next-signal.js';
import { getAllProperties, getProperty, listenToChanges, setProperty } from './properties.js';
import type { OnceOptions, ProxyOf, ProxyOptions } from './proxy-types.js';
import type { Aliases, Remote } from './remote.js';
import { SHOWN_MAXIMUM, shownProxy } from './shown.js';
import { type ContextOption, contextTable, signalContext } from './signal-context.js';
import { type ListenOn, SignalQueue, type WatchOptions, watchOptions } from './signal-queue.js';

/** A proxy whose members are not known at compile time. */
type LooseProxy = ProxyOf<InterfaceDescription>;

class RemoteInterface implements LooseProxy {
  readonly #remote: Remote;
  readonly call: LooseProxy['call'];
  readonly #namespaces: Namespaces;
  // Most proxies are used for calls alone, so the other namespaces are made when they are first used.
  #on: LooseProxy['on'] | undefined;
  #once: LooseProxy['once'] | undefined;
  #watch: LooseProxy['watch'] | undefined;
  #get: LooseProxy['get'] | undefined;
  #set: LooseProxy['set'] | undefined;

  constructor(remote: Remote) {
    this.#remote = remote;
    this.#namespaces = namespacesOf(remote.description, remote.aliases);
    this.call = this.#namespaces.call(remote);
  }

  get on(): LooseProxy['on'] {
    this.#on ??= this.#namespaces.on(this.#remote);
    return this.#on;
  }

  get once(): LooseProxy['once'] {
    this.#once ??= this.#namespaces.once(this.#remote);
    return this.#once;
  }

  get watch(): LooseProxy['watch'] {
    this.#watch ??= this.#namespaces.watch(this.#remote);
    return this.#watch;
  }

  get get(): LooseProxy['get'] {
    this.#get ??= this.#namespaces.get(this.#remote);
    return this.#get;
  }

  get set(): LooseProxy['set'] {
    this.#set ??= this.#namespaces.set(this.#remote);
    return this.#set;
  }

  get destination(): string | undefined {
    return this.#remote.destination;
  }

  get path(): string {
    return this.#remote.path;
  }

  get interface(): string {
    return this.#remote.description.name;
  }

  getAll(): Promise<Record<string, unknown>> {
    return getAllProperties(this.#remote);
  }

  onChange(listener: Parameters<LooseProxy['onChange']>[0]): Subscription {
    checkFunction(listener, 'listener');
    const { bus, options } = this.#remote;
    return abortable(bus, options.signal, () => listenToChanges(this.#remote, listener));
  }

  [inspect.custom](depth: number): string {
    const { description, destination, path } = this.#remote;
    return shownProxy(description, destination, path, depth);
  }

  static {
    const descriptionOf = (value: unknown) => {
      try {
        return (value as RemoteInterface).#remote.description;
      } catch {
        return undefined;
      }
    };
    Object.setPrototypeOf(RemoteInterface.prototype, absentOfProxy(descriptionOf));
  }

  with(options: ProxyOptions): LooseProxy {
    proxyOptions.check(options);
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    return new RemoteInterface({ ...this.#remote, options: { ...this.#remote.options, ...given } });
  }
}

const proxyOptions = new KnownOptions<ProxyOptions>('with()', { ...callTable, loose: checkBoolean });
const onOptions = new KnownOptions<ContextOption>('on()', contextTable);
const onceOptions = new KnownOptions<OnceOptions & ContextOption>('once()', { signal: checkSignal, ...contextTable });

/**
 * Makes a proxy. A caller that knows the types of its members casts it.
 *
 * @param loose whether it accepts values of every type, because its description is only known at run time
 */
export function makeProxy(
  bus: Bus,
  description: InterfaceDescription,
  destination: string | undefined,
  path: string,
  loose: boolean,
  aliases: () => Aliases = withoutAliases,
): LooseProxy {
  bus.checkDestination(destination);
  checkObjectPath(path, 'path');
  return new RemoteInterface({ bus, description, destination, path, aliases, options: { loose }, told: new Set() });
}

const noAliases: Aliases = new Map();
const withoutAliases = () => noAliases;

/** Makes a namespace for a remote object. Its functions are bound to the object, so they can be passed on. */
type NamespaceOf<Members> = (remote: Remote) => Members;
type Namespaces = {
  readonly [Kind in NamespaceName]: NamespaceOf<LooseProxy[Kind]>;
};

/**
 * Namespaces by description. A class has a map of its own, because its members also have the names in the class, which
 * the description does not contain.
 */
const plainNamespaces = new WeakMap<InterfaceDescription, Namespaces>();
const classNamespaces = new WeakMap<InterfaceDescription, Namespaces>();

function namespacesOf(description: InterfaceDescription, aliases: () => Aliases): Namespaces {
  const namespaces = aliases === withoutAliases ? plainNamespaces : classNamespaces;
  const known = namespaces.get(description);
  if (known !== undefined) return known;
  const methods = withAliases(description.methods, 'method', aliases());
  const signals = withAliases(description.signals, 'signal', aliases());
  const properties = withAliases(description.properties, 'property', aliases());
  const readable = properties.filter(([, { access }]) => access !== 'write');
  const writable = properties.filter(([, { access }]) => access !== 'read');
  const made: Namespaces = {
    call: namespace('call', description, methods, callMethod),
    on: namespace('on', description, signals, (remote, signal: SignalDescription) => listen(remote, signal)),
    once: namespace('once', description, signals, listenOnce),
    watch: namespace('watch', description, signals, watch),
    get: namespace('get', description, readable, getProperty),
    set: namespace('set', description, writable, setProperty),
  };
  namespaces.set(description, made);
  return made;
}

/** Members by their D-Bus names and aliases. */
function withAliases<Member>(members: ReadonlyMap<string, Member>, kind: string, aliases: Aliases): [string, Member][] {
  const all = [...members];
  for (const [alias, name] of aliases) {
    const member = alias.startsWith(`${kind} `) ? members.get(name) : undefined;
    if (member !== undefined) all.push([alias.slice(kind.length + 1), member]);
  }
  return all;
}

const remoteOf = Symbol('remote');

function namespace<Member, Made>(
  name: NamespaceName,
  description: InterfaceDescription,
  members: readonly (readonly [string, Member])[],
  make: (remote: Remote, member: Member) => Made,
): NamespaceOf<Readonly<Record<string, Made>>> {
  const names = members.map(([member]) => member);
  const prototype = Object.create(absentMembers(name, description, names));
  const shown = `${name} { ${names.slice(0, SHOWN_MAXIMUM).join(', ')}${names.length > SHOWN_MAXIMUM ? ', …' : ''} }`;
  Object.defineProperty(prototype, inspect.custom, { value: () => printable(shown) });
  for (const [name, member] of members) {
    const key = callableName(name);
    Object.defineProperty(prototype, key, {
      enumerable: true,
      get(this: { readonly [remoteOf]: Remote }) {
        const value = make(this[remoteOf], member);
        Object.defineProperty(this, key, { value, enumerable: true });
        return value;
      },
    });
  }
  if (name !== 'on' && name !== 'once') return (remote) => Object.create(prototype, { [remoteOf]: { value: remote } });
  return (remote) => {
    // A function, so that calling `on` as on an event emitter throws an error that explains the right form. It has no
    // members of its own.
    const called = (given: unknown) => {
      throw calledAsFunction(name, given, description);
    };
    for (const own of Reflect.ownKeys(called)) Reflect.deleteProperty(called, own);
    Object.defineProperty(called, remoteOf, { value: remote });
    return Object.setPrototypeOf(called, prototype);
  };
}

function callMethod(remote: Remote, method: MethodDescription) {
  const { bus, description, destination, path, options } = remote;
  const noReply = options.noReply ?? method.noReply;
  const head = new PreparedHead({
    type: MessageType.MethodCall,
    flags: callFlags({ ...options, noReply }),
    destination,
    path,
    interface: description.name,
    member: method.name,
    signature: method.inSignature,
  });
  const take = (reply: ReplyBody, options: DecodeOptions): unknown => {
    const { signature } = reply;
    if (signature !== method.outSignature && !noReply) refuseReply(remote, method, signature);
    const values = reply.decode(options);
    return values.length <= 1 ? values[0] : values;
  };
  return <Result>(...body: readonly unknown[]) => bus.request(head, body, options, take) as Promise<Result>;
}

/** @throws {@link InvalidReplyError} unless the proxy is loose */
function refuseReply(remote: Remote, { name, outSignature }: MethodDescription, signature: string): void {
  const { bus, description, destination, path, options } = remote;
  const call = { destination, path, interface: description.name, member: name };
  if (options.loose !== true) throw misfitReply('the reply', outSignature, signature, call);
  const text = misfitText(`the reply of ${description.name}.${name}`, outSignature, signature);
  report('misfit', text, undefined, bus.connectionId);
}

/** See {@link ContextOption}. `false` and `undefined` ask for no context. */
interface MayAskForContext {
  readonly context?: boolean | undefined;
}

/**
 * @param take gets the values, and the inbox that holds the signal; descriptors are lent to it
 * @param reportsLoss whether the waiting code learns of the loss of the connection by itself
 */
function takeSignal(
  remote: Remote,
  signal: SignalDescription,
  { context = false }: MayAskForContext,
  take: (values: unknown[], received: Inbox) => unknown,
  reportsLoss = false,
): Subscription {
  const { bus, description, destination: sender, path, options } = remote;
  const rule = { sender, path, interface: description.name, member: signal.name };
  return bus.listen(
    rule,
    (received) => {
      const { signature } = received;
      if (signature !== signal.signature && isDropped(remote, signal, signature)) return undefined;
      return take(context ? decodeWithContext(received, options) : received.decode(options), received);
    },
    reportsLoss,
  );
}

/**
 * The values, with the context after them. The message is made first, because it exposes the descriptors that no value
 * refers to.
 */
function decodeWithContext(received: Inbox, options: DecodeOptions): unknown[] {
  const message = received.makeMessage();
  const values = received.decode(options);
  values.push(signalContext(message));
  return values;
}

/** Reports a signal that does not have the described types. Returns whether the signal is dropped. */
function isDropped(remote: Remote, { name, signature: described }: SignalDescription, received: string): boolean {
  const { bus, description, options } = remote;
  const text = misfitText(`the signal ${description.name}.${name}`, described, received);
  if (options.loose !== true) tellDropped(remote, `signal ${name}`, text);
  else report('misfit', text, undefined, bus.connectionId);
  return options.loose !== true;
}

function listen(remote: Remote, signal: SignalDescription) {
  return (listener: (...values: never) => unknown, options: MayAskForContext = {}): Subscription => {
    checkFunction(listener, 'listener');
    onOptions.check(options as ContextOption);
    const tell = listener as (...values: unknown[]) => unknown;
    const subscribe = () => takeSignal(remote, signal, options, (values) => tell(...values));
    return abortable(remote.bus, remote.options.signal, subscribe);
  };
}

function listenOnce(remote: Remote, signal: SignalDescription) {
  return async (options: OnceOptions & MayAskForContext = {}): Promise<never> => {
    onceOptions.check(options as OnceOptions & ContextOption);
    const listenFor: ListenOnce = (listener) =>
      takeSignal(
        remote,
        signal,
        options,
        (values, received) => {
          received.keepDescriptors();
          listener(values);
        },
        true,
      );
    const abort = options.signal === undefined ? remote.options.signal : options.signal;
    // Only the caller knows the types of the values.
    return (await nextSignal(remote.bus, listenFor, abort)) as never;
  };
}

function watch(remote: Remote, signal: SignalDescription) {
  return (options: WatchOptions & MayAskForContext = {}): never => {
    watchOptions.check(options as WatchOptions & ContextOption);
    const take: ListenOn = (listener) =>
      takeSignal(
        remote,
        signal,
        options,
        (values, received) => listener(values, received.keepCountedDescriptors()),
        true,
      );
    const abort = options.signal === undefined ? remote.options.signal : options.signal;
    const which = `${remote.description.name}.${signal.name}`;
    return new SignalQueue(remote.bus, which, take, { limit: options.limit, signal: abort }) as never;
  };
}
