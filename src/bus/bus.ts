/**
 * A connection as a participant of a bus: it has a unique name, owns and watches names, makes calls, emits signals and
 * subscribes to them. The same class serves between peers without a bus; what only a bus can answer rejects there.
 *
 * `MessageBus` extends it with objects and proxies.
 */

import { ConnectionClosedError, InvalidArgumentError, NotSupportedError } from '../base/errors.js';
import { EndHandle, type Handle } from '../base/handle.js';
import { checkBusName, checkWellKnownName } from '../base/names.js';
import { checkFunction, checkObject } from '../base/parameters.js';
import type { Connection } from '../connection/connection.js';
import type { IncomingMessage } from '../connection/receiving/incoming-message.js';
import type { WaitOptions } from '../connection/sending/pending-calls.js';
import { report } from '../diagnostics/problems.js';
import type { BusStats } from './bus-stats.js';
import { Callees } from './callees.js';
import { CallsAtWork } from './calls-at-work.js';
import { Endpoint } from './endpoint.js';
import { Incoming } from './incoming.js';
import {
  type MessageHandler,
  type MessageHandlerOptions,
  MessageHandlers,
  messageHandlerOptions,
} from './message-handlers.js';
import { BUS_NAME, BusDriver, type Credentials } from './names/driver.js';
import { NameOwners } from './names/name-owners.js';
import { checkWatcher, NameWatch, type NameWatcher } from './names/name-watcher.js';
import type { OwnedName } from './names/owned-name.js';
import { OwnedNames, type RequestNameOptions, requestNameOptions } from './names/owned-names.js';
import { formatMatchRule, type MatchRule } from './rules/match-rule.js';
import { MatchRules } from './rules/match-rules.js';
import { type Subscription, SubscriptionHandle } from './rules/subscription.js';
import { type SignalListener, type SignalTaker, Subscriptions } from './rules/subscriptions.js';
import type { OnShareClosed } from './share.js';
import { TakenCalls } from './taken-calls.js';

/**
 * The conditions of a subscription. Each key narrows it. As `formatMatchRule` writes it, with `type='signal'`, it may
 * have at most 1024 bytes.
 */
export type SubscriptionRule = Omit<MatchRule, 'type'>;

interface BusOptions {
  readonly peer: boolean;
  /** For a share: called when it was closed. */
  readonly onClosed?: OnShareClosed | undefined;
}

/** A participant of a bus, without objects and proxies. {@link MessageBus} has both. */
export abstract class Bus extends Endpoint {
  readonly #connection: Connection;
  /** The bus that this one is a share of, or itself. */
  readonly #whole: Bus;
  readonly #bus: BusDriver | undefined;
  readonly #matchRules: MatchRules;
  readonly #owners: NameOwners;
  readonly #callees: Callees | undefined;
  readonly #subscriptions: Subscriptions;
  readonly #names: OwnedNames | undefined;
  readonly #handlers: MessageHandlers;
  readonly #taken: TakenCalls;
  readonly #watchers = new Set<NameWatch>();
  #uniqueName: string | undefined;
  /** Whether the program has closed the connection. */
  #isLeaving = false;

  /** @internal what has to be answered before this closes: for a share, the calls of its own handlers */
  readonly atWork: CallsAtWork;

  /** @internal whether anything is exported, so that calls may have to be answered */
  protected abstract get hasObjects(): boolean;

  /** @internal whether the connection closes with this share: there is no other share, or all of them are closing */
  protected abstract get isLast(): boolean;

  /** @internal answers a call */
  protected abstract handleCall(message: IncomingMessage): void;

  /**
   * @internal programs use `connect`, `sessionBus` and `systemBus`
   * @param source a connection, or a bus that this becomes a share of
   */
  constructor(source: Connection | Bus, { peer: isPeer, onClosed }: BusOptions) {
    super(source, onClosed);
    if (source instanceof Bus) {
      this.#connection = source.#connection;
      this.#whole = source.#whole;
      this.#bus = source.#bus && new BusDriver(source.#connection, this);
      this.#matchRules = source.#matchRules;
      this.#owners = source.#owners;
      this.#callees = source.#callees;
      this.#subscriptions = source.#subscriptions;
      this.#names = source.#names;
      this.#handlers = source.#handlers;
      this.#taken = source.#taken;
      this.atWork = new CallsAtWork(source.atWork);
      return;
    }
    const connection = source;
    this.#whole = this;
    this.#connection = connection;
    this.atWork = new CallsAtWork();
    this.#bus = isPeer ? undefined : new BusDriver(connection);
    this.#matchRules = new MatchRules(this.#bus);
    this.#owners = new NameOwners(this.#matchRules, this.#bus);
    const isClosing = () => this.state === 'closing';
    const isForThisConnection = (destination: string | undefined) => this.#isForThisConnection(destination);
    const taken = new TakenCalls(isPeer, connection.limits.callsInProgress);
    this.#taken = taken;
    this.#handlers = new MessageHandlers({
      id: connection.id,
      isClosing,
      isForThisConnection,
      taken,
      owners: this.#owners,
      onChange: () => this.#updateReplyHandler(),
    });
    const subscriber = {
      id: connection.id,
      isPeer,
      isClosing,
      isUniqueName: (name: string) => name === this.#uniqueName,
      isAddressedHere: (destination: string) => this.isAddressedHere(destination),
    };
    this.#subscriptions = new Subscriptions(subscriber, this.#matchRules, this.#owners);
    this.#names = this.#bus && new OwnedNames(this.#bus);
    const callees = isPeer ? undefined : new Callees(connection, this.#owners);
    this.#callees = callees;
    connection.calls.callees = callees;
    const incoming = new Incoming(connection, {
      handlers: this.#handlers,
      names: this.#names,
      owners: this.#owners,
      subscriptions: this.#subscriptions,
      isLeaving: () => this.#isLeaving,
      isForThisConnection,
      handleCall: (message) => this.handleCall(message),
    });
    connection.onMessage = (received) => incoming.dispatch(received);
    connection.whenClosed((reason) => {
      this.#names?.close(reason);
      this.#subscriptions.close();
      callees?.close();
      this.#owners.close();
      this.#matchRules.close();
    });
  }

  /** @internal sends Hello to the bus, the first message of a connection */
  async hello(options?: WaitOptions): Promise<void> {
    this.#uniqueName = await this.#bus?.hello(options);
    this.#connection.uniqueName = this.#uniqueName;
  }

  /**
   * @internal Ends the service of this connection. The names are given back first, so that callers go elsewhere. When
   * the bus has answered that, all calls that it had routed here have arrived. Between peers the calls that have
   * arrived are those in the socket's buffer.
   */
  protected override async answerWhatCame(): Promise<void> {
    this.#isLeaving = true;
    const hasNames = (this.#names?.size(this.isShare ? this : undefined) ?? 0) > 0;
    const left = this.isShare ? this.#names?.releaseAll(this) : this.#names?.leave();
    try {
      await left;
      if (hasNames || this.hasObjects || !this.#handlers.isEmpty || !this.#whole.atWork.isEmpty) {
        if (this.#bus === undefined) await this.#connection.readWhatCame();
        else if (!hasNames) await this.#bus.roundTrip();
        await this.#atWorkDone();
      }
    } catch (error) {
      // The loss of the connection ends everything.
      if (!(error instanceof ConnectionClosedError)) report('name', 'leaving the bus', error, this.connectionId);
    }
  }

  /** @internal whether there is a message handler, which may answer calls */
  protected get answersByHandlers(): boolean {
    return !this.#handlers.isEmpty;
  }

  /** Handlers send through this connection until they are done. The last share waits for the handlers of all shares. */
  async #atWorkDone(): Promise<void> {
    const stop = this.#taken.giveUpWithCallers(this.#owners, () => this.listNames());
    // The connection may be lost before they are done.
    const forget = this.whenClosed(stop);
    await (this.isLast ? this.#whole.atWork : this.atWork).done();
    forget();
    stop();
  }

  /** @internal */
  protected override noteAnswer(replySerial: number, destination: string | undefined): void {
    this.#taken.answer(replySerial, destination);
  }

  /** The name that the bus gave this connection, for instance `:1.42`; `undefined` between peers. */
  get uniqueName(): string | undefined {
    return this.#whole.#uniqueName;
  }

  /**
   * Adds a handler that sees every incoming call and signal before busbar dispatches it. Handlers are called in the
   * order in which they were added. If a handler throws, the message counts as not handled. A handler that handles a
   * call must answer it with {@link send}; {@link close} waits for that. busbar processes the bus's signals about names
   * before it calls any handler.
   *
   * @param options with `replies: true` the handler gets replies and errors as well
   * @returns a handle that ends this registration; one function may have several registrations
   * @throws {@link InvalidArgumentError} if `handler` is not a function, or an option is not valid
   * @throws {@link ConnectionClosedError} if the connection is closed
   */
  addMessageHandler(handler: MessageHandler, options: MessageHandlerOptions = {}): Handle {
    checkFunction(handler, 'handler');
    messageHandlerOptions.check(options);
    this.requireOpen('no message handler can be added');
    const registration = this.#handlers.add(handler, options, this);
    return new EndHandle(
      'message handler',
      handler.name || 'anonymous',
      this.belong(() => registration[Symbol.dispose]()),
    );
  }

  /**
   * Subscribes to the signals that match a rule. The bus filters them. Equal rules are one rule at the bus.
   *
   * If the rule's `sender` is a well-known name, a signal is delivered only if it comes from the connection that owns
   * the name at that time. Between peers `sender` is ignored, because all signals come from the peer. A rule whose
   * `destination` is the connection's unique name also matches signals that are sent to the well-known names that it
   * owns.
   *
   * A rule that the bus refuses, for instance because its limit is reached, does not keep the process alive. The next
   * equal subscription asks the bus again. If the bus accepts the rule then, the earlier listeners get signals, too.
   *
   * @returns a handle that ends the subscription; its `ready` settles with the bus's answer to the rule
   * @throws {@link InvalidArgumentError} if the rule is not valid
   * @throws {@link ConnectionClosedError} if the connection is closed
   * @see D-Bus specification, section "Match Rules"
   */
  subscribe(rule: SubscriptionRule, listener: SignalListener): Subscription {
    checkObject(rule, 'rule');
    checkFunction(listener, 'listener');
    return this.listen(rule, (received) => {
      return listener(received.makeMessage().keep());
    });
  }

  /**
   * @internal as `subscribe`, for a listener that keeps no message: `take` gets the inbox that holds the signal
   *
   * @param reportsLoss whether its user rejects, or throws, when the connection is lost
   */
  listen(rule: SubscriptionRule, take: SignalTaker, reportsLoss = false): Subscription {
    this.requireOpen('nothing can be subscribed to');
    const subscription = this.#subscriptions.add({ ...rule, type: 'signal' }, take, this, reportsLoss);
    if (!this.isShare) return subscription;
    const end = this.belong(() => subscription.end(), true);
    return new SubscriptionHandle(formatMatchRule({ ...rule, type: 'signal' }), subscription, end);
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
   * @throws (rejects) {@link NotSupportedError} between peers, as do all methods that ask the bus
   * @see D-Bus specification, section "org.freedesktop.DBus.ListNames"
   */
  async listNames(): Promise<string[]> {
    return this.#requireBus('listNames').names('ListNames');
  }

  /**
   * Resolves with all names that the bus can start a service for.
   *
   * @see D-Bus specification, section "org.freedesktop.DBus.ListActivatableNames"
   */
  async listActivatableNames(): Promise<string[]> {
    return this.#requireBus('listActivatableNames').names('ListActivatableNames');
  }

  /**
   * Resolves with the unique name of a name's owner.
   *
   * @throws (rejects) {@link NameHasNoOwnerError} if there is no owner
   * @see D-Bus specification, section "org.freedesktop.DBus.GetNameOwner"
   */
  async nameOwner(name: string): Promise<string> {
    checkBusName(name, 'name');
    return this.#requireBus('nameOwner').nameOwner(name);
  }

  /**
   * Resolves with whether a call to the name can reach a service: the name has an owner, or the bus can start its
   * service.
   */
  async hasName(name: string): Promise<boolean> {
    checkBusName(name, 'name');
    const bus = this.#requireBus('hasName');
    return (await bus.hasOwner(name)) || (await bus.names('ListActivatableNames')).includes(name);
  }

  /**
   * Makes the bus start a service. Resolves with `started`, or with `running` if the service was running before.
   *
   * @throws (rejects) {@link ServiceUnknownError} if it is not running and the bus knows no such service; another
   * {@link DBusError} if it does not start
   * @see D-Bus specification, section "org.freedesktop.DBus.StartServiceByName"
   */
  async startService(name: string): Promise<'started' | 'running'> {
    checkWellKnownName(name, 'name');
    return this.#requireBus('startService').startService(name);
  }

  /**
   * Resolves with the credentials of a name's owner (user, process, groups), as far as the bus knows them.
   *
   * @throws (rejects) {@link NameHasNoOwnerError} if there is no owner
   * @see D-Bus specification, section "org.freedesktop.DBus.GetConnectionCredentials"
   */
  async credentials(name: string): Promise<Credentials> {
    checkBusName(name, 'name');
    return this.#requireBus('credentials').credentials(name);
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
    this.#requireBus('watchName');
    this.requireOpen(`${name} cannot be watched`);
    const watch = new NameWatch(name, watcher, this.#owners, this);
    this.#watchers.add(watch);
    const end = () => {
      if (this.#watchers.delete(watch)) watch.end();
    };
    return new EndHandle('watched name', name, this.belong(end, true));
  }

  /**
   * Returns counts of what the connection holds, which return to their earlier values when everything is released, and
   * of what it has done.
   */
  stats(): BusStats {
    return {
      connection: this.#connection.id,
      state: this.state,
      pendingCalls: this.#connection.pendingCalls,
      matchRules: this.#matchRules.size,
      calledNames: this.#callees?.size ?? 0,
      subscriptions: this.#subscriptions.listeners + (this.state === 'closed' ? 0 : this.#watchers.size),
      ownedNames: this.#names?.size() ?? 0,
      queuedBytes: this.#connection.queuedBytes,
      readingPaused: this.#connection.readingPaused,
      droppedSignals: this.#subscriptions.droppedSignals,
      unmatchedSignals: this.#subscriptions.unmatchedSignals,
      ...this.#connection.traffic,
    };
  }

  /** @internal follows the owner of a name */
  get owners(): NameOwners {
    return this.#owners;
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
    if (destination === undefined || destination === this.uniqueName) return true;
    return this.#names === undefined || this.#names.everOwned(destination);
  }

  /** On a bus a call without a destination is for the bus. Monitors receive such calls. */
  #isForThisConnection(destination: string | undefined): boolean {
    return this.isPeer || (destination !== undefined && this.isAddressedHere(destination));
  }

  /**
   * Passing replies to handlers costs time for each reply, so the connection does it only while a handler wants
   * replies.
   */
  #updateReplyHandler(): void {
    const { wantReplies } = this.#handlers;
    this.#connection.onReply = wantReplies ? (received) => this.#handlers.showReply(received) : undefined;
  }

  #requireBus(what: string): BusDriver {
    this.requireShare(`${what}() is not possible`);
    if (this.#bus === undefined)
      throw new NotSupportedError(`${what}() needs a message bus; this is a connection to a peer`);
    return this.#bus;
  }

  #requireNames(what: string): OwnedNames {
    this.#requireBus(what);
    return this.#names as OwnedNames;
  }
}
