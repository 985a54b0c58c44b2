/**
 * The object that programs use: a participant of the bus that also exports objects and makes proxies. It combines the
 * layers for these.
 */
import { inspect } from 'node:util';
import { nameSuccessors } from './base/successors.js';
import { Bus } from './bus/bus.js';
import type { BusStats } from './bus/bus-stats.js';
import { busSuccessors } from './bus/bus-successors.js';
import { warnOfEarlyName } from './bus/names/early-name.js';
import type { BusOptions } from './bus/names/named-endpoint.js';
import type { OwnedName } from './bus/names/owned-name.js';
import type { RequestNameOptions } from './bus/names/owned-names.js';
import type { CallOptions } from './bus/names/requests.js';
import type { Subscription } from './bus/rules/subscription.js';
import { type ObjectOptions, type RemoteObject, remoteObject } from './client/object.js';
import { makeProxy } from './client/proxy.js';
import type { ProxyOf, Shared, SignalListeners } from './client/proxy-types.js';
import { type SignalsOptions, type SignalsRule, signalsOfMany } from './client/signals-of-many.js';
import type { Connection } from './connection/connection.js';
import type { IncomingMessage } from './connection/receiving/incoming-message.js';
import type { TimeLimit } from './connection/time-limit.js';
import { type Difference, interfaceDifferences } from './interface/differences.js';
import { type CachedOptions, cachedObject } from './live/cached.js';
import { describedBy } from './live/described.js';
import type { CachedObject, LiveReading } from './live/live-types.js';
import { type ObjectsOptions, ObjectsView } from './live/objects-view.js';
import { type Describable, describe, memberAliases } from './service/class/describe.js';
import { exportableOf } from './service/objects/exportable.js';
import type { ExportedTree } from './service/objects/exported-tree.js';
import type { ExportedObject } from './service/objects/exports.js';
import { type Export, Exports } from './service/objects/exports.js';
import type { TreeOptions } from './service/objects/subtree.js';
import type { VariantChoice } from './signature/types.js';

/**
 * A connection to a bus or a peer. It makes calls, subscribes to signals, owns and watches names, exports objects, and
 * makes proxies for remote objects. {@link sessionBus}, {@link systemBus}, {@link connect} and, between peers, {@link
 * listen} make it.
 *
 * It keeps the process alive while calls wait, and while it has subscriptions, exports or names.
 *
 * @example
 * ```ts
 * await using bus = await sessionBus();
 * const module = bus.proxy(TestModule, 'org.example.dbustest', '/org/example/dbustest');
 * console.log(await module.call.TestMethod('vm', { disks: ['sda'] }));
 * ```
 */
export class MessageBus extends Bus {
  readonly #exports: Exports;
  /** The shares of this connection that have not closed. */
  readonly #shares = new Set<MessageBus>();
  /** For a share: all shares of its connection, including itself. */
  readonly #fellows: ReadonlySet<MessageBus>;

  /**
   * @internal
   * @param source a connection, or a bus that this becomes a share of
   */
  constructor(source: Connection | MessageBus, options: Omit<BusOptions, 'onClosed'> = { peer: false }) {
    super(
      source,
      source instanceof MessageBus ? { ...options, onClosed: (limit: TimeLimit) => source.#endShare(limit) } : options,
    );
    const isShare = source instanceof MessageBus;
    this.#exports = isShare ? source.#exports : new Exports(this);
    this.#fellows = isShare ? source.#shares.add(this) : new Set();
  }

  /** @internal */
  protected override get hasObjects(): boolean {
    return this.#exports.size > 0;
  }

  /** @internal */
  protected override get isLast(): boolean {
    return [...this.#fellows].every((share) => share === this || share.state !== 'open');
  }

  /** @internal */
  protected override handleCall(message: IncomingMessage): void {
    this.#exports.dispatcher.handle(message);
  }

  /** Handles the end of a share. The connection closes with the last one. */
  async #endShare(limit: TimeLimit): Promise<void> {
    for (const share of this.#shares) if (share.state === 'closed') this.#shares.delete(share);
    if (this.#shares.size > 0) return;
    await this.closeWithin(limit);
  }

  /**
   * Exports interfaces of an object at a path. Clients can call them from now on, and their signals and property
   * changes are sent from this path. A path can have further interfaces, and an instance can be exported at several
   * paths.
   *
   * @returns a handle that ends the export
   * @throws {@link InvalidArgumentError} if the path is invalid, or already exports an interface of that name
   */
  export(path: string, ...interfaces: readonly [ExportedObject, ...ExportedObject[]]): Export {
    this.requireShare(`nothing can be exported at ${String(path)}`);
    return this.#exports.add(path, interfaces.map(exportableOf), this);
  }

  /**
   * Exports `org.freedesktop.DBus.ObjectManager` at a path: one call returns all objects below it, and the signals
   * InterfacesAdded and InterfacesRemoved report exports below it that begin and end.
   *
   * @returns a handle that ends the export
   * @throws {@link InvalidArgumentError} if the path is invalid, or already has an ObjectManager
   * @see D-Bus specification, section "org.freedesktop.DBus.ObjectManager"
   */
  exportObjectManager(path: string): Export {
    this.requireShare(`nothing can be exported at ${String(path)}`);
    return this.#exports.addManager(path, this);
  }

  /**
   * Exports a tree of objects that exist only when they are asked for: `children` names the nodes below a path, and
   * `find` finds the objects at a path, for each call. So a tree of any size costs no memory. An object that is exported
   * at a path of the tree counts there, and `find` is not asked.
   *
   * Standard interfaces, introspection and properties work as for exported objects. Signals and changes of an object that
   * was found are sent while calls to it are being answered, and not otherwise: see {@link ExportedTree.keep}. Calls of
   * one caller to the tree begin in the order in which they arrived, also if `find` takes time.
   *
   * An object manager above, or that of the tree, lists the tree: each of its calls asks `children` and `find` for all
   * paths, and reads all properties into one message.
   *
   * @example
   * ```ts
   * const lamps = new Map([['kitchen', { vm: 'up' }]]);
   * using _tree = bus.exportTree('/org/example/lamps', {
   *   children: (path) => (path === '/org/example/lamps' ? lamps.keys() : []),
   *   find: (path) => {
   *     const lamp = lamps.get(path.slice('/org/example/lamps/'.length));
   *     return lamp && implement(Module, { TestMethod: () => 'Success', TestProperty: lamp });
   *   },
   * });
   * ```
   * @returns a handle that ends the tree
   * @throws {@link InvalidArgumentError} if the path or an option is invalid, or the path has a tree already
   */
  exportTree(path: string, options: TreeOptions): ExportedTree {
    this.requireShare(`nothing can be exported at ${String(path)}`);
    return this.#exports.addTree(path, options, this);
  }

  /**
   * Requests a well-known name. Without options it rejects if another connection owns the name. Emits a warning once if
   * the program has no export and no message handler yet, because calls may arrive at once. Each request has a handle
   * of its own. The name is released with the last handle.
   *
   * @throws (rejects) {@link NameTakenError} with the present owner
   * @throws (rejects) {@link AccessDeniedError} if the bus's policy forbids it
   * @throws (rejects) {@link InvalidArgumentError} if the name is not a valid well-known name
   * @throws (rejects) {@link NotSupportedError} between peers
   * @see D-Bus specification, section "org.freedesktop.DBus.RequestName"
   */
  override requestName(name: string, options: RequestNameOptions = {}): Promise<OwnedName> {
    if (this.#exports.size === 0 && !this.answersByHandlers && this.state === 'open') warnOfEarlyName(name);
    return super.requestName(name, options);
  }

  /**
   * Makes a proxy for one interface of a remote object. Nothing is sent: the description comes from the class that
   * implements the interface, from `defineInterface`, or from introspection data.
   *
   * @param what the interface: a `ServiceInterface` class, a definition, or a description
   * @param destination the name of the connection that has the object. Between peers it can be left out or be
   * `undefined`, because there is only one peer
   * @param path the object's path
   * @throws {@link InvalidArgumentError} if a name or the path is invalid, or the destination is missing on a bus
   */
  proxy<T extends Describable>(what: T & Shared<T>, destination: string | undefined, path: string): ProxyOf<T>;
  proxy<T extends Describable>(what: T & Shared<T>, path: string): ProxyOf<T>;
  proxy<T extends Describable>(what: T, ...where: [string | undefined, string] | [string]): ProxyOf<T> {
    const [destination, path] = where.length === 1 ? [undefined, where[0]] : where;
    const description = describe(what);
    const isData = what === (description as unknown);
    const aliases = isData ? undefined : () => memberAliases(what);
    return makeProxy(this, description, destination, path, isData, aliases) as ProxyOf<T>;
  }

  /**
   * Introspects a remote object, or takes its description from `introspection`. The result makes proxies for the
   * object's interfaces and lists its children. Between peers the destination can be left out, as for a proxy.
   *
   * @example
   * ```ts
   * const xml = await readFile('org.example.dbustest.xml', 'utf8');
   * const object = await bus.object('org.example.dbustest', '/org/example/dbustest', { introspection: xml });
   * await object.interface('org.example.dbustest.Module').call.TestMethod('vm', {});
   * ```
   * @throws (rejects) {@link DBusError} if the object does not answer, or answers with an error
   * @throws (rejects) {@link InvalidArgumentError} if `introspection` is not a description; {@link InvalidReplyError}
   * if the reply is not introspection data
   */
  object(destination: string | undefined, path: string, options?: ObjectOptions): Promise<RemoteObject>;
  object(path: string, options?: ObjectOptions): Promise<RemoteObject>;
  object(first: string | undefined, second?: string | ObjectOptions, options?: ObjectOptions): Promise<RemoteObject> {
    const hasDestination = options !== undefined || (second !== undefined && typeof second !== 'object');
    if (hasDestination) return remoteObject(this, first, second as string, options);
    return remoteObject(this, undefined, first as string, second as ObjectOptions | undefined);
  }

  /**
   * Compares an object with the description of an interface that it should have. It introspects the object, and nothing
   * else is sent.
   *
   * @example
   * ```ts
   * const differences = await bus.conforms(Module, 'org.example.dbustest', '/org/example/dbustest');
   * for (const { isFailure, message } of differences) if (isFailure) console.log(message);
   * ```
   * @param what the interface: a `ServiceInterface` class, a definition, or a description
   * @param destination the name of the connection that has the object; `undefined` between peers
   * @returns the differences; an empty list if there are none. Members that only the object has are no failures
   * @throws (rejects) as {@link object} does
   * @see D-Bus specification, section "Introspection Data Format"
   */
  async conforms(
    what: Describable,
    destination: string | undefined,
    path: string,
    options: CallOptions = {},
  ): Promise<readonly Difference[]> {
    const description = describe(what);
    const { node } = await remoteObject(this, destination, path, options);
    return interfaceDifferences(description, node.interfaces.get(description.name));
  }

  /**
   * Subscribes functions to the signals of an interface from any number of senders and objects. Each gets the arguments
   * of its signal, and the {@link SignalContext}: the sender and the path.
   *
   * @example
   * ```ts
   * using _signals = bus.signals(Module, { pathNamespace: '/org/example' }, {
   *   TestSignal: (vms, { sender, path }) => console.log(vms, sender, path),
   * });
   * ```
   * @param what the interface: a `ServiceInterface` class, a definition, or a description
   * @param rule which senders, paths and arguments; without conditions, all signals of the interface
   * @param options how the arguments are read
   * @returns a handle that ends the subscriptions; its `ready` settles with the bus's answers
   * @throws {@link InvalidArgumentError} if the rule or an option is not valid, or the interface has no such signal
   * @throws {@link ConnectionClosedError} if the connection is closed
   */
  signals<T extends Describable, V extends VariantChoice | undefined = undefined>(
    what: T & Shared<T>,
    rule: SignalsRule,
    listeners: SignalListeners<T, LiveReading<V>>,
    options?: SignalsOptions<V>,
  ): Subscription;
  signals<T extends Describable>(
    what: T,
    rule: SignalsRule,
    listeners: SignalListeners<T>,
    options: SignalsOptions = {},
  ): Subscription {
    const { description, aliases, loose } = describedBy(what);
    return signalsOfMany(this, description, aliases, loose, rule, listeners, options);
  }

  /**
   * Makes a live view of the objects that a service manages. It is kept up to date until it ends, with `end()`,
   * `using`, or the connection.
   *
   * @example
   * ```ts
   * using view = bus.objects('org.example.dbustest');
   * await view.ready;
   * for (const { path, interfaces } of view) console.log(path, interfaces);
   * ```
   * @param destination the name of the service. Between peers it can be left out or be `undefined`
   * @param path the path of the object manager; `/` by default
   * @throws {@link InvalidArgumentError} if a name, the path or an option is not valid, or the destination is missing
   * on a bus
   * @throws {@link ConnectionClosedError} if the connection is closed
   */
  objects(destination?: string | undefined, path = '/', options: ObjectsOptions = {}): ObjectsView {
    return new ObjectsView(this, destination, path, options, (end) => this.belong(end, true));
  }

  /**
   * Makes a proxy for one interface of a remote object whose properties are read once and kept up to date: it also has
   * their values. It follows the name from owner to owner, until it ends, with `end()`, `using`, or the connection. It
   * never starts a service.
   *
   * @example
   * ```ts
   * using module = await bus.cached(TestModule, 'org.example.dbustest', '/org/example/dbustest');
   * console.log(module.values);
   * ```
   * @param what the interface: a `ServiceInterface` class, a definition, or a description
   * @param destination the name of the connection that has the object. Between peers it can be left out or be
   * `undefined`
   * @returns the proxy, with its values; without values if the name has no owner
   * @throws (rejects) {@link DBusError} if the object does not answer; the bus's error if it refuses the match rule
   * @throws (rejects) {@link InvalidArgumentError} if a name, the path or an option is not valid
   */
  cached<T extends Describable, V extends VariantChoice | undefined = undefined>(
    what: T & Shared<T>,
    destination: string | undefined,
    path: string,
    options?: CachedOptions<V>,
  ): Promise<CachedObject<T, LiveReading<V>>>;
  cached<T extends Describable, V extends VariantChoice | undefined = undefined>(
    what: T & Shared<T>,
    path: string,
    options?: CachedOptions<V>,
  ): Promise<CachedObject<T, LiveReading<V>>>;
  async cached<T extends Describable>(
    what: T,
    first: string | undefined,
    second?: string | CachedOptions,
    third: CachedOptions = {},
  ): Promise<CachedObject<T>> {
    const isPath = second === undefined || typeof second === 'object';
    const where = isPath ? ([undefined, first as string, second ?? {}] as const) : ([first, second, third] as const);
    const made = await cachedObject(this, what, ...where, (end) => this.belong(end, true));
    return made as unknown as CachedObject<T>;
  }

  /**
   * Returns counts of what the connection holds, which return to their earlier values when everything is released, and
   * of what it has done.
   */
  override stats(): BusStats & {
    /** Paths with an export. */
    readonly exportedObjects: number;
    /** Incoming calls whose handlers returned a promise that has not settled: see `limits.callsInProgress`. */
    readonly callsInProgress: number;
  } {
    const { size: exportedObjects, dispatcher } = this.#exports;
    return { ...super.stats(), exportedObjects, callsInProgress: dispatcher.callsInProgress };
  }

  /** @internal */
  [inspect.custom](): string {
    return `MessageBus { ${this.uniqueName ?? 'peer'}, ${this.state} }`;
  }
}

nameSuccessors(MessageBus.prototype, 'bus', busSuccessors);
