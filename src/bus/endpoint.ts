/**
 * One end of a connection: what it sends, and how it lives and ends. What it hears, and what it asks of a bus, is for
 * `Bus`, which stands on this one.
 */

import { type DBusError, InvalidArgumentError } from '../base/errors.js';
import { KnownOptions, type OptionTable } from '../base/known-options.js';
import { checkChoice, checkObject, checkTimeout } from '../base/parameters.js';
import { withStackAbove } from '../base/stack.js';
import { CLOSE_LIMIT, type Connection } from '../connection/connection.js';
import type { ConnectionState } from '../connection/connection-events.js';
import type { KeepAliveUser } from '../connection/keep-alive.js';
import type { CloseListener } from '../connection/lifecycle.js';
import type { CompleteLimits } from '../connection/limits.js';
import { type Message, type MessageHead, MessageType, type OutgoingMessage } from '../connection/message.js';
import { type TakeReply, takeMessage, takeValues, type WaitOptions } from '../connection/sending/pending-calls.js';
import { TimeLimit } from '../connection/time-limit.js';
import type { Credentials } from './names/driver.js';
import {
  type CallOptions,
  callFields,
  callFlags,
  checkBody,
  checkFlagOptions,
  type MessageReply,
  type MethodCall,
  messageFields,
  type SignalEmission,
  signalFields,
} from './names/requests.js';
import { type OnShareClosed, Share } from './share.js';
import { socketCredentials } from './socket-credentials.js';

/** A call that resolves with either form of its reply. */
type AnyCall = Omit<MethodCall, 'reply'> & { readonly reply?: 'values' | 'message' | undefined };

const REPLY_FORMS = ['values', 'message'];

/** How a connection is closed. */
export interface CloseOptions {
  /**
   * Milliseconds for answering what was delivered, and for writing what was sent; `Infinity` for as long as it takes. 1000 if
   * left out. With 0 the connection closes at once, after what the kernel takes.
   */
  readonly drain?: number | undefined;
}

export const closeTable: OptionTable<CloseOptions> = { drain: checkTimeout };
const closeOptions = new KnownOptions<CloseOptions>('close()', closeTable);

/** One end of a connection, which sends and ends; {@link MessageBus} has all the rest. */
export class Endpoint implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #keepAlive: KeepAliveUser;
  /** Where several use the connection, what one of them has of it. */
  readonly #share: Share | undefined;
  #limit: TimeLimit | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @internal
   * @param source a connection, or one end of it of which this is to be a share
   * @param onClosed where it is a share, called when that is closed
   */
  constructor(source: Connection | Endpoint, onClosed: OnShareClosed = async () => {}) {
    const isShare = source instanceof Endpoint;
    const connection = isShare ? source.#connection : source;
    // The end that is shared has no users of its own.
    if (isShare) connection.keepAlive.removeUser(source.#keepAlive);
    this.#connection = connection;
    this.#keepAlive = connection.keepAlive.addUser();
    this.#share = isShare ? new Share(connection, onClosed) : undefined;
    this.#share?.whenClosed(() => connection.calls.endCallsOf(this));
  }

  /** How far the connection, or the share of it, is in its life. Whoever holds a bus got it `open`. */
  get state(): ConnectionState {
    return this.#share === undefined ? this.#connection.state : this.#share.state;
  }

  /**
   * @internal
   * @throws {@link ConnectionClosedError} if the share of the connection is closed
   */
  protected requireShare(what: string): void {
    if (this.#share?.isOver === true) throw this.#connection.refusal(`the share of the connection is closed: ${what}`);
  }

  /**
   * @internal
   * @throws {@link ConnectionClosedError} if it, or its connection, is not open
   */
  protected requireOpen(what: string): void {
    this.requireShare(what);
    if (this.#share?.state === 'closing')
      throw this.#connection.refusal(`the share of the connection is closing: ${what}`);
    this.#connection.requireOpen(what);
  }

  /**
   * @internal
   * Has `end` called with the end of the share, or by what it returns. The end of the connection ends everything itself.
   *
   * @param hears whether it ends when the share begins to close, because it hears what nobody waits for any more
   */
  protected belong(end: () => void, hears = false): () => void {
    return this.#share === undefined ? end : this.#share.add(end, hears);
  }

  /** @internal whether others may use the connection when this one is closed */
  protected get isShare(): boolean {
    return this.#share !== undefined;
  }

  /** @internal whether messages are sent and calls are answered: while it is open, and while it answers what came before */
  get carriesMessages(): boolean {
    return this.#connection.carriesMessages;
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
   * rejects, so it is safe to leave alone. It does not keep the process alive.
   *
   * Reading it tells busbar that the program decides by itself what a loss means. Where nothing has read it, the loss of a bus
   * is a process warning, and the process ends with exit code 1 if the connection was what kept it alive.
   */
  get disconnected(): Promise<DBusError | undefined> {
    const { disconnected } = this.#connection;
    return this.#share === undefined ? disconnected : this.#share.closed;
  }

  /**
   * Calls a method and resolves with the values of its reply, or with the reply as a message.
   *
   * @example
   * ```ts
   * const object = { destination: 'org.example.dbustest', path: '/org/example/dbustest' };
   * const call = { ...object, interface: 'org.freedesktop.DBus.Peer', member: 'GetMachineId' };
   * const [id] = await bus.call(call);
   * const { sender, serial, body } = await bus.call({ ...call, reply: 'message' });
   * ```
   * On a message bus a destination is required. The specification has a bus interpret a call without one itself, but
   * dbus-daemon and dbus-broker answer little more than `org.freedesktop.DBus.Peer` so, and all of it at the name
   * `org.freedesktop.DBus` as well: a missing destination is a mistake. {@link send} can send such a call.
   *
   * @param options override those of `call`
   * @throws (rejects) {@link InvalidArgumentError} for names or values that are not valid, or without a destination on a bus;
   * nothing is sent then
   * @throws (rejects) {@link DBusError} or the subclass for its name, if the peer or the bus answers with an error
   * @throws (rejects) {@link TimeoutError}, the reason of `signal`, or {@link ConnectionClosedError}
   * @see D-Bus specification, section "Method Calls"
   */
  call(call: Omit<MethodCall, 'reply'> & MessageReply, options?: CallOptions): Promise<Message>;
  call(call: MethodCall, options: CallOptions & MessageReply): Promise<Message>;
  call(call: MethodCall, options?: CallOptions): Promise<unknown[]>;
  call(call: AnyCall, options?: Partial<AnyCall>): Promise<unknown> {
    try {
      this.requireShare('nothing can be called');
      checkObject(call, 'call');
      if (options !== undefined) {
        checkObject(options, 'options');
        callFields.checkKeys(options);
        return this.call({ ...call, ...options } as MethodCall);
      }
      callFields.checkKeys(call);
      // Copied, because it is looked at more than once: what is checked has to be what is used.
      const { destination, path, interface: interfaceName, member, signature, body = [], reply } = call;
      const { noReply, autoStart, interactive, fileDescriptors } = call;
      this.checkDestination(destination);
      checkFlagOptions({ noReply, autoStart, interactive });
      checkBody(body, signature);
      checkChoice(reply, REPLY_FORMS, 'reply');
      if (reply === 'message' && noReply === true) {
        throw new InvalidArgumentError("reply: a call with `noReply` has no reply that could be a 'message'");
      }
      const flags = callFlags({ noReply, autoStart, interactive });
      const head = { type: MessageType.MethodCall, flags, destination, path, member, signature, fileDescriptors };
      const take: TakeReply<unknown> = reply === 'message' ? takeMessage : takeValues;
      return this.#connection.calls.call({ ...head, interface: interfaceName }, body, call, take, this);
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
    if (this.#share?.isOver === true)
      return Promise.reject(this.#connection.refusal('the share of the connection is closed'));
    return this.#connection.calls.call(head, body, options, take, this);
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
    this.requireShare('nothing can be emitted');
    checkObject(signal, 'signal');
    signalFields.checkKeys(signal);
    const { path, interface: interfaceName, member, signature, body = [], destination, fileDescriptors } = signal;
    checkBody(body, signature);
    const head = { type: MessageType.Signal, path, interface: interfaceName, member, signature, destination };
    try {
      this.#connection.send({ ...head, fileDescriptors }, body);
    } catch (error) {
      throw withStackAbove(error, this.emit);
    }
  }

  /**
   * Sends any message and awaits no reply: a signal, or an answer to a call that a message handler took. The reply to a
   * call that is sent so is only seen by a message handler with `replies: true`.
   *
   * @returns the serial of the message
   * @throws as {@link emit} does; for an answer (with a `replySerial`) when four times as much waits
   * @see D-Bus specification, section "Message Format"
   */
  send(message: OutgoingMessage): number {
    this.requireShare('nothing can be sent');
    checkObject(message, 'message');
    messageFields.checkKeys(message);
    // Copied, because it is looked at more than once: what is checked has to be what is written.
    const { type, flags, path, interface: interfaceName, member, errorName, destination, signature } = message;
    const { body = [], replySerial, serial, fileDescriptors } = message;
    checkBody(body, signature);
    const head = { type, flags, path, interface: interfaceName, member, errorName, destination, signature };
    let sent: number;
    try {
      sent = this.#connection.send({ ...head, fileDescriptors }, body, replySerial, serial);
    } catch (error) {
      throw withStackAbove(error, this.send);
    }
    if (replySerial !== undefined) this.noteAnswer(replySerial, destination);
    return sent;
  }

  /** @internal whether calls may have this destination. Set by the layer that knows whether there is a bus. */
  checkDestination(_destination: string | undefined): void {}

  /** @internal an answer was sent by {@link send}. Set by the layer that hands out calls to answer. */
  protected noteAnswer(_replySerial: number, _destination: string | undefined): void {}

  /**
   * Takes the next serial for a message that is sent later, as the `serial` of {@link call} or {@link send}. So the number
   * of a message is known before it leaves. A serial can be used once.
   */
  reserveSerial(): number {
    return this.#connection.reserveSerial();
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

  /** @internal sends before the next message; see {@link Connection.sendFirst} */
  sendFirst(send: (() => void) | undefined): void {
    this.#connection.sendFirst(send);
  }

  /** @internal whether a message is being written, so that nothing can be sent */
  get isMarshalling(): boolean {
    return this.#connection.isMarshalling;
  }

  /**
   * Keeps the process alive for as long as the connection lives. Without `ref` or `unref`, it is kept alive by calls
   * that wait, subscriptions, watched and owned names, exported objects, and by bytes that the other side still reads.
   */
  ref(): void {
    this.#keepAlive.wish('ref');
  }

  /** Lets the process end whatever the connection is doing. */
  unref(): void {
    this.#keepAlive.wish('unref');
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
   * Leaves: takes no names any more and gives back those there are, answers the calls that were delivered until then, waits for
   * handlers that are at work and for calls that message handlers took, writes what was sent, and closes. All of that has `drain` milliseconds, a second if it is left
   * out; where it takes less, `close` waits less. Signals are not delivered any more; exports, subscriptions and names end. What
   * still waits for something when the connection closes, calls for instance, rejects with {@link ConnectionClosedError}.
   *
   * What could not be written in that time is a warning on standard error, and an exit code of 0 becomes 1; with a `drain` of 0
   * it is only reported on the channel `busbar:problem`.
   *
   * The second time it is the same, but a shorter `drain` counts: `close({ drain: 0 })` ends it at once. A handler that awaits it
   * waits for itself.
   *
   * @throws (rejects) {@link InvalidArgumentError} for options that make no sense; nothing is closed then
   */
  async close(options: CloseOptions = {}): Promise<void> {
    closeOptions.check(options);
    const { drain } = options;
    if (this.#limit === undefined) this.#beginToLeave(new TimeLimit(drain ?? CLOSE_LIMIT));
    else if (drain !== undefined) this.#limit.shorten(drain);
    await this.#closing;
  }

  /** @internal closes within a limit of another's, which may still be made shorter */
  protected async closeWithin(limit: TimeLimit): Promise<void> {
    if (this.#limit === undefined) this.#beginToLeave(limit);
    await this.#closing;
  }

  #beginToLeave(limit: TimeLimit): void {
    this.#limit = limit;
    this.#closing = this.#leave(limit);
  }

  async #leave(limit: TimeLimit): Promise<void> {
    if (this.#share !== undefined) {
      await this.#leaveShare(this.#share, limit);
      return;
    }
    if (this.state === 'open') {
      this.#connection.beginToClose();
      const release = this.#connection.keepAlive.hold();
      if (!limit.isOver) await Promise.race([this.answerWhatCame(), limit.over, this.#connection.closed]);
      release();
    }
    await this.#connection.close(limit);
  }

  async #leaveShare(share: Share, limit: TimeLimit): Promise<void> {
    share.beginToClose();
    const release = this.#connection.keepAlive.hold();
    if (!limit.isOver) await Promise.race([this.answerWhatCame(), limit.over, this.#connection.closed]);
    await share.close(limit);
    const flushed = this.#connection.flush().catch(() => {});
    await Promise.race([flushed, limit.over]);
    limit.end();
    release();
    this.#connection.keepAlive.removeUser(this.#keepAlive);
  }

  /** @internal resolves when what was delivered is answered. Set by the layers that answer. Never rejects. */
  protected async answerWhatCame(): Promise<void> {}

  /** As {@link close}: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * @internal keeps the process alive until the returned function is called
   *
   * @param hearsOfLoss whether what it is for rejects, or throws, when the connection is lost
   */
  hold(hearsOfLoss = false): () => void {
    return this.#keepAlive.hold(hearsOfLoss);
  }

  /** @internal has `listener` called when the connection is over, until the returned function is called */
  whenClosed(listener: CloseListener): () => void {
    return (this.#share ?? this.#connection).whenClosed(listener);
  }

  /** @internal the number by which diagnostics call the connection */
  get connectionId(): number {
    return this.#connection.id;
  }

  /** @internal how much the other side may cost */
  get limits(): CompleteLimits {
    return this.#connection.limits;
  }
}
