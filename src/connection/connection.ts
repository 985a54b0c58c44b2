/**
 * One connection to a bus or a peer. It owns the native connection, and composes the parts that send, receive, wait for
 * replies and end the connection. The layers above interpret calls and signals.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionClosedError, closedError, type DBusError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import { BUS_DEPTH_MAXIMUM, DEPTH_MAXIMUM } from '../codec/limits.js';
import { report } from '../diagnostics/problems.js';
import type { ConnectionPhase, NativeConnection, PeerCredentials, ServedSocket } from '../native/binding.js';
import type { ConnectionState } from './connection-events.js';
import type { ConnectionOptions } from './connection-options.js';
import { Ending } from './ending/ending.js';
import { isExiting } from './ending/exit.js';
import { lossOf } from './errno.js';
import { KeepAlive } from './keep-alive.js';
import { type CloseListener, type ConnectFailure, Lifecycle } from './lifecycle.js';
import type { CompleteLimits } from './limits.js';
import { Attempt } from './opening/attempt.js';
import { addonWithMemory } from './receiving/batch-memory.js';
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
import { CLOSE_LIMIT, TimeLimit } from './time-limit.js';
import type { ConnectionCounts } from './traffic.js';
import { turnNote } from './turn-note.js';

/** The number of connections made so far. */
let made = 0;

export class Connection {
  /** The number of this connection in diagnostics. */
  readonly id = ++made;

  /** The calls that this connection makes. */
  readonly calls: OutgoingCalls;

  /** Sends all other messages. */
  readonly sender: Sender;

  /** Decides whether the connection keeps the process alive. */
  readonly keepAlive: KeepAlive;

  /** Whether the other side is a peer, and not a bus. */
  readonly isPeer: boolean;
  /** The address of the other side; empty for a client that was accepted. */
  readonly address: string;

  readonly #native: NativeConnection;
  /** The limits of what the other side may cost. */
  readonly limits: CompleteLimits;
  readonly #pressure: BackPressure;
  readonly #outbox: Outbox;
  readonly #deadlines = new Deadlines({
    hasUnread: () => this.#native.hasUnread(),
    received: () => this.#receiver,
  });
  readonly #pending: PendingCalls;
  readonly #unwritten: Unwritten;
  readonly #life: Lifecycle;
  readonly #receiver: Receiver;
  readonly #attempt: Attempt;
  readonly #ending: Ending;
  /** Why this side ends the connection. */
  #failure: DBusError | undefined;

  private constructor(options: ConnectionOptions) {
    const { limits, serve, transport } = options;
    this.limits = limits;
    const isPeer = options.peer === true;
    const address = serve === undefined ? options.address : '';
    this.isPeer = isPeer;
    this.address = address;
    this.#pending = new PendingCalls(this.#deadlines, this.id, !isPeer, () => this.keepAlive.update());
    const { Connection: Native } = addonWithMemory();
    this.#native = new Native({
      address: options.address,
      target: options.target,
      serve,
      adopt: options.adopt,
      anonymous: options.anonymous,
      transport,
      poller: options.poller,
      turn: turnNote,
      limits: options.limits,
      onOpen: (canSendFds) => this.#onOpen(canSendFds && options.isRelayed !== true),
      onBatch: (memory, from, count, newStrings, large, milliseconds) =>
        this.#receiver.takeBatch(memory, from, count, newStrings, large, milliseconds),
      onDrain: (hungUp) => this.#onDrain(hungUp),
      onRefused: (serial, errno, replySerial, destination) =>
        this.#outbox.refuse({ serial, errno, replySerial, destination }),
      // The detail may quote bytes of the other side.
      onClose: (errno, phase, detail) => this.#onClose(errno, phase, printable(detail)),
    });
    this.#unwritten = new Unwritten({
      onChange: () => this.keepAlive.update(),
      written: () => this.#pressure.handedOverBytes - this.#outbox.waiting(),
    });
    this.keepAlive = new KeepAlive(this.#native, () => this.#pending.size > 0 || this.#unwritten.holds);
    this.#pressure = new BackPressure(this.#native, {
      limit: limits.queuedBytes,
      waiting: () => this.#outbox.waiting(),
      fail: (reason) => this.fail(reason),
    });
    this.#outbox = new Outbox(this.#native, {
      limit: limits.queuedBytes,
      descriptors: limits.messageDescriptors,
      attaches: transport === 'socket',
      depth: isPeer ? DEPTH_MAXIMUM : BUS_DEPTH_MAXIMUM,
      pressure: this.#pressure,
      unwritten: this.#unwritten,
      isIdle: (isAwaited) => this.#pending.size === (isAwaited ? 1 : 0),
      onRefused: (refused) => this.sender.onRefused(refused),
      flushNow: () => this.#ending.flushWhileExiting(),
    });
    this.#life = new Lifecycle({ id: this.id, address, transport });
    this.#attempt = new Attempt({
      native: this.#native,
      life: this.#life,
      keepAlive: this.keepAlive,
      onClose: ({ errno, phase, detail }) => this.#onClose(errno, phase, detail),
    });
    const parts = { id: this.id, isPeer, life: this.#life, outbox: this.#outbox, pending: this.#pending };
    const fail = (reason: DBusError) => this.fail(reason);
    this.sender = new Sender({ ...parts, transport, limit: limits.queuedBytes, fail });
    this.#ending = new Ending({
      ...parts,
      address,
      isRelayed: options.isRelayed ?? options.address.startsWith('unixexec:'),
      native: this.#native,
      sender: this.sender,
      keepAlive: this.keepAlive,
    });
    this.calls = new OutgoingCalls(this.id, this.sender, this.#pending);
    this.#receiver = new Receiver({ ...parts, descriptorLimit: limits.descriptors, pressure: this.#pressure });
  }

  /** Connects and authenticates. Resolves with the open connection, or with the reason why there is none. */
  static async open(options: ConnectionOptions): Promise<Connection | ConnectFailure> {
    const { signal } = options;
    const connection = new Connection(options);
    const release = options.isInBackground === true ? undefined : connection.keepAlive.hold();
    const stopListening = signal && onAbort(signal, () => connection.giveUp());
    const failure = await connection.#attempt.start(options);
    stopListening?.();
    release?.();
    return failure ?? connection;
  }

  /**
   * Begins to serve an accepted client, which does not keep the process alive. `opened` resolves when the client has
   * authenticated, or with the reason why it has not.
   */
  static serve(options: ConnectionOptions & { readonly serve: ServedSocket }): {
    readonly connection: Connection;
    readonly opened: Promise<ConnectFailure | undefined>;
  } {
    const connection = new Connection(options);
    return { connection, opened: connection.#attempt.start(options) };
  }

  get state(): ConnectionState {
    return this.#life.state;
  }

  /**
   * Sets the function that is called with every method call and signal, in wire order, while it is the current message
   * of the inbox.
   */
  set onMessage(take: (received: Inbox) => void) {
    this.#receiver.onMessage = take;
  }

  /**
   * Sets the function that is called with every reply, after the call that it answers has been settled; `undefined` if
   * no handler needs replies.
   */
  set onReply(show: ((received: Inbox) => void) | undefined) {
    this.#receiver.onReply = show;
  }

  /**
   * Resolves when the connection is closed: with `undefined` after `close`, with the reason after a loss. Never
   * rejects.
   */
  get closed(): Promise<DBusError | undefined> {
    return this.#life.closed;
  }

  /** Like {@link closed}, for the program, which notices a loss by it. */
  get disconnected(): Promise<DBusError | undefined> {
    this.#ending.isAskedFor = true;
    return this.#life.closed;
  }

  /**
   * Checks that the connection is open.
   *
   * @throws {@link ConnectionClosedError} that tells what cannot be done, and the reason of the loss, if there was one
   */
  requireOpen(what: string): void {
    if (this.state !== 'open') throw this.#life.refusal(what);
  }

  /** Why the connection was lost, if it was. */
  get loss(): DBusError | undefined {
    return this.#life.reason;
  }

  /** The error for an operation after the end of the connection, with the reason of the loss, if there was one. */
  refusal(what: string): ConnectionClosedError {
    return closedError(what, this.#life.reason);
  }

  /**
   * Whether messages are sent and delivered: while the connection is open, and while it answers earlier calls before it
   * closes.
   */
  get carriesMessages(): boolean {
    return this.#life.carriesMessages;
  }

  /** Resolves when everything that has arrived has been read, or the connection has ended. */
  async readWhatCame(): Promise<void> {
    while (this.#life.carriesMessages && this.#native.hasUnread()) await delay(1);
  }

  /** Whether the other side agreed to pass file descriptors. */
  get canSendFds(): boolean {
    return this.#outbox.canSendFds;
  }

  /** Sets the unique name that the bus assigned to this connection. Replies to other names do not settle its calls. */
  set uniqueName(name: string | undefined) {
    this.#pending.ownName = name;
  }

  /**
   * The kernel's credentials of the other end of the socket; `undefined` if the kernel does not know them, or after the
   * end of the connection.
   */
  get peerCredentials(): PeerCredentials | undefined {
    return this.#native.peerCredentials();
  }

  /** The traffic of this connection so far, and what it holds now. */
  get counts(): ConnectionCounts {
    return {
      pendingCalls: this.#pending.size,
      queuedBytes: this.#outbox.queuedBytes,
      readingPaused: this.#pressure.isPaused,
      messagesSent: this.#outbox.messages,
      messagesReceived: this.#receiver.messages,
      batchesReceived: this.#receiver.batches,
      bodyBytesSent: this.#outbox.bodyBytes,
      bodyBytesReceived: this.#receiver.bodyBytes,
      calls: this.#pending.counts,
      unexpectedReplies: this.#receiver.unexpectedReplies,
    };
  }

  /**
   * Sets a function that sends what must precede all other messages. It is called before the next message, and before
   * the connection is closed or flushed. It stays until another function, or `undefined`, replaces it.
   */
  sendFirst(send: (() => void) | undefined): void {
    this.sender.first = send;
    // During the exit, no tick ends and no microtask runs any more.
    if (isExiting()) this.sender.letOutFirst();
  }

  /** Sends what must precede the next message now, because it may change what that message says. */
  letOutFirst(): void {
    this.sender.letOutFirst();
  }

  /** Whether a message is being marshalled: code of the program that runs meanwhile cannot send. */
  get isMarshalling(): boolean {
    return this.#outbox.isMarshalling;
  }

  /**
   * Ends the connection for a reason on this side, without informing the other side. Queued bytes are not written any
   * more.
   */
  fail(reason: DBusError): void {
    if (this.state === 'closed' || this.#failure !== undefined) return;
    this.#failure = reason;
    report('send', 'this side ends the connection', reason, this.id);
    this.#native.close();
  }

  /** Calls `listener` when the connection ends, until the returned function is called. */
  whenClosed(listener: CloseListener): () => void {
    return this.#life.whenClosed(listener);
  }

  /** Ends an attempt to connect that is no longer wanted. */
  giveUp(): void {
    this.#attempt.giveUp();
  }

  /** Whether the other side has not sent anything yet. */
  get isSilent(): boolean {
    return this.#native.isSilent();
  }

  /** Whether the other side has hung up. What it sent before may not be read yet. */
  get hasLeft(): boolean {
    return this.#native.hasLeft();
  }

  /**
   * Stops reading until the returned function is called. If the other side hangs up meanwhile, the connection ends,
   * unless bytes are left to read.
   */
  pause(): () => void {
    this.#native.pause(-1);
    return () => this.#native.resume();
  }

  /** {@link Ending.flush} */
  flush(): Promise<void> {
    return this.#ending.flush();
  }

  /** Begins to close: the connection still carries messages, so that calls that have arrived are answered. */
  beginToClose(): void {
    this.#life.beginToClose();
  }

  /** {@link Ending.close} */
  close(limit?: TimeLimit): Promise<void> {
    return this.#ending.close(limit ?? new TimeLimit(CLOSE_LIMIT));
  }

  #onOpen(canSendFds: boolean): void {
    this.#receiver.open();
    this.#outbox.canSendFds = canSendFds;
    this.#outbox.number = this.keepAlive.number = this.#native.number();
    this.#ending.open();
    this.#life.open();
    this.keepAlive.update();
  }

  #onDrain(hungUp: boolean): void {
    // After a hang-up, the queued bytes are lost and not written. The end that is read next reports it.
    if (hungUp) this.#pressure.hungUp();
    else this.#outbox.onDrain();
  }

  #onClose(errno: number, phase: ConnectionPhase, detail: string): void {
    if (this.state === 'closed') return;
    const isOrderly = errno === 0 || this.#ending.hasEndedSending;
    const reason = isOrderly ? this.#failure : lossOf(errno, detail, this.#outbox.suspect);
    const wasOpen = this.state === 'open';
    this.#life.end(this.#attempt.failure({ errno, phase, detail }), reason);
    this.#ending.end(reason, wasOpen);
    this.#pending.close(reason);
    this.#deadlines.clear();
    this.#life.tellEnd(reason);
    this.#receiver.end();
  }
}
