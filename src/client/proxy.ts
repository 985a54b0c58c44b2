/**
 * A proxy: one interface of somebody else's object, called by its description. Making one costs nothing on the bus.
 *
 * Members live in namespaces (`call`, `on`, `get`, …), so that no member's name can collide with anything. A
 * namespace's prototype is made once for a description; a member's function is made when it is first used.
 */
import { inspect } from 'node:util';
import type { Bus } from '../bus/bus.js';
import { type CallOptions, callFlags, checkCallOptions } from '../bus/requests.js';
import type { Subscription } from '../bus/subscription.js';
import { closeDescriptors } from '../codec/close-descriptors.js';
import type { DecodeOptions } from '../codec/decoder.js';
import { PreparedHead } from '../connection/header.js';
import type { Inbox } from '../connection/inbox.js';
import { MessageType } from '../connection/message.js';
import type { ReplyBody, TakeReply } from '../connection/pending-calls.js';
import { report } from '../diagnostics.js';
import { InvalidArgumentError, ProtocolError } from '../errors.js';
import type {
  InterfaceDescription,
  MethodDescription,
  PropertyDescription,
  SignalDescription,
} from '../introspection/description.js';
import { standardInterfaces } from '../introspection/standard.js';
import { checkBusName, checkObjectPath } from '../names.js';
import { checkFunction, checkObject } from '../parameters.js';
import { Variant } from '../variant.js';
import { abortable } from './abortable.js';
import { type ListenOnce, nextSignal } from './next-signal.js';
import type { OnceOptions, ProxyOf, ProxyOptions } from './proxy-types.js';
import { type ListenOn, SignalQueue, type WatchOptions } from './signal-queue.js';

const PROPERTIES = standardInterfaces.properties.name;
const PROPERTIES_CHANGED = standardInterfaces.properties.signals.get('PropertiesChanged') as SignalDescription;

/** What a proxy is about, and how it calls. */
interface Remote {
  readonly bus: Bus;
  readonly description: InterfaceDescription;
  readonly destination: string | undefined;
  readonly path: string;
  readonly options: CallOptions;
  readonly aliases: () => Aliases;
}

/** Other names for members, by kind and name (`method testMethod`): what a class calls them, where D-Bus does not. */
type Aliases = ReadonlyMap<string, string>;

/** What every proxy is, where nothing is known of its members when it is compiled. */
type LooseProxy = ProxyOf<InterfaceDescription>;

class RemoteInterface implements LooseProxy {
  readonly #remote: Remote;
  readonly call: LooseProxy['call'];
  readonly on: LooseProxy['on'];
  readonly once: LooseProxy['once'];
  readonly watch: LooseProxy['watch'];
  readonly get: LooseProxy['get'];
  readonly set: LooseProxy['set'];

  constructor(remote: Remote) {
    this.#remote = remote;
    const namespaces = namespacesOf(remote.description, remote.aliases);
    this.call = namespaces.call(remote);
    this.on = namespaces.on(remote);
    this.once = namespaces.once(remote);
    this.watch = namespaces.watch(remote);
    this.get = namespaces.get(remote);
    this.set = namespaces.set(remote);
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
    return callProperties(this.#remote, 'GetAll', 's', [this.interface], (reply, options) => {
      if (reply.signature !== 'a{sv}') {
        throw new ProtocolError(`the reply of GetAll carries "${reply.signature}", and has to carry "a{sv}"`);
      }
      return sentValues(this.#remote.description, reply.decode(options)[0] as Record<string, unknown>);
    });
  }

  onChange(listener: Parameters<LooseProxy['onChange']>[0]): Subscription {
    const { bus, destination: sender, path, options } = this.#remote;
    const rule = { sender, path, interface: PROPERTIES, member: 'PropertiesChanged', arg0: this.interface };
    checkFunction(listener, 'listener');
    const take = (received: Inbox): unknown => {
      const { signature } = received;
      if (signature !== PROPERTIES_CHANGED.signature) {
        reportMisfit(bus, `PropertiesChanged of ${this.interface}`, PROPERTIES_CHANGED.signature, signature);
        return undefined;
      }
      const [, changed, invalidated] = received.decode(options);
      return listener(
        sentValues(this.#remote.description, changed as Record<string, unknown>),
        invalidated as string[],
      );
    };
    return abortable(bus, options.signal, () => bus.listen(rule, take));
  }

  [inspect.custom](): string {
    return `proxy of ${this.interface} { ${this.destination ?? 'peer'} ${this.path} }`;
  }

  with(options: ProxyOptions): LooseProxy {
    checkObject(options, 'options');
    checkCallOptions(options);
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    return new RemoteInterface({ ...this.#remote, options: { ...this.#remote.options, ...given } });
  }
}

/** Makes a proxy; whoever knows more of its members casts it. */
export function makeProxy(
  bus: Bus,
  description: InterfaceDescription,
  destination: string | undefined,
  path: string,
  aliases: () => Aliases = withoutAliases,
): LooseProxy {
  checkDestination(bus, destination);
  checkObjectPath(path, 'path');
  return new RemoteInterface({ bus, description, destination, path, aliases, options: {} });
}

/** Only where one peer is at the other end can an object be somebody's without a name. */
export function checkDestination(bus: Bus, destination: string | undefined): void {
  if (destination !== undefined) checkBusName(destination, 'destination');
  else if (!bus.isPeer)
    throw new InvalidArgumentError('destination: on a bus, give the name of the service that exports the object');
}

const noAliases: Aliases = new Map();
const withoutAliases = () => noAliases;

/** A namespace for a remote object. The functions in it know the object, so they can be taken out and passed on. */
type NamespaceOf<Members> = (remote: Remote) => Members;
type Namespaces = {
  readonly [Kind in 'call' | 'on' | 'once' | 'watch' | 'get' | 'set']: NamespaceOf<LooseProxy[Kind]>;
};

/** By description; those of a class know its own names for the members as well, which its description does not. */
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
    call: namespace(methods, callMethod),
    on: namespace(signals, (remote, signal: SignalDescription) => listen(remote, signal)),
    once: namespace(signals, listenOnce),
    watch: namespace(signals, watch),
    get: namespace(readable, getProperty),
    set: namespace(writable, setProperty),
  };
  namespaces.set(description, made);
  return made;
}

/** Members by their names and aliases. */
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
  members: Iterable<readonly [string, Member]>,
  make: (remote: Remote, member: Member) => Made,
): NamespaceOf<Readonly<Record<string, Made>>> {
  const prototype = Object.create(null);
  for (const [name, member] of members) {
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: { readonly [remoteOf]: Remote }) {
        const value = make(this[remoteOf], member);
        Object.defineProperty(this, name, { value, enumerable: true });
        return value;
      },
    });
  }
  return (remote) => Object.create(prototype, { [remoteOf]: { value: remote } });
}

function callMethod({ bus, description, destination, path, options }: Remote, method: MethodDescription) {
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
    if (signature !== method.outSignature && !noReply) {
      reportMisfit(bus, `the reply of ${description.name}.${method.name}`, method.outSignature, signature);
    }
    const values = reply.decode(options);
    return values.length <= 1 ? values[0] : values;
  };
  return <Result>(...body: readonly unknown[]) => bus.request(head, body, options, take) as Promise<Result>;
}

/**
 * @param take gets the values, and the inbox that the signal is in; descriptors are on loan to it
 * @param hearsOfLoss whether whoever waits for it hears of the loss of the connection
 */
function takeSignal(
  { bus, description, destination: sender, path, options }: Remote,
  signal: SignalDescription,
  take: (values: unknown[], received: Inbox) => unknown,
  hearsOfLoss = false,
): Subscription {
  const rule = { sender, path, interface: description.name, member: signal.name };
  return bus.listen(
    rule,
    (received) => {
      const { signature } = received;
      if (signature !== signal.signature) {
        reportMisfit(bus, `the signal ${description.name}.${signal.name}`, signal.signature, signature);
      }
      return take(received.decode(options), received);
    },
    hearsOfLoss,
  );
}

function listen(remote: Remote, signal: SignalDescription) {
  return (listener: (...values: unknown[]) => unknown): Subscription => {
    checkFunction(listener, 'listener');
    const subscribe = () => takeSignal(remote, signal, (values) => listener(...values));
    return abortable(remote.bus, remote.options.signal, subscribe);
  };
}

function listenOnce(remote: Remote, signal: SignalDescription) {
  const listenFor: ListenOnce = (listener) =>
    takeSignal(
      remote,
      signal,
      (values, received) => {
        received.keepDescriptors();
        listener(values);
      },
      true,
    );
  return async (options: OnceOptions = {}): Promise<unknown[]> => {
    checkObject(options, 'options');
    return nextSignal(remote.bus, listenFor, options.signal === undefined ? remote.options.signal : options.signal);
  };
}

function watch(remote: Remote, signal: SignalDescription) {
  const listenFor: ListenOn = (listener) =>
    takeSignal(remote, signal, (values, received) => listener(values, received.keepCountedDescriptors()), true);
  return (options: WatchOptions = {}) => {
    checkObject(options, 'options');
    const signal = options.signal === undefined ? remote.options.signal : options.signal;
    return new SignalQueue(remote.bus, listenFor, { limit: options.limit, signal });
  };
}

/**
 * The value of a property, out of the variant that it is sent in: that one is no value of the property's, but where the
 * property's own type is a variant and the service does not send one within the other.
 */
function sentValue(sent: unknown, signature: string | undefined): unknown {
  if (!Variant.isVariant(sent) || (signature === 'v' && sent.signature !== 'v')) return sent;
  return sent.value;
}

/** As {@link sentValue}, of many properties. */
function sentValues({ properties }: InterfaceDescription, sent: Record<string, unknown>): Record<string, unknown> {
  for (const name of Object.keys(sent)) {
    if (!Variant.isVariant(sent[name])) continue;
    const value = sentValue(sent[name], properties.get(name)?.signature);
    Object.defineProperty(sent, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return sent;
}

function getProperty(remote: Remote, { name, signature }: PropertyDescription) {
  return (): Promise<unknown> =>
    callProperties(remote, 'Get', 'ss', [remote.description.name, name], (reply, options) => {
      const values = reply.decode(options);
      if (values.length > 1) closeDescriptors(values.slice(1));
      return sentValue(values[0], signature);
    });
}

function setProperty(remote: Remote, { name, signature }: PropertyDescription) {
  return (value: unknown): Promise<void> =>
    callProperties(remote, 'Set', 'ssv', [remote.description.name, name, new Variant(signature, value)], takeNothing);
}

/** A reply that tells only that it was done: whatever it carries besides is not decoded. */
function takeNothing(): void {}

function callProperties<Result>(
  { bus, destination, path, options }: Remote,
  member: string,
  signature: string,
  body: readonly unknown[],
  take: TakeReply<Result>,
): Promise<Result> {
  // Reading without a reply would read nothing.
  const noReply = member === 'Set' ? options.noReply : undefined;
  const flags = callFlags({ ...options, noReply });
  const head = { type: MessageType.MethodCall, flags, destination, path, interface: PROPERTIES, member, signature };
  return bus.request(head, body, options, take);
}

/** What a peer sends is delivered as it is; that it is not what was promised is worth knowing. */
function reportMisfit(bus: Bus, what: string, expected: string, actual: string): void {
  const misfit = `${what} carries "${actual}", not "${expected}" as described`;
  report('misfit', misfit, undefined, bus.connectionId);
}
