/**
 * One end of a connection: sending, state and closing. `Bus` extends it with what is received and what is asked of a
 * bus.
 */

import { type DBusError, InvalidArgumentError } from '../base/errors.js';
import type { Endable } from '../base/handle.js';
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
   * Milliseconds for answering calls that were delivered and for writing queued messages; `Infinity` for no limit. 1000
   * by default. With 0 the connection closes at once, after writing what the kernel accepts.
   */
  readonly drain?: number | undefined;
}

export const closeTable: OptionTable<CloseOptions> = { drain: checkTimeout };
const closeOptions = new KnownOptions<CloseOptions>('close()', closeTable);

/** One end of a connection, which can send and close. {@link MessageBus} extends it. */
export class Endpoint implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #keepAlive: KeepAliveUser;
  /** This user's share, if the connection has several users. */
  readonly #share: Share | undefined;
  #limit: TimeLimit | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @internal
   * @param source a connection, or an endpoint that this becomes a share of
   * @param onClosed for a share, called when it is closed
   */
  constructor(source: Connection | Endpoint, onClosed: OnShareClosed = async () => {}) {
    const isShare = source instanceof Endpoint;
    const connection = isShare ? source.#connection : source;
    // The endpoint that is shared has no users of its own.
    if (isShare) connection.keepAlive.removeUser(source.#keepAlive);
    this.#connection = connection;
    this.#keepAlive = connection.keepAlive.addUser();
    this.#share = isShare ? new Share(connection, onClosed) : undefined;
    this.#share?.whenClosed(() => connection.calls.endCallsOf(this));
  }

  /** The state of the connection, or of the share of it. A bus is `open` when a program gets it. */
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
   * @throws {@link ConnectionClosedError} if the share or its connection is not open
   */
  protected requireOpen(what: string): void {
    this.requireShare(what);
    if (this.#share?.state === 'closing')
      throw this.#connection.refusal(`the share of the connection is closing: ${what}`);
    this.#connection.requireOpen(what);
  }

  /**
   * @internal Calls `end` when the share ends, unless the returned function was called before. The end of the
   * connection ends everything without this.
   *
   * @param hears whether it ends as soon as the share begins to close, because it receives what the program no longer
   * waits for
   */
  protected belong(end: () => void, hears = false): () => void {
    const share = this.#share;
    if (share === undefined) return end;
    const item = { endNow: end };
    share.add(item, hears);
    return () => {
      if (share.remove(item)) end();
    };
  }

  /**
   * @internal Keeps the process alive for something, and ends it with the share, until {@link disown} is called. As
   * with `belong`, the end of the connection ends everything without this.
   *
   * @param hears as `belong` takes it
   * @param reportsLoss as {@link hold} takes it
   */
  own(item: Endable, hears: boolean, reportsLoss: boolean): void {
    this.#share?.add(item, hears);
    this.#keepAlive.begin(reportsLoss);
  }

  /** @internal Must be called once for each {@link own}, with the same argument. */
  disown(item: Endable, reportsLoss: boolean): void {
    this.#share?.remove(item);
    this.#keepAlive.end(reportsLoss);
  }

  /** @internal whether other shares may use the connection after this one is closed */
  protected get isShare(): boolean {
    return this.#share !== undefined;
  }

  /** @internal whether messages are sent and calls are answered: while it is open, and while it answers earlier calls */
  get carriesMessages(): boolean {
    return this.#connection.carriesMessages;
  }

  /** Whether the other side agreed to pass file descriptors. */
  get canSendFileDescriptors(): boolean {
    return this.#connection.canSendFds;
  }

  /**
   * The credentials of the process at the other end of the socket, as the kernel knows them: the process that
   * connected, or that listened. On a bus this is the bus, and otherwise the peer. `undefined` if the socket is not a
   * Unix socket, and when the connection is closed.
   */
  get peerCredentials(): Credentials | undefined {
    const peer = this.#connection.peerCredentials;
    return peer && socketCredentials(peer);
  }

  /**
   * Resolves when the connection ends: with `undefined` after `close`, with the reason after a loss. It never rejects,
   * so it need not be handled. It does not keep the process alive.
   *
   * A program that reads this property handles a loss itself. If it was never read, the loss of a bus emits a process
   * warning, and the process ends with exit code 1 if only the connection kept it alive.
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
   * On a message bus a destination is required. By the specification, a bus handles a call without a destination
   * itself. dbus-daemon and dbus-broker then answer little more than `org.freedesktop.DBus.Peer`, and nothing that they
   * do not answer at the name `org.freedesktop.DBus` as well. So a missing destination is treated as a mistake.
   * {@link send} can send such a call.
   *
   * @param options override those of `call`
   * @throws (rejects) {@link InvalidArgumentError} if a name or a value is not valid, or the destination is missing on
   * a bus; nothing is sent then
   * @throws (rejects) {@link DBusError}, or the subclass for the error's name, if the peer or the bus answers with an
   * error
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
      // Copied, because each field is read more than once: the checked value must be the value that is used.
      const { destination, path, interface: interfaceName, member, signature, body = [], reply } = call;
      const { noReply, autoStart, interactive, fileDescriptors } = call;
      this.checkDestination(destination);
      checkFlagOptions({ noReply, autoStart, interactive });
      checkBody(body, signature);
      checkChoice(reply, REPLY_FORMS, 'reply');
      if (reply === 'message' && noReply === true) {
        throw new InvalidArgumentError(
          "reply: 'message' cannot be combined with `noReply`, because the call gets no reply",
        );
      }
      const flags = callFlags({ noReply, autoStart, interactive });
      const head = { type: MessageType.MethodCall, flags, destination, path, member, signature, fileDescriptors };
      const take: TakeReply<unknown> = reply === 'message' ? takeMessage : takeValues;
      return this.#connection.calls.call({ ...head, interface: interfaceName }, body, call, take, this);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @internal as `call`, with a head that may be prepared; resolves with the result of `take` */
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
   * Sends a signal. It is written even if the process ends right after, unless the other side does not read for a
   * second. An exported object emits its signals itself; this method is for signals without an exported object.
   *
   * @throws {@link InvalidArgumentError} if a name or a value is not valid; nothing is sent then
   * @throws {@link ConnectionClosedError} if the connection is closed
   * @throws {@link BackpressureError} if more than `limits.queuedBytes` bytes are queued
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
   * Sends a message of any type without waiting for a reply: a signal, or an answer to a call that a message handler
   * took. If it sends a call, only a message handler with `replies: true` gets the reply.
   *
   * @returns the serial of the message
   * @throws as {@link emit} does; for a reply (with a `replySerial`) only if four times as many bytes are queued
   * @see D-Bus specification, section "Message Format"
   */
  send(message: OutgoingMessage): number {
    this.requireShare('nothing can be sent');
    checkObject(message, 'message');
    messageFields.checkKeys(message);
    // Copied, because each field is read more than once: the checked value must be the value that is written.
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

  /** @internal checks the destination of a call. Overridden by the layer that knows whether there is a bus. */
  checkDestination(_destination: string | undefined): void {}

  /** @internal called when {@link send} sent an answer. Overridden by the layer that dispatches calls. */
  protected noteAnswer(_replySerial: number, _destination: string | undefined): void {}

  /**
   * Reserves the next serial for a message that is sent later, as the `serial` of {@link call} or {@link send}. The
   * serial is then known before the message is sent. A serial can be used once.
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

  /** @internal sends a signal of an exported object; see {@link Connection.tell} */
  tell(head: MessageHead, body: readonly unknown[], isAnnouncement: boolean): boolean {
    return this.#connection.tell(head, body, isAnnouncement);
  }

  /** @internal sends before the next message; see {@link Connection.sendFirst} */
  sendFirst(send: (() => void) | undefined): void {
    this.#connection.sendFirst(send);
  }

  /** @internal whether a message is being encoded, during which nothing can be sent */
  get isMarshalling(): boolean {
    return this.#connection.isMarshalling;
  }

  /**
   * Keeps the process alive while the connection is open. Without `ref` or `unref`, these keep it alive: pending calls,
   * subscriptions, watched and owned names, exported objects, and queued bytes that the other side still reads.
   */
  ref(): void {
    this.#keepAlive.wish('ref');
  }

  /** Lets the process end even if the connection is in use. */
  unref(): void {
    this.#keepAlive.wish('unref');
  }

  /**
   * Resolves when the kernel has accepted everything that was sent. The other side may not have read it yet. Resolves
   * at once when the connection is closed.
   *
   * @throws (rejects) the reason of the loss, or {@link ConnectionClosedError} after `close`, if some of it was never
   * written
   */
  flush(): Promise<void> {
    const flushed = this.#connection.flush();
    // A caller that ignores the promise need not handle the loss here: it is reported, and `disconnected` resolves with
    // it.
    flushed.catch(() => {});
    return flushed;
  }

  /**
   * Closes the connection in an orderly way. It releases all names and acquires no further ones, answers the calls that
   * were delivered until then, waits for running handlers and for calls that message handlers took, writes the sent
   * messages, and closes. All of this takes at most `drain` milliseconds, a second by default, and no longer than
   * needed. Signals are no longer delivered; exports, subscriptions and names end. Calls and other operations that are
   * still waiting when the connection closes reject with {@link ConnectionClosedError}.
   *
   * If sent messages cannot be written in that time, a warning is written to standard error, and an exit code of 0
   * becomes 1. With a `drain` of 0 the loss is only reported on the channel `busbar:problem`.
   *
   * A second `close` returns the same result, but a shorter `drain` counts: `close({ drain: 0 })` closes at once. A
   * handler that awaits `close` waits for itself.
   *
   * @throws (rejects) {@link InvalidArgumentError} if an option is not valid; nothing is closed then
   */
  async close(options: CloseOptions = {}): Promise<void> {
    closeOptions.check(options);
    const { drain } = options;
    if (this.#limit === undefined) this.#beginToLeave(new TimeLimit(drain ?? CLOSE_LIMIT));
    else if (drain !== undefined) this.#limit.shorten(drain);
    await this.#closing;
  }

  /** @internal closes within the time limit of another operation, which may still be shortened */
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

  /** @internal resolves when the delivered calls are answered. Overridden by the layers that answer. Never rejects. */
  protected async answerWhatCame(): Promise<void> {}

  /** Does the same as {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * @internal keeps the process alive until the returned function is called
   *
   * @param reportsLoss whether its user rejects, or throws, when the connection is lost
   */
  hold(reportsLoss = false): () => void {
    return this.#keepAlive.hold(reportsLoss);
  }

  /** @internal calls `listener` when the connection ends, unless the returned function was called before */
  whenClosed(listener: CloseListener): () => void {
    return (this.#share ?? this.#connection).whenClosed(listener);
  }

  /** @internal the number of the connection in diagnostics */
  get connectionId(): number {
    return this.#connection.id;
  }

  /** @internal the limits for the other side */
  get limits(): CompleteLimits {
    return this.#connection.limits;
  }
}
