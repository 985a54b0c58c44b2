/**
 * An endpoint with names: the unique name that the bus gave it, the well-known names that it owns, and the names that it
 * watches. It asks the bus about names. Between peers there are none, and what only a bus can answer rejects.
 *
 * `Bus` extends it with what is received.
 */

import { InvalidArgumentError, NotSupportedError } from '../../base/errors.js';
import { EndHandle, type Handle } from '../../base/handle.js';
import { KnownOptions } from '../../base/known-options.js';
import { checkBusName, checkWellKnownName } from '../../base/names.js';
import type { Connection } from '../../connection/connection.js';
import type { IncomingMessage } from '../../connection/receiving/incoming-message.js';
import type { WaitOptions } from '../../connection/sending/pending-calls.js';
import { waitLimitsTable } from '../../connection/wait-limits.js';
import { Endpoint } from '../endpoint.js';
import { LastingLink, type Redial } from '../link/lasting-link.js';
import { type Dial, Link } from '../link/link.js';
import { Routing } from '../routing.js';
import type { OnShareClosed } from '../share.js';
import { BUS_NAME, BusDriver, type Credentials } from './driver.js';
import type { NameOwners } from './name-owners.js';
import { checkWatcher, NameWatch, type NameWatcher } from './name-watcher.js';
import type { OwnedName } from './owned-name.js';
import { type OwnedNames, type RequestNameOptions, requestNameOptions } from './owned-names.js';
import { ownerOf, type WaitForNameOptions, waitForNameOptions } from './wait-for-name.js';

/** How long to wait for the bus's answer to a question. */
export interface AnswerLimits {
  /** Milliseconds until a question rejects with a {@link TimeoutError}; `Infinity` for none. 25 000 by default. */
  readonly timeout?: number | undefined;
  /** Aborting rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const limitsOf = (call: string) => new KnownOptions<AnswerLimits>(`${call}()`, waitLimitsTable);
const answerLimits = {
  listNames: limitsOf('listNames'),
  listActivatableNames: limitsOf('listActivatableNames'),
  nameOwner: limitsOf('nameOwner'),
  hasName: limitsOf('hasName'),
  startService: limitsOf('startService'),
  credentials: limitsOf('credentials'),
};

/** @internal */
export interface BusOptions {
  readonly peer: boolean;
  /** For a share: called when it was closed. */
  readonly onClosed?: OnShareClosed | undefined;
  /** How the bus connects again when its connection is lost, if it does. */
  readonly redial?: Redial | undefined;
  /** How further connections to the same bus are made. */
  readonly dial?: Dial | undefined;
}

/** An endpoint that owns, watches and looks up names. {@link MessageBus} extends it. */
export abstract class NamedEndpoint extends Endpoint {
  /** @internal where the messages of the connection go */
  protected readonly routing: Routing;
  /** The bus as this user calls it. */
  readonly #bus: BusDriver | undefined;
  readonly #watchers = new Set<NameWatch>();

  /** @internal answers a call */
  protected abstract handleCall(message: IncomingMessage): void;

  /**
   * @internal
   * @param source a connection, or an endpoint that this becomes a share of
   */
  constructor(source: Connection | NamedEndpoint, { peer: isPeer, onClosed, redial, dial }: BusOptions) {
    const isShare = source instanceof NamedEndpoint;
    const lasting = isShare || redial === undefined ? undefined : new LastingLink(source, redial, dial);
    super(isShare ? source : (lasting ?? new Link(source, dial)), onClosed);
    if (isShare) {
      this.routing = source.routing;
      this.#bus = source.#bus && new BusDriver(this.connection, this);
      return;
    }
    this.routing = new Routing(source, {
      isPeer,
      isAddressedHere: (destination) => this.isAddressedHere(destination),
      handleCall: (message) => this.handleCall(message),
    });
    this.#bus = isPeer ? undefined : new BusDriver(source);
    lasting?.serve(this.routing);
    this.link.whenClosed((reason) => this.routing.close(reason));
  }

  /** @internal */
  override moveTo(connection: Connection): void {
    super.moveTo(connection);
    this.#bus?.moveTo(connection);
  }

  /**
   * The name that the bus gave this connection, for instance `:1.42`; `undefined` between peers. With `reconnect`, each
   * connection has another one, and there is none while the state is `away`.
   */
  get uniqueName(): string | undefined {
    return this.routing.uniqueName;
  }

  /** @internal sends Hello to the bus, the first message of a connection */
  hello(options?: WaitOptions): Promise<void> {
    return this.routing.hello(options);
  }

  /**
   * Requests a well-known name. Without options it rejects with {@link NameTakenError} if another connection owns the
   * name. Each request has a handle of its own. The name is released with the last handle.
   *
   * @see D-Bus specification, section "org.freedesktop.DBus.RequestName"
   */
  async requestName(name: string, options: RequestNameOptions = {}): Promise<OwnedName> {
    requestNameOptions.check(options);
    const names = this.#requireNames('requestName');
    if (this.isShare) this.requireOpen(`${String(name)} cannot be requested`);
    const release = this.hold();
    try {
      const owned = await names.request(name, options, this, release);
      if (!this.isShare) return owned;
      // If the share was closed during the request, the name is given back here, because the connection may stay open.
      if (this.state !== 'open') await names.releaseAll(this).catch(() => {});
      this.requireOpen(`${name} is not requested`);
      return owned;
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Releases a name, or leaves its queue. All handles of the name that were requested by this connection, or this share
   * of it, are released.
   *
   * @throws (rejects) {@link NameHasNoOwnerError} if the name has no owner, {@link NameTakenError} if another
   * connection owns it
   */
  async releaseName(name: string): Promise<void> {
    checkWellKnownName(name, 'name');
    await this.#requireNames('releaseName').release(name, this);
  }

  /**
   * Resolves with all names on the bus, including unique names.
   *
   * @param limits how long to wait, as all methods take that ask the bus
   * @throws (rejects) {@link NotSupportedError} between peers, as do all methods that ask the bus
   * @see D-Bus specification, section "org.freedesktop.DBus.ListNames"
   */
  async listNames(limits: AnswerLimits = {}): Promise<string[]> {
    return this.#ask('listNames', limits).names('ListNames', limits);
  }

  /**
   * Resolves with all names that the bus can start a service for.
   *
   * @see D-Bus specification, section "org.freedesktop.DBus.ListActivatableNames"
   */
  async listActivatableNames(limits: AnswerLimits = {}): Promise<string[]> {
    return this.#ask('listActivatableNames', limits).names('ListActivatableNames', limits);
  }

  /**
   * Resolves with the unique name of a name's owner.
   *
   * @throws (rejects) {@link NameHasNoOwnerError} if there is no owner
   * @see D-Bus specification, section "org.freedesktop.DBus.GetNameOwner"
   */
  async nameOwner(name: string, limits: AnswerLimits = {}): Promise<string> {
    checkBusName(name, 'name');
    return this.#ask('nameOwner', limits).nameOwner(name, limits);
  }

  /**
   * Resolves with whether a call to the name can reach a service: the name has an owner, or the bus can start its
   * service.
   */
  async hasName(name: string, limits: AnswerLimits = {}): Promise<boolean> {
    checkBusName(name, 'name');
    const bus = this.#ask('hasName', limits);
    return (await bus.hasOwner(name, limits)) || (await bus.names('ListActivatableNames', limits)).includes(name);
  }

  /**
   * Makes the bus start a service. Resolves with `started`, or with `running` if the service was running before.
   *
   * @throws (rejects) {@link ServiceUnknownError} if it is not running and the bus knows no such service; another
   * {@link DBusError} if it does not start
   * @see D-Bus specification, section "org.freedesktop.DBus.StartServiceByName"
   */
  async startService(name: string, limits: AnswerLimits = {}): Promise<'started' | 'running'> {
    checkWellKnownName(name, 'name');
    return this.#ask('startService', limits).startService(name, limits);
  }

  /**
   * Resolves with the credentials of a name's owner (user, process, groups), as far as the bus knows them.
   *
   * @throws (rejects) {@link NameHasNoOwnerError} if there is no owner
   * @see D-Bus specification, section "org.freedesktop.DBus.GetConnectionCredentials"
   */
  async credentials(name: string, limits: AnswerLimits = {}): Promise<Credentials> {
    checkBusName(name, 'name');
    return this.#ask('credentials', limits).credentials(name, limits);
  }

  /**
   * Follows a name's owner. The watcher is called first with the present state, and then for every change. When the
   * connection is lost, `vanished` is called. After `close` nothing is called.
   *
   * If the bus refuses to report changes, for instance because its limit of match rules is reached, the watcher's
   * `refused` is called, and the watcher does not keep the process alive. The next watcher of the name asks the bus
   * again, for both watchers.
   *
   * @returns a handle that ends the watch
   * @throws {@link InvalidArgumentError} if the name or the watcher is not valid
   * @throws {@link NotSupportedError} between peers
   * @throws {@link ConnectionClosedError} if the connection is closed
   * @see D-Bus specification, section "org.freedesktop.DBus.NameOwnerChanged"
   */
  watchName(name: string, watcher: NameWatcher): Handle {
    checkBusName(name, 'name');
    checkWatcher(watcher);
    this.requireBus('watchName');
    this.requireOpen(`${name} cannot be watched`);
    const watch = new NameWatch(name, watcher, this.routing.owners, this);
    this.#watchers.add(watch);
    const end = () => {
      if (this.#watchers.delete(watch)) watch.end();
    };
    return new EndHandle('watched name', name, this.belong(end, true));
  }

  /**
   * Resolves with the owner of a name when it has one, at once if it has one now. Without a `timeout` there is no limit.
   *
   * @example
   * ```ts
   * console.log(await bus.waitForName('org.example.dbustest', { timeout: 5000 }));
   * ```
   * @param options with `start: true` the bus starts the service
   * @throws (rejects) {@link TimeoutError}, the reason of `signal`, or {@link ConnectionClosedError}
   * @throws (rejects) with `start`, what {@link startService} rejects with; {@link NotSupportedError} between peers
   */
  async waitForName(name: string, options: WaitForNameOptions = {}): Promise<string> {
    checkBusName(name, 'name');
    waitForNameOptions.check(options);
    this.requireBus('waitForName');
    this.requireOpen(`${name} cannot be waited for`);
    const { start, ...limits } = options;
    return ownerOf(
      this,
      this.routing.owners,
      name,
      limits,
      start ? () => this.startService(name, { timeout: Number.POSITIVE_INFINITY }) : undefined,
    );
  }

  /** @internal the connection that delivers messages, over which calls are answered */
  get receiving(): Connection {
    return this.routing.connection;
  }

  /** @internal follows the owner of a name */
  get owners(): NameOwners {
    return this.routing.owners;
  }

  /** @internal whether the connection is to a peer, without a bus */
  get isPeer(): boolean {
    return this.#bus === undefined;
  }

  /**
   * @internal Checks the destination of a call. The specification has a bus interpret calls without a destination
   * itself. Buses then implement `Peer` and little else: neither dbus-daemon nor dbus-broker answers `ListNames` that
   * way. Everything is also available at the bus's own name. So a missing destination is taken as a mistake: the bus's
   * answer (no such method) would be misleading.
   *
   * @throws {@link InvalidArgumentError} if the name is not valid, or missing on a bus
   */
  override checkDestination(destination: string | undefined): void {
    if (destination !== undefined) checkBusName(destination, 'destination');
    else if (!this.isPeer) {
      throw new InvalidArgumentError(
        `destination: required on a message bus: give the name of the service that has the object, or '${BUS_NAME}' for the bus itself`,
      );
    }
  }

  /** @internal whether a message with this destination is for this connection, and not only eavesdropped */
  isAddressedHere(destination: string | undefined): boolean {
    const { uniqueName, names } = this.routing;
    if (destination === undefined || destination === uniqueName) return true;
    return names === undefined || names.everOwned(destination);
  }

  /** @throws {@link InvalidArgumentError} if a limit is not valid */
  #ask(what: keyof typeof answerLimits, limits: AnswerLimits): BusDriver {
    answerLimits[what].check(limits);
    limits.signal?.throwIfAborted();
    return this.requireBus(what);
  }

  /**
   * @internal
   * @throws {@link NotSupportedError} between peers
   */
  protected requireBus(what: string): BusDriver {
    this.requireShare(`${what}() is not possible`);
    if (this.#bus === undefined)
      throw new NotSupportedError(`${what}() needs a message bus; this is a connection to a peer`);
    return this.#bus;
  }

  #requireNames(what: string): OwnedNames {
    this.requireBus(what);
    return this.routing.names as OwnedNames;
  }

  /** @internal the number of names that this user watches */
  protected get watchedNames(): number {
    return this.#watchers.size;
  }

  /** @internal resolves when the bus has handled all messages that were sent before; immediately between peers */
  protected async roundTrip(): Promise<void> {
    await this.#bus?.roundTrip();
  }
}
