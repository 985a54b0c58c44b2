/**
 * One connection to a bus or a peer: it owns the native connection, numbers the messages, and matches replies with
 * calls. How it begins and ends is told by its `Lifecycle`; what calls and signals mean is for the layers above.
 */
import { constants } from 'node:os';
import { publishReceived, publishSent, watchesMessages } from '../diagnostics/message-events.js';
import { report, trace } from '../diagnostics.js';
import {
  BackpressureError,
  ConnectionClosedError,
  type DBusError,
  isOverOrFull,
  LimitsExceededError,
  NotSupportedError,
} from '../errors.js';
import type { CompleteLimits } from '../limits.js';
import type {
  ConnectionPhase,
  InboxMemory,
  NativeConnection,
  PeerCredentials,
  PollerKind,
  ServedSocket,
  SocketTarget,
  TransportKind,
} from '../native/binding.js';
import { loadAddon } from '../native/load.js';
import { ANSWERS_FACTOR, BackPressure } from './back-pressure.js';
import { Deadlines } from './deadlines.js';
import { lossOf, refusalOf } from './errno.js';
import { flushAtExit, forgetAtExit } from './exit.js';
import { Inbox } from './inbox.js';
import { KeepAlive } from './keep-alive.js';
import { type CloseListener, type ConnectFailure, type ConnectionState, Lifecycle } from './lifecycle.js';
import { describeMessage, MessageFlag, type MessageHead, MessageType } from './message.js';
import { type Answered, Outbox, type RefusedMessage, Urgency } from './outbox.js';
import {
  type Callee,
  checkWaitOptions,
  type InnerWaitOptions,
  noReply,
  PendingCalls,
  type TakeReply,
} from './pending-calls.js';
import { timeLimit } from './time-limit.js';
import type { Traffic } from './traffic.js';
import { Turn } from './turn.js';

export interface ConnectionOptions {
  /** One server address; not looked at where there is a `target`, or something to `serve`. */
  readonly address: string;
  /** A peer to connect to without sd-bus, which then must not be the transport. */
  readonly target?: SocketTarget | undefined;
  /** A client that was accepted: then this is the server's end, and making it keeps nobody alive. */
  readonly serve?: ServedSocket | undefined;
  /** Whether the other side is no bus: then nobody vouches for what messages say of their sender. */
  readonly peer?: boolean | undefined;
  /** Whether to authenticate without saying who one is, or to let in who does. */
  readonly anonymous?: boolean | undefined;
  readonly transport: TransportKind;
  readonly poller: PollerKind;
  /** Milliseconds until an attempt to connect is given up. */
  readonly timeout: number;
  /** How much the other side may cost. */
  readonly limits: CompleteLimits;
}

/** Milliseconds that closing waits for what was sent to be written. */
export const CLOSE_LIMIT = 1000;

/** So many answers to refused replies are remembered: those that are refused are so soon. */
const ANSWERS_REFUSED_MAXIMUM = 1024;

/** Connections made so far. */
let made = 0;

export class Connection {
  /** The number by which diagnostics call this connection. */
  readonly id = ++made;

  /** Called with every method call and signal, in wire order, each while it is the inbox's current message. */
  onMessage: (received: Inbox) => void = () => {};

  /** Asked before every call, and may send messages that are to go before it: who may answer, as `PendingCalls.wait` takes it. */
  calleeOf: (destination: string | undefined) => Callee | undefined = () => undefined;

  /** From the opening to the end: its memory is a lot for a client that may never authenticate, and for what is over. */
  #inbox!: Inbox;
  /** Whether rows of the inbox are being handled. */
  #isHandling = false;
  readonly #turn = new Turn();
  readonly #native: NativeConnection;
  /** How much the other side may cost. */
  readonly limits: CompleteLimits;
  readonly #isPeer: boolean;
  readonly #transport: TransportKind;
  readonly #pressure: BackPressure;
  readonly #outbox: Outbox;
  readonly #deadlines = new Deadlines();
  readonly #pending: PendingCalls;
  readonly #keepAlive: KeepAlive;
  readonly #life: Lifecycle;
  #canSendFds = false;
  /** Whether a reply of the batch has settled a call: a pause is due before the next message that is none. */
  #settled = false;
  #serial = 0;
  #messagesReceived = 0;
  #bodyBytesReceived = 0;
  #unexpectedReplies = 0;
  #closing: Promise<void> | undefined;
  /** The serials of answers to refused replies: if one is refused as well, nothing can be sent to its caller. */
  readonly #answersRefused = new Set<number>();
  /** Why the attempt is given up here. */
  #givenUp: ConnectFailure | undefined;
  /** Why the connection is ended here. */
  #failure: DBusError | undefined;
  /** Whether the addon has seen that nothing can be written any more: the loss will follow. */
  #isBroken = false;

  private constructor(options: ConnectionOptions) {
    const { limits, serve, transport } = options;
    this.limits = limits;
    this.#transport = transport;
    this.#isPeer = options.peer === true;
    this.#pending = new PendingCalls(this.#deadlines, this.id, !this.#isPeer, () => this.#keepAlive.update());
    const { Connection: Native } = loadAddon();
    this.#native = new Native({
      address: options.address,
      target: options.target,
      serve,
      anonymous: options.anonymous,
      transport,
      poller: options.poller,
      limits: options.limits,
      onOpen: (canSendFds) => this.#onOpen(canSendFds),
      onBatch: (from, count, newStrings, large, milliseconds) =>
        this.#onBatch(from, count, newStrings, large, milliseconds),
      onDrain: (hungUp) => this.#onDrain(hungUp),
      onRefused: (serial, errno, replySerial, destination) =>
        this.#outbox.refuse({ serial, errno, replySerial, destination }),
      onClose: (errno, phase, detail) => this.#onClose(errno, phase, detail),
    });
    this.#keepAlive = new KeepAlive(this.#native, () => this.#pending.size > 0);
    this.#pressure = new BackPressure(this.#native, {
      limit: limits.queuedBytes,
      waiting: () => this.#outbox.waiting(),
      fail: (reason) => this.fail(reason),
    });
    this.#outbox = new Outbox(this.#native, {
      limit: limits.queuedBytes,
      pressure: this.#pressure,
      isIdle: (isAwaited) => this.#pending.size === (isAwaited ? 1 : 0),
      onRefused: (refused) => this.#onRefused(refused),
    });
    this.#life = new Lifecycle({ id: this.id, address: serve === undefined ? options.address : '', transport });
  }

  /** Connects and authenticates. Resolves with the open connection, or with why there is none. */
  static async open(options: ConnectionOptions): Promise<Connection | ConnectFailure> {
    const connection = new Connection(options);
    const release = connection.hold();
    const failure = await connection.#start(options);
    release();
    return failure ?? connection;
  }

  /**
   * Begins to serve a client that was accepted, which keeps nobody alive. `opened` resolves when it has authenticated,
   * with why it has not otherwise.
   */
  static serve(options: ConnectionOptions & { readonly serve: ServedSocket }): {
    readonly connection: Connection;
    readonly opened: Promise<ConnectFailure | undefined>;
  } {
    const connection = new Connection(options);
    return { connection, opened: connection.#start(options) };
  }

  get state(): ConnectionState {
    return this.#life.state;
  }

  /** Settles when the connection is closed: with nothing after `close`, with the reason after a loss. Never rejects. */
  get closed(): Promise<DBusError | undefined> {
    return this.#life.closed;
  }

  /** Whether the other side agreed to pass file descriptors. */
  get canSendFds(): boolean {
    return this.#canSendFds;
  }

  /** The name that the bus gave this connection. Replies to other names are none to its calls. */
  set uniqueName(name: string | undefined) {
    this.#pending.ownName = name;
  }

  /** Who is at the other end of the socket, as the kernel knows; `undefined` where it does not, or not any more. */
  get peerCredentials(): PeerCredentials | undefined {
    return this.#native.peerCredentials();
  }

  get pendingCalls(): number {
    return this.#pending.size;
  }

  get queuedBytes(): number {
    return this.#outbox.queuedBytes;
  }

  /** Whether nothing is read because too many answers wait to be written. */
  get readingPaused(): boolean {
    return this.#pressure.isPaused;
  }

  /** What went over this connection so far. */
  get traffic(): Traffic {
    return {
      messagesSent: this.#outbox.messages,
      messagesReceived: this.#messagesReceived,
      bodyBytesSent: this.#outbox.bodyBytes,
      bodyBytesReceived: this.#bodyBytesReceived,
      calls: this.#pending.counts,
      unexpectedReplies: this.#unexpectedReplies,
    };
  }

  /**
   * Sends a message that awaits no reply, and returns its serial.
   *
   * @param replySerial the serial of the message that it answers, if it does
   *
   * @throws {@link InvalidArgumentError} for a header or value that is not valid; nothing is sent then
   * @throws {@link ConnectionClosedError} if the connection is not open
   * @throws {@link BackpressureError} if too much waits to be written
   */
  send(head: MessageHead, body: readonly unknown[] = [], replySerial = 0): number {
    this.#requireOpen(head);
    const serial = this.#nextSerial();
    this.#push(head, body, serial, replySerial, replySerial === 0 ? Urgency.Own : Urgency.Answer);
    return serial;
  }

  /**
   * Sends the answer to a call. Its caller waits for it, so it may take several times the room of what can wait; beyond that
   * the caller gets an error in its place, which is reported.
   *
   * @returns whether it was sent, and not an error in its place
   * @throws as `send` throws, but no {@link BackpressureError}
   */
  answer(head: MessageHead, body: readonly unknown[], replySerial: number): boolean {
    this.#requireOpen(head);
    try {
      this.#push(head, body, this.#nextSerial(), replySerial, Urgency.Answer);
      return true;
    } catch (error) {
      if (!(error instanceof BackpressureError)) throw error;
      const text = `the reply was dropped: ${this.queuedBytes} bytes wait to be written already`;
      this.refuseCall(head.destination, replySerial, text);
      report('send', `the call ${replySerial} of ${head.destination ?? 'the peer'} gets an error`, error, this.id);
      return false;
    }
  }

  /** Answers a call with LimitsExceeded, however much waits already. */
  refuseCall(destination: string | undefined, replySerial: number, text: string): void {
    const head = { type: MessageType.Error, errorName: LimitsExceededError.dbusName, destination, signature: 's' };
    this.#push(head, [text], this.#nextSerial(), replySerial, Urgency.Refusal);
  }

  /**
   * Sends what an exported object tells. It may be told to many, so that one peer that does not read is not the others'
   * business, nor the emitter's: its connection ends. A bus is another matter: what it does not read, nobody gets.
   *
   * @param isAnnouncement whether others take it for the state of things, so that it must not be left out
   * @throws {@link InvalidArgumentError} for a value that is not valid; nothing is sent then
   * @throws {@link BackpressureError} on a bus, for a signal, if too much waits to be written
   */
  tell(head: MessageHead, body: readonly unknown[], isAnnouncement: boolean): void {
    this.#requireOpen(head);
    if (this.#isPeer) {
      this.#tellPeer(head, body);
      return;
    }
    try {
      this.#push(head, body, this.#nextSerial(), 0, isAnnouncement ? Urgency.Answer : Urgency.Own);
    } catch (error) {
      if (!isAnnouncement || !(error instanceof BackpressureError)) throw error;
      this.#failUnread();
    }
  }

  #tellPeer(head: MessageHead, body: readonly unknown[]): void {
    const { queuedBytes: limit } = this.limits;
    const { ownBytes, queuedBytes } = this.#outbox;
    if (ownBytes > limit || queuedBytes > limit * ANSWERS_FACTOR) {
      this.#failUnread();
      return;
    }
    try {
      this.#push(head, body, this.#nextSerial(), 0, Urgency.Told);
    } catch (error) {
      if (!(error instanceof NotSupportedError)) throw error;
      report('send', `${describeMessage(head)} was not sent to this peer`, error, this.id);
    }
  }

  #failUnread(): void {
    const { queuedBytes } = this;
    this.fail(new LimitsExceededError(`the other side does not read: ${queuedBytes} bytes wait for it`));
  }

  /** Ends the connection for a reason of this side, without a word to the other one. What waits is not written any more. */
  fail(reason: DBusError): void {
    if (this.state === 'closed' || this.#failure !== undefined) return;
    this.#failure = reason;
    report('send', 'the connection is ended', reason, this.id);
    this.#native.close();
  }

  /**
   * Sends a method call, and resolves with what `take` makes of its reply.
   *
   * No async function: where many calls are on their way, what it allocates for each would be half the cost.
   *
   * @throws (rejects) as `send` throws, or with the reason why there is no reply
   */
  call<Result>(
    head: MessageHead,
    body: readonly unknown[],
    options: InnerWaitOptions,
    take: TakeReply<Result>,
  ): Promise<Result> {
    try {
      checkWaitOptions(options);
      if (((head.flags ?? 0) & MessageFlag.NoReplyExpected) !== 0) return this.#callForNothing(head, body, take);
      this.#requireOpen(head);
    } catch (error) {
      return Promise.reject(error);
    }
    const callee = this.calleeOf(head.destination);
    const serial = this.#nextSerial();
    let result: Promise<Result>;
    try {
      result = this.#pending.wait(serial, head, options, take, callee);
    } catch (error) {
      return Promise.reject(error);
    }
    try {
      this.#push(head, body, serial, 0, options.isUrgent === true ? Urgency.Answer : Urgency.Own, true);
    } catch (error) {
      this.#pending.fail(serial, 'unsent', () => error);
    }
    return result;
  }

  /**
   * Sends a call that wants no reply. Who wants none need not wait for it either: that the connection is over or full
   * rejects without ending the process as a rejection that nobody handled, and is reported.
   */
  #callForNothing<Result>(head: MessageHead, body: readonly unknown[], take: TakeReply<Result>): Promise<Result> {
    try {
      this.send(head, body);
      return Promise.resolve(take(noReply, {}));
    } catch (error) {
      const refused = Promise.reject(error);
      if (isOverOrFull(error)) {
        report('send', `${describeMessage(head)} was not sent`, error, this.id);
        refused.catch(() => {});
      }
      return refused;
    }
  }

  /** Whether a call waits that this one is to answer. */
  isCalled(callee: Callee): boolean {
    return this.#pending.isCalled(callee);
  }

  /** What waits for this callee may have been handed to an owner of its name that has just lost it. */
  keepFormerOwner(callee: Callee, owner: string): void {
    this.#pending.keepFormerOwner(callee, owner);
  }

  /** Has `listener` called when the connection is over, until the returned function is called. */
  whenClosed(listener: CloseListener): () => void {
    return this.#life.whenClosed(listener);
  }

  /** Keeps the process alive until the returned function is called. */
  hold(): () => void {
    return this.#keepAlive.hold();
  }

  ref(): void {
    this.#keepAlive.wish('ref');
  }

  unref(): void {
    this.#keepAlive.wish('unref');
  }

  /** Ends an attempt to connect that is not wanted any more. */
  giveUp(): void {
    if (this.state === 'connecting') this.#giveUp(constants.errno.ECANCELED);
  }

  /** Whether the client that is served has not said a word yet. */
  get isSilent(): boolean {
    return this.#native.isSilent();
  }

  /** Whether the other side has hung up. What it said before may not be read yet. */
  get hasLeft(): boolean {
    return this.#native.hasLeft();
  }

  /**
   * Reads nothing any more, until the returned function is called. If the other side leaves meanwhile, it is over, unless
   * something that it said is left to be read.
   */
  pause(): () => void {
    this.#native.pause(-1);
    return () => this.#native.resume();
  }

  /**
   * Settles when the kernel has taken everything that was sent; at once if the connection is closed.
   *
   * @throws (rejects) the reason of the loss, or a {@link ConnectionClosedError} after `close`, if some of it was never written
   */
  async flush(): Promise<void> {
    if (this.state === 'closed') return;
    const release = this.hold();
    try {
      await this.#outbox.drained();
      const reason = this.#isBroken ? await this.closed : undefined;
      if (reason !== undefined) throw reason;
    } finally {
      release();
    }
  }

  /** Writes what was sent, blocking for at most `milliseconds`: for a process that is about to exit. Returns whether that is all. */
  flushNow(milliseconds: number): boolean {
    this.#outbox.flush();
    this.#native.flush(milliseconds);
    return this.#outbox.waiting() === 0;
  }

  /** Writes what was sent, for at most `milliseconds`, and closes. Calls that wait reject. The second time it is the same. */
  close(milliseconds = CLOSE_LIMIT): Promise<void> {
    this.#closing ??= this.#writeAndClose(milliseconds);
    return this.#closing;
  }

  async #writeAndClose(milliseconds: number): Promise<void> {
    if (this.state === 'open') {
      this.#life.beginToClose();
      const release = this.hold();
      const { promise, give } = timeLimit(milliseconds);
      // What could not be written is reported when the connection is over.
      const drained = this.#outbox.drained().catch(() => {});
      await Promise.race([drained, promise]);
      give();
      release();
    }
    this.#native.close();
    await this.closed;
  }

  async #start({ serve, timeout }: ConnectionOptions): Promise<ConnectFailure | undefined> {
    const errno = this.#native.start();
    if (errno !== 0) {
      // What is written to was connected: the other side has hung up already.
      const phase = errno === constants.errno.EPIPE ? 'authenticate' : 'connect';
      this.#onClose(errno, phase, '');
      return { errno, phase, detail: '' };
    }
    this.#keepAlive.update();
    const { promise, give } = timeLimit(timeout, serve === undefined);
    const failure = await Promise.race([this.#life.opened, promise]);
    give();
    return this.state === 'connecting' ? this.#giveUp(constants.errno.ETIMEDOUT) : failure;
  }

  /** Ends an attempt that takes too long, or that nobody wants any more. */
  #giveUp(errno: number): ConnectFailure {
    const failure: ConnectFailure = { errno, phase: 'authenticate', detail: '' };
    this.#givenUp = failure;
    this.#native.close();
    return failure;
  }

  #push(
    head: MessageHead,
    body: readonly unknown[],
    serial: number,
    replySerial: number,
    urgency: Urgency,
    isAwaited = false,
  ): void {
    const bodyBytes = this.#outbox.push(head, body, serial, replySerial, urgency, isAwaited);
    if (watchesMessages()) publishSent(this.id, head, serial, replySerial, bodyBytes);
  }

  #onOpen(canSendFds: boolean): InboxMemory {
    this.#inbox = new Inbox(this.id, !this.#isPeer, this.limits.descriptors);
    this.#canSendFds = canSendFds;
    this.#outbox.canSendFds = canSendFds;
    flushAtExit(this);
    this.#life.open();
    this.#keepAlive.update();
    return this.#inbox.memory;
  }

  /**
   * Handles a batch, or the rest of one. After a reply that somebody awaits comes a pause before the next signal or
   * call: what the awaiting code subscribes to has to be in force by then. Where the turn has taken its time, the rest is
   * for the next one.
   */
  #onBatch(
    from: number,
    count: number,
    newStrings: number,
    large: ArrayBuffer | undefined,
    milliseconds: number,
  ): number {
    this.#inbox.intern(newStrings, large);
    this.#outbox.gather();
    this.#settled = false;
    // A single message needs no clock.
    const isMeasured = count - from > 1;
    this.#isHandling = true;
    const next = isMeasured
      ? this.#handleMeasured(from, count, large, milliseconds)
      : this.#handleRows(from, count, large);
    this.#isHandling = false;
    if (next === count) this.#inbox.endBatch();
    this.#outbox.flush();
    if (this.state === 'closed') this.#letGoOfMemory();
    return next;
  }

  /** A connection that is over may be held for long: what it had for messages is not. */
  #letGoOfMemory(): void {
    this.#inbox = undefined as unknown as Inbox;
  }

  /** Handles rows until a pause is due, or the turn has taken its time. */
  #handleMeasured(from: number, count: number, large: ArrayBuffer | undefined, milliseconds: number): number {
    let next = from;
    let more = this.#turn.begin(milliseconds);
    while (more > 0) {
      const end = Math.min(next + more, count);
      next = this.#handleRows(next, end, large);
      more = next < end || end === count || this.#pressure.isPaused ? 0 : this.#turn.more(next - from);
    }
    this.#turn.end(next - from);
    return next;
  }

  /** Handles rows until a pause is due, and returns the row to go on with. Nothing that a message causes throws here. */
  #handleRows(from: number, count: number, large: ArrayBuffer | undefined): number {
    for (let row = from; row < count; row++) {
      this.#inbox.select(row, large);
      const { isReply } = this.#inbox;
      if (this.#settled && !isReply) return row;
      this.#messagesReceived++;
      this.#bodyBytesReceived += this.#inbox.bodyLength;
      if (watchesMessages()) publishReceived(this.id, this.#inbox);
      try {
        if (!isReply) this.#onUnasked();
        else if (this.#pending.reply(this.#inbox)) this.#settled = true;
        else this.#onUnexpectedReply();
      } catch (error) {
        report('message', `a message from ${this.#inbox.sender ?? 'the peer'} could not be handled`, error, this.id);
      } finally {
        this.#inbox.release();
      }
      // Until what waits has been written, nothing is to be answered.
      if (this.#pressure.isPaused) return row + 1;
    }
    return count;
  }

  /** A call or a signal. Who closes in a handler is told of no more: what it would do could not be answered. */
  #onUnasked(): void {
    if (this.state === 'open') this.onMessage(this.#inbox);
  }

  /** Late ones are common; whoever looks for a lost reply, or a forged one, wants to know. */
  #onUnexpectedReply(): void {
    this.#unexpectedReplies++;
    if (trace.enabled) trace('#%d reply to no call: %d from %s', this.id, this.#inbox.replySerial, this.#inbox.sender);
  }

  #onDrain(hungUp: boolean): void {
    // What waited is lost then, and not written: the end that is read next tells of it.
    if (hungUp) this.#pressure.hungUp();
    else this.#outbox.onDrain();
  }

  #onRefused({ serial, errno, replySerial, destination }: RefusedMessage): void {
    if (errno === constants.errno.ENOTCONN) this.#isBroken = true;
    const error = () => refusalOf(errno, this.#transport);
    if (this.#pending.fail(serial, errno === constants.errno.ENOTCONN ? 'closed' : 'unsent', error)) return;
    report('send', `message ${serial} was not sent`, error(), this.id);
    const answered =
      replySerial > 0 ? { replySerial, destination: destination || undefined } : this.#outbox.answeredBy(serial);
    const isAnswer = this.#answersRefused.delete(serial);
    if (answered === undefined || isAnswer || this.#isBroken) return;
    this.#answerRefused(answered, error());
  }

  /** Whoever waits for a reply that could not be sent gets an error. If that is refused as well, nothing can be sent to it. */
  #answerRefused({ replySerial, destination }: Answered, { dbusName, message }: DBusError): void {
    if (this.state !== 'open') return;
    const head = { type: MessageType.Error, errorName: dbusName, destination, signature: 's' };
    try {
      const serial = this.#nextSerial();
      if (this.#answersRefused.size === ANSWERS_REFUSED_MAXIMUM) this.#answersRefused.clear();
      this.#answersRefused.add(serial);
      this.#push(head, [`the reply could not be sent: ${message}`], serial, replySerial, Urgency.Refusal);
    } catch (error) {
      report('send', `the call ${replySerial} of ${destination} gets no reply`, error, this.id);
    }
  }

  #onClose(errno: number, phase: ConnectionPhase, detail: string): void {
    if (this.state === 'closed') return;
    const reason = errno === 0 ? this.#failure : lossOf(errno, detail);
    this.#life.end(this.#givenUp ?? { errno, phase, detail }, reason);
    forgetAtExit(this);
    this.#keepAlive.end();
    this.#reportUnwritten(this.#outbox.end(reason), reason);
    this.#pending.close(reason);
    this.#deadlines.clear();
    this.#life.tellEnd(reason);
    if (!this.#isHandling) this.#letGoOfMemory();
  }

  /** What the kernel had not taken was promised to whoever sent it. What it had taken, and nobody read, nobody can tell. */
  #reportUnwritten(bytes: number, reason: DBusError | undefined): void {
    if (bytes === 0) return;
    const why = reason === undefined ? 'the other side did not read in time' : reason.message;
    report('send', `${bytes} bytes of what was sent, at most, were never written: ${why}`, undefined, this.id);
  }

  #requireOpen(head: MessageHead): void {
    if (this.state === 'open') return;
    throw new ConnectionClosedError(`the connection is ${this.state}: cannot send ${describeMessage(head)}`);
  }

  /** Serials are unsigned 32-bit and never 0. */
  #nextSerial(): number {
    this.#serial = this.#serial === 0xffff_ffff ? 1 : this.#serial + 1;
    return this.#serial;
  }
}
