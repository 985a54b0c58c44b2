/**
 * One connection to a bus or a peer: it owns the native connection, and puts together what sends, what receives, the calls that
 * wait, and how it ends. What calls and signals mean is for the layers above.
 */
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionClosedError, closedError, type DBusError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import { BUS_DEPTH_MAXIMUM, DEPTH_MAXIMUM } from '../codec/limits.js';
import { report } from '../diagnostics/problems.js';
import type {
  ConnectionPhase,
  InboxMemory,
  NativeConnection,
  PeerCredentials,
  ServedSocket,
} from '../native/binding.js';
import { loadAddon } from '../native/load.js';
import type { ConnectionState } from './connection-events.js';
import type { ConnectionOptions } from './connection-options.js';
import { Ending } from './ending/ending.js';
import { isExiting } from './ending/exit.js';
import { lossOf } from './errno.js';
import { KeepAlive } from './keep-alive.js';
import { type CloseListener, type ConnectFailure, Lifecycle } from './lifecycle.js';
import type { CompleteLimits } from './limits.js';
import type { MessageHead } from './message.js';
import type { Inbox } from './receiving/inbox.js';
import { Receiver } from './receiving/receiver.js';
import { onAbort } from './sending/abort-reactions.js';
import { BackPressure } from './sending/back-pressure.js';
import { Deadlines } from './sending/deadlines.js';
import { Outbox } from './sending/outbox.js';
import { OutgoingCalls } from './sending/outgoing-calls.js';
import { PendingCalls } from './sending/pending-calls.js';
import { Sender } from './sending/sender.js';
import { Unwritten } from './sending/unwritten.js';
import { TimeLimit, timeLimit } from './time-limit.js';
import type { Traffic } from './traffic.js';

/** Milliseconds that closing waits for what was sent to be written. */
export const CLOSE_LIMIT = 1000;

/** Connections made so far. */
let made = 0;

export class Connection {
  /** The number by which diagnostics call this connection. */
  readonly id = ++made;

  /** The calls that are made by it. */
  readonly calls: OutgoingCalls;

  readonly #native: NativeConnection;
  /** How much the other side may cost. */
  readonly limits: CompleteLimits;
  readonly #isPeer: boolean;
  readonly #pressure: BackPressure;
  readonly #outbox: Outbox;
  readonly #deadlines = new Deadlines({
    hasUnread: () => this.#native.hasUnread(),
    received: () => this.#receiver,
  });
  readonly #pending: PendingCalls;
  readonly #unwritten: Unwritten;
  readonly #keepAlive: KeepAlive;
  readonly #life: Lifecycle;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #ending: Ending;
  #canSendFds = false;
  /** Why the attempt is given up here. */
  #givenUp: Omit<ConnectFailure, 'phase'> | undefined;
  /** Why the connection is ended here. */
  #failure: DBusError | undefined;

  private constructor(options: ConnectionOptions) {
    const { limits, serve, transport } = options;
    this.limits = limits;
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
        this.#receiver.takeBatch(from, count, newStrings, large, milliseconds),
      onDrain: (hungUp) => this.#onDrain(hungUp),
      onRefused: (serial, errno, replySerial, destination) =>
        this.#outbox.refuse({ serial, errno, replySerial, destination }),
      // It may quote what the other side said.
      onClose: (errno, phase, detail) => this.#onClose(errno, phase, printable(detail)),
    });
    this.#unwritten = new Unwritten({
      onChange: () => this.#keepAlive.update(),
      written: () => this.#pressure.handedOverBytes - this.#outbox.waiting(),
    });
    this.#keepAlive = new KeepAlive(this.#native, () => this.#pending.size > 0 || this.#unwritten.holds);
    this.#pressure = new BackPressure(this.#native, {
      limit: limits.queuedBytes,
      waiting: () => this.#outbox.waiting(),
      fail: (reason) => this.fail(reason),
    });
    this.#outbox = new Outbox(this.#native, {
      limit: limits.queuedBytes,
      descriptors: limits.messageDescriptors,
      attaches: transport === 'socket',
      depth: this.#isPeer ? DEPTH_MAXIMUM : BUS_DEPTH_MAXIMUM,
      pressure: this.#pressure,
      unwritten: this.#unwritten,
      isIdle: (isAwaited) => this.#pending.size === (isAwaited ? 1 : 0),
      onRefused: (refused) => this.#sender.onRefused(refused),
      flushNow: () => this.#ending.flushWhileExiting(),
    });
    const address = serve === undefined ? options.address : '';
    this.#life = new Lifecycle({ id: this.id, address, transport });
    const parts = { id: this.id, isPeer: this.#isPeer, life: this.#life, outbox: this.#outbox, pending: this.#pending };
    const fail = (reason: DBusError) => this.fail(reason);
    this.#sender = new Sender({ ...parts, transport, limit: limits.queuedBytes, fail });
    this.#ending = new Ending({
      ...parts,
      address,
      native: this.#native,
      sender: this.#sender,
      keepAlive: this.#keepAlive,
    });
    this.calls = new OutgoingCalls(this.id, this.#sender, this.#pending);
    this.#receiver = new Receiver({ ...parts, descriptorLimit: limits.descriptors, pressure: this.#pressure });
  }

  /** Connects and authenticates. Resolves with the open connection, or with why there is none. */
  static async open(options: ConnectionOptions): Promise<Connection | ConnectFailure> {
    const { signal } = options;
    const connection = new Connection(options);
    const release = connection.keepAlive.hold();
    const stopListening = signal && onAbort(signal, () => connection.giveUp());
    const failure = await connection.#start(options);
    stopListening?.();
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

  /** Takes every method call and signal, in wire order, each while it is the inbox's current message. */
  set onMessage(take: (received: Inbox) => void) {
    this.#receiver.onMessage = take;
  }

  /** Shows every reply, when the call that it answers has been settled; `undefined` while no handler wants to see replies. */
  set onReply(show: ((received: Inbox) => void) | undefined) {
    this.#receiver.onReply = show;
  }

  /** Settles when the connection is closed: with nothing after `close`, with the reason after a loss. Never rejects. */
  get closed(): Promise<DBusError | undefined> {
    return this.#life.closed;
  }

  /** As {@link closed}, for the program, which hears of a loss by it. */
  get disconnected(): Promise<DBusError | undefined> {
    this.#ending.isAskedFor = true;
    return this.#life.closed;
  }

  /** @throws {@link ConnectionClosedError} that says what cannot be, and why it was lost, if the connection is not open */
  requireOpen(what: string): void {
    if (this.state !== 'open') throw this.#life.refusal(what);
  }

  /** The error for what is asked of it when it is over, with the reason of the loss, if there was one. */
  refusal(what: string): ConnectionClosedError {
    return closedError(what, this.#life.reason);
  }

  /** Whether messages are sent and delivered: while it is open, and while it answers what came before it is closed. */
  get carriesMessages(): boolean {
    return this.#life.carriesMessages;
  }

  /** Resolves when nothing that has come is left to be read, or the connection is over. */
  async readWhatCame(): Promise<void> {
    while (this.#life.carriesMessages && this.#native.hasUnread()) await delay(1);
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
      messagesReceived: this.#receiver.messages,
      bodyBytesSent: this.#outbox.bodyBytes,
      bodyBytesReceived: this.#receiver.bodyBytes,
      calls: this.#pending.counts,
      unexpectedReplies: this.#receiver.unexpectedReplies,
    };
  }

  /**
   * What the program did first has to leave first: before the next message, and before the connection closes or is flushed,
   * `send` is called. It stays until another one, or nothing, takes its place.
   */
  sendFirst(send: (() => void) | undefined): void {
    this.#sender.first = send;
    // No turn ends any more, nor does a microtask run.
    if (isExiting()) this.#sender.letOutFirst();
  }

  /** Whether a message is being written: code of the program's that runs meanwhile cannot send. */
  get isMarshalling(): boolean {
    return this.#outbox.isMarshalling;
  }

  /** {@link Sender.send} */
  send(head: MessageHead, body: readonly unknown[] = [], replySerial = 0, serial?: number): number {
    return this.#sender.send(head, body, replySerial, serial);
  }

  /** The next serial, for a message that is sent later. */
  reserveSerial(): number {
    return this.#sender.reserveSerial();
  }

  /** {@link Sender.answer} */
  answer(head: MessageHead, body: readonly unknown[], replySerial: number): boolean {
    return this.#sender.answer(head, body, replySerial);
  }

  /** {@link Sender.refuseCall} */
  refuseCall(destination: string | undefined, replySerial: number, text: string): void {
    this.#sender.refuseCall(destination, replySerial, text);
  }

  /** {@link Sender.tell} */
  tell(head: MessageHead, body: readonly unknown[], isAnnouncement: boolean): void {
    this.#sender.tell(head, body, isAnnouncement);
  }

  /** Ends the connection for a reason of this side, without a word to the other one. What waits is not written any more. */
  fail(reason: DBusError): void {
    if (this.state === 'closed' || this.#failure !== undefined) return;
    this.#failure = reason;
    report('send', 'the connection is ended', reason, this.id);
    this.#native.close();
  }

  /** Has `listener` called when the connection is over, until the returned function is called. */
  whenClosed(listener: CloseListener): () => void {
    return this.#life.whenClosed(listener);
  }

  /** What keeps the process alive. */
  get keepAlive(): KeepAlive {
    return this.#keepAlive;
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

  /** {@link Ending.flush} */
  flush(): Promise<void> {
    return this.#ending.flush();
  }

  /** Is closed from now on, but still carries messages, so that what came is answered. */
  beginToClose(): void {
    this.#life.beginToClose();
  }

  /** {@link Ending.close} */
  close(limit?: TimeLimit): Promise<void> {
    return this.#ending.close(limit ?? new TimeLimit(CLOSE_LIMIT));
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
    if (this.state !== 'connecting') return failure;
    const what = this.#native.isSilent() ? 'it said nothing' : 'it spoke, but did not let this client in';
    this.#giveUp(constants.errno.ETIMEDOUT, `${what} within ${Math.round(timeout)} ms`);
    return this.#life.opened;
  }

  /** Ends an attempt that takes too long, or that nobody wants any more. */
  #giveUp(errno: number, detail = ''): void {
    this.#givenUp = { errno, detail };
    this.#native.close();
  }

  #onOpen(canSendFds: boolean): InboxMemory {
    const memory = this.#receiver.open();
    this.#canSendFds = canSendFds;
    this.#outbox.canSendFds = canSendFds;
    this.#ending.open();
    this.#life.open();
    this.#keepAlive.update();
    return memory;
  }

  #onDrain(hungUp: boolean): void {
    // What waited is lost then, and not written: the end that is read next tells of it.
    if (hungUp) this.#pressure.hungUp();
    else this.#outbox.onDrain();
  }

  #onClose(errno: number, phase: ConnectionPhase, detail: string): void {
    if (this.state === 'closed') return;
    const reason = errno === 0 ? this.#failure : lossOf(errno, detail, this.#outbox.suspect);
    const wasOpen = this.state === 'open';
    this.#life.end({ errno, phase, detail, ...this.#givenUp }, reason);
    this.#ending.end(reason, wasOpen);
    this.#pending.close(reason);
    this.#deadlines.clear();
    this.#life.tellEnd(reason);
    this.#receiver.end();
  }
}
