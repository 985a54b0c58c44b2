/**
 * A connection as a participant of a bus: it has a unique name, owns and watches names, calls, emits, and listens.
 * Between peers without a bus the same object serves, and what only a bus can answer rejects.
 *
 * Objects and proxies stand on this one; `MessageBus` puts all of it together.
 */
import type { Connection } from '../connection/connection.js';
import type { Inbox } from '../connection/inbox.js';
import type { CloseListener, ConnectionState } from '../connection/lifecycle.js';
import {
  type IncomingMessage,
  MessageFlag,
  type MessageHead,
  MessageType,
  type OutgoingMessage,
} from '../connection/message.js';
import { type TakeReply, takeValues, type WaitOptions } from '../connection/pending-calls.js';
import { report } from '../diagnostics.js';
import { type DBusError, InvalidArgumentError, NotSupportedError } from '../errors.js';
import type { CompleteLimits } from '../limits.js';
import { checkBusName, checkWellKnownName } from '../names.js';
import { checkFunction, checkObject } from '../parameters.js';
import type { BusStats } from './bus-stats.js';
import { Callees } from './callees.js';
import { BusDriver, type Credentials } from './driver.js';
import type { MatchRule } from './match-rule.js';
import { type MessageHandler, MessageHandlers } from './message-handlers.js';
import { NameWatch, type NameWatcher } from './name-watcher.js';
import type { OwnedName } from './owned-name.js';
import { OwnedNames, type RequestNameOptions } from './owned-names.js';
import { type CallOptions, callFlags, type MethodCall, type SignalEmission } from './requests.js';
import { socketCredentials } from './socket-credentials.js';
import type { Subscription } from './subscription.js';
import { type SignalListener, type SignalTaker, Subscriptions } from './subscriptions.js';

/** What a subscription asks for; every key narrows it. */
export type SubscriptionRule = Omit<MatchRule, 'type'>;

/** A participant of a bus, without objects and proxies: {@link MessageBus} has both. */
export class Bus implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #bus: BusDriver | undefined;
  readonly #subscriptions: Subscriptions;
  readonly #names: OwnedNames | undefined;
  readonly #handlers: MessageHandlers;
  #uniqueName: string | undefined;

  /** Answers calls; set by the layer that has objects. */
  protected handleCall: (message: IncomingMessage) => void = () => {};

  /** @internal connections are made with `connect`, `sessionBus` and `systemBus` */
  constructor(connection: Connection, options: { readonly peer: boolean }) {
    this.#connection = connection;
    const isClosing = () => this.state === 'closing';
    this.#handlers = new MessageHandlers(connection.id, isClosing);
    this.#bus = options.peer ? undefined : new BusDriver(connection);
    this.#subscriptions = new Subscriptions(this.#bus, isClosing);
    this.#names = this.#bus && new OwnedNames(this.#bus);
    if (this.#bus !== undefined) {
      const callees = new Callees(connection, this.#subscriptions.owners);
      connection.calleeOf = (destination) => callees.of(destination);
    }
    connection.onMessage = (received) => this.#dispatch(received);
    connection.whenClosed((reason) => {
      this.#names?.close(reason);
      this.#subscriptions.close();
    });
  }

  /** @internal says Hello to the bus, which is the first message of a connection */
  async hello(options?: WaitOptions): Promise<void> {
    this.#uniqueName = await this.#bus?.hello(options);
    this.#connection.uniqueName = this.#uniqueName;
  }

  /** The name that the bus gave this connection, for instance `:1.42`; `undefined` between peers. */
  get uniqueName(): string | undefined {
    return this.#uniqueName;
  }

  /** How far the connection is in its life. Whoever holds a bus got it `open`. */
  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Whether the other side agreed to pass file descriptors. */
  get canSendFileDescriptors(): boolean {
    return this.#connection.canSendFds;
  }

  /**
   * Who is at the other end of the socket, as the kernel knows: the process that connected, or that listened. Between
   * peers that is the peer, else the bus. `undefined` for what is no unix socket, and when the connection is over.
   */
  get peerCredentials(): Credentials | undefined {
    const peer = this.#connection.peerCredentials;
    return peer && socketCredentials(peer);
  }

  /**
   * Settles when the connection is over: with `undefined` after `close`, with the reason after a loss. It never
   * rejects, so it is safe to leave alone.
   */
  get disconnected(): Promise<DBusError | undefined> {
    return this.#connection.closed;
  }

  /**
   * Calls a method and resolves with the values of its reply.
   *
   * @param options override those of `call`
   * @throws (rejects) {@link InvalidArgumentError} for names or values that are not valid; nothing is sent then
   * @throws (rejects) {@link DBusError} or the subclass for its name, if the peer or the bus answers with an error
   * @throws (rejects) {@link TimeoutError}, the reason of `signal`, or {@link ConnectionClosedError}
   * @see D-Bus specification, section "Method Calls"
   */
  call(call: MethodCall, options?: CallOptions): Promise<unknown[]> {
    try {
      checkObject(call, 'call');
      if (options !== undefined) {
        checkObject(options, 'options');
        return this.call({ ...call, ...options });
      }
      const { destination, path, interface: interfaceName, member, signature, body } = call;
      const head = { type: MessageType.MethodCall, flags: callFlags(call), destination, path, member, signature };
      return this.#connection.call({ ...head, interface: interfaceName }, body ?? [], call, takeValues);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @internal as `call`, by a head that may be prepared, resolving with what `take` makes of the reply */
  request<Result>(
    head: MessageHead,
    body: readonly unknown[],
    options: WaitOptions,
    take: TakeReply<Result>,
  ): Promise<Result> {
    return this.#connection.call(head, body, options, take);
  }

  /**
   * Sends a signal. It is written even if the process ends right after, unless the other side does not read for a second.
   * Signals of an exported object are emitted by the object itself; this is for those without one.
   *
   * @throws {@link InvalidArgumentError} for names or values that are not valid; nothing is sent then
   * @throws {@link ConnectionClosedError} if the connection is over
   * @throws {@link BackpressureError} if more than `limits.queuedBytes` wait to be written
   * @see D-Bus specification, section "Signal Emission"
   */
  emit(signal: SignalEmission): void {
    checkObject(signal, 'signal');
    const { path, interface: interfaceName, member, signature, body, destination } = signal;
    const head = { type: MessageType.Signal, path, interface: interfaceName, member, signature, destination };
    this.#connection.send(head, body);
  }

  /**
   * Sends any message that awaits no reply: a signal, or an answer to a call that a message handler took.
   *
   * @returns the serial of the message
   * @throws as {@link emit} does; for an answer (with a `replySerial`) when four times as much waits
   * @see D-Bus specification, section "Message Format"
   */
  send(message: OutgoingMessage): number {
    checkObject(message, 'message');
    // Copied, because it is looked at more than once: what is checked has to be what is written.
    const { type, flags, path, interface: interfaceName, member, errorName, destination, signature } = message;
    const { body, replySerial } = message;
    const head = { type, flags, path, interface: interfaceName, member, errorName, destination, signature };
    return this.#connection.send(head, body, replySerial);
  }

  /** @internal answers a call; see {@link Connection.answer} */
  answer(head: MessageHead, body: readonly unknown[], replySerial: number): boolean {
    return this.#connection.answer(head, body, replySerial);
  }

  /** @internal answers a call with LimitsExceeded; see {@link Connection.refuseCall} */
  refuseCall(destination: string | undefined, replySerial: number, text: string): void {
    this.#connection.refuseCall(destination, replySerial, text);
  }

  /** @internal sends what an exported object tells; see {@link Connection.tell} */
  tell(head: MessageHead, body: readonly unknown[], isAnnouncement: boolean): void {
    this.#connection.tell(head, body, isAnnouncement);
  }

  /**
   * Adds a handler that sees every incoming call and signal first, in the order of adding. A handler that throws
   * counts as not having dealt with the message. Whoever deals with a call has to answer it, by {@link send}.
   *
   * @returns a handle that takes the handler away again
   */
  addMessageHandler(handler: MessageHandler): Disposable {
    checkFunction(handler, 'handler');
    return this.#handlers.add(handler);
  }

  /**
   * Listens to signals that match a rule, filtered by the bus. Rules that are equal are one rule there.
   *
   * Signals asked for from a well-known name are delivered only if they come from the connection that owns the name
   * at that time. Between peers all signals come from the peer, so a rule's `sender` is not looked at.
   *
   * @returns a handle that ends it; what the bus says of the rule is in its `ready`
   * @throws {@link InvalidArgumentError} if the rule is not valid
   * @see D-Bus specification, section "Match Rules"
   */
  subscribe(rule: SubscriptionRule, listener: SignalListener): Subscription {
    checkObject(rule, 'rule');
    checkFunction(listener, 'listener');
    return this.listen(rule, (received) => {
      return listener(received.makeMessage().keep());
    });
  }

  /** @internal as `subscribe`, for who wants no message to keep: `take` gets the inbox that the signal is in */
  listen(rule: SubscriptionRule, take: SignalTaker): Subscription {
    const subscription = this.#subscriptions.add({ ...rule, type: 'signal' }, take);
    const release = this.#connection.hold();
    const unsubscribe = () => {
      subscription.unsubscribe();
      release();
    };
    return {
      unsubscribe,
      [Symbol.dispose]: unsubscribe,
      get ready() {
        return subscription.ready;
      },
    };
  }

  /**
   * Requests a well-known name. Without options it is all or nothing: a name that somebody owns rejects with
   * {@link NameTakenError}. Each request has a handle of its own; a name is given back with the last of them.
   *
   * @see D-Bus specification, section "org.freedesktop.DBus.RequestName"
   */
  async requestName(name: string, options: RequestNameOptions = {}): Promise<OwnedName> {
    checkObject(options, 'options');
    const names = this.#requireNames('requestName');
    const release = this.hold();
    try {
      return await names.request(name, options, this, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Gives a name back, or leaves its queue: all handles that were requested here are released.
   *
   * @throws (rejects) {@link NameHasNoOwnerError} or {@link NameTakenError} if the name is nobody's, or somebody else's
   */
  async releaseName(name: string): Promise<void> {
    checkWellKnownName(name, 'name');
    await this.#requireNames('releaseName').release(name, this);
  }

  /**
   * All names on the bus, unique ones included.
   *
   * @throws (rejects) {@link NotSupportedError} between peers, as everything here that asks the bus
   * @see D-Bus specification, section "org.freedesktop.DBus.ListNames"
   */
  async listNames(): Promise<string[]> {
    return this.#requireBus('listNames').names('ListNames');
  }

  /**
   * All names that the bus can start a service for.
   *
   * @see D-Bus specification, section "org.freedesktop.DBus.ListActivatableNames"
   */
  async listActivatableNames(): Promise<string[]> {
    return this.#requireBus('listActivatableNames').names('ListActivatableNames');
  }

  /**
   * The unique name of a name's owner.
   *
   * @throws (rejects) {@link NameHasNoOwnerError} where there is none
   * @see D-Bus specification, section "org.freedesktop.DBus.GetNameOwner"
   */
  async nameOwner(name: string): Promise<string> {
    checkBusName(name, 'name');
    return this.#requireBus('nameOwner').nameOwner(name);
  }

  /** Whether a call to the name could reach somebody: it is owned, or the bus can start its service. */
  async hasName(name: string): Promise<boolean> {
    checkBusName(name, 'name');
    const bus = this.#requireBus('hasName');
    return (await bus.hasOwner(name)) || (await bus.names('ListActivatableNames')).includes(name);
  }

  /**
   * Has the bus start a service. Resolves with whether it was `started` now or is `running` already.
   *
   * @throws (rejects) {@link ServiceUnknownError} if the bus knows no such service, or another {@link DBusError} if it
   * does not start
   * @see D-Bus specification, section "org.freedesktop.DBus.StartServiceByName"
   */
  async startService(name: string): Promise<'started' | 'running'> {
    checkWellKnownName(name, 'name');
    return this.#requireBus('startService').startService(name);
  }

  /**
   * Who the owner of a name is: user, process, groups, as far as the bus knows.
   *
   * @throws (rejects) {@link NameHasNoOwnerError} where there is none
   * @see D-Bus specification, section "org.freedesktop.DBus.GetConnectionCredentials"
   */
  async credentials(name: string): Promise<Credentials> {
    checkBusName(name, 'name');
    return this.#requireBus('credentials').credentials(name);
  }

  /**
   * Follows a name's owner: tells at once whether there is one, and of every change from then on. When the connection is
   * lost, `vanished` is called; after `close` nothing is.
   *
   * @returns a handle that ends it
   * @throws {@link ConnectionClosedError} if the connection is not open
   * @throws {@link InvalidArgumentError} for what is no name
   * @throws {@link NotSupportedError} between peers
   * @see D-Bus specification, section "org.freedesktop.DBus.NameOwnerChanged"
   */
  watchName(name: string, watcher: NameWatcher): Disposable {
    checkBusName(name, 'name');
    const watch = new NameWatch(name, watcher, this.connectionId);
    this.#requireBus('watchName');
    this.#connection.requireOpen(`${name} cannot be watched`);
    const releaseHold = this.#connection.hold();
    const followed = this.#subscriptions.owners.follow(name, watch.tell);
    const stopWaiting = this.#connection.whenClosed((reason) => watch.end(reason));
    return {
      [Symbol.dispose]: () => {
        stopWaiting();
        followed.release();
        releaseHold();
      },
    };
  }

  /**
   * Counts of what the connection holds, which return to where they were when everything is given back, and of what it
   * did.
   */
  stats(): BusStats {
    return {
      connection: this.#connection.id,
      state: this.#connection.state,
      pendingCalls: this.#connection.pendingCalls,
      matchRules: this.#subscriptions.size,
      subscriptions: this.#subscriptions.listeners,
      ownedNames: this.#names?.size() ?? 0,
      queuedBytes: this.#connection.queuedBytes,
      readingPaused: this.#connection.readingPaused,
      droppedSignals: this.#subscriptions.droppedSignals,
      unmatchedSignals: this.#subscriptions.unmatchedSignals,
      ...this.#connection.traffic,
    };
  }

  /**
   * Keeps the process alive for as long as the connection lives. Without `ref` or `unref`, it is kept alive by calls
   * that wait, subscriptions, owned names and exported objects.
   */
  ref(): void {
    this.#connection.ref();
  }

  /** Lets the process end whatever the connection is doing. */
  unref(): void {
    this.#connection.unref();
  }

  /**
   * Resolves when the kernel has taken everything that was sent, which says nothing of whether anybody has read it; at
   * once when the connection is over.
   *
   * @throws (rejects) the reason of the loss, or {@link ConnectionClosedError} after `close`, if some of it was never written
   */
  flush(): Promise<void> {
    const flushed = this.#connection.flush();
    // Who does not wait for it need not hear of the loss here: it is reported, and what `disconnected` tells.
    flushed.catch(() => {});
    return flushed;
  }

  /**
   * Writes what was sent, for a second at most, and closes. Calls that wait reject with {@link ConnectionClosedError};
   * exports, subscriptions and names end.
   */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** As {@link close}: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal keeps the process alive until the returned function is called */
  hold(): () => void {
    return this.#connection.hold();
  }

  /** @internal has `listener` called when the connection is over, until the returned function is called */
  whenClosed(listener: CloseListener): () => void {
    return this.#connection.whenClosed(listener);
  }

  /** @internal follows the owner of a name */
  get owners(): Subscriptions['owners'] {
    return this.#subscriptions.owners;
  }

  /** @internal the number by which diagnostics call the connection */
  get connectionId(): number {
    return this.#connection.id;
  }

  /** @internal how much the other side may cost */
  get limits(): CompleteLimits {
    return this.#connection.limits;
  }

  /** @internal whether there is no bus, but one peer at the other end */
  get isPeer(): boolean {
    return this.#bus === undefined;
  }

  /** @internal whether a message that carries this destination is for this connection, and not merely overheard */
  isAddressedHere(destination: string | undefined): boolean {
    if (destination === undefined || destination === this.#uniqueName) return true;
    return this.#names === undefined || this.#names.everOwned(destination);
  }

  #dispatch(received: Inbox): void {
    if (received.isBroken) {
      this.#refuseBroken(received);
      return;
    }
    if (!this.#handlers.isEmpty && this.#handlers.handle(received)) return;
    if (received.type === MessageType.MethodCall) {
      received.expectLastTaker();
      this.handleCall(received.messageToAnswer());
      return;
    }
    this.#names?.observe(received);
    this.#subscriptions.dispatch(received);
  }

  /** What a broken header says is not acted upon, but its caller does not wait in vain. */
  #refuseBroken(received: Inbox): void {
    const { type, flags, destination, sender, serial, fault } = received;
    const from = sender === undefined ? '' : ` from ${sender}`;
    report('message', `a message${from} was dropped`, fault, this.connectionId);
    if (type !== MessageType.MethodCall || (flags & MessageFlag.NoReplyExpected) !== 0 || fault === undefined) return;
    // On a bus a call without a destination is for the bus: a monitor sees such.
    if (!this.isPeer && (destination === undefined || !this.isAddressedHere(destination))) return;
    const head = { type: MessageType.Error, errorName: fault.dbusName, destination: sender, signature: 's' };
    try {
      this.#connection.send(head, [fault.message], serial);
    } catch (error) {
      report('send', `the call ${serial} of ${sender ?? 'the peer'} gets no reply`, error, this.connectionId);
    }
  }

  #requireBus(what: string): BusDriver {
    if (this.#bus === undefined) throw new NotSupportedError(`${what} needs a message bus; this is a peer connection`);
    return this.#bus;
  }

  #requireNames(what: string): OwnedNames {
    this.#requireBus(what);
    return this.#names as OwnedNames;
  }
}
