/**
 * The use of a connection: its state, what it keeps alive, and its end. A connection may have several users, each with a
 * share of it; then all of this is about the share. `Endpoint` extends it with sending.
 */

import type { DBusError } from '../base/errors.js';
import { type Endable, EndHandle, type Handle } from '../base/handle.js';
import { KnownOptions, type OptionTable } from '../base/known-options.js';
import { checkTimeout } from '../base/parameters.js';
import type { Connection } from '../connection/connection.js';
import type { KeepAliveUser } from '../connection/keep-alive.js';
import type { CloseListener } from '../connection/lifecycle.js';
import type { CompleteLimits } from '../connection/limits.js';
import { CLOSE_LIMIT, TimeLimit } from '../connection/time-limit.js';
import { type WaitLimits, waitLimitsTable, withinLimits } from '../connection/wait-limits.js';
import { type ConnectionWatcher, checkConnectionWatcher } from './link/connection-watcher.js';
import type { BusState, Lasting, Link } from './link/link.js';
import type { Credentials } from './names/driver.js';
import { type OnShareClosed, Share } from './share.js';
import { socketCredentials } from './socket-credentials.js';

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
const flushOptions = new KnownOptions<WaitLimits>('flush()', waitLimitsTable);

/** A user of a connection, which can close it. {@link MessageBus} extends it. */
export class ConnectionUser implements AsyncDisposable {
  /** @internal the present connection; the last one while there is none */
  protected connection: Connection;
  /** @internal */
  protected readonly link: Link;
  readonly #keepAlive: KeepAliveUser;
  /** @internal this user's share, if the connection has several users */
  protected readonly share: Share | undefined;
  #limit: TimeLimit | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @internal
   * @param source a link, or a user that this becomes a share of
   * @param onClosed for a share, called when it is closed
   */
  constructor(source: Link | ConnectionUser, onClosed: OnShareClosed = async () => {}) {
    const isShare = source instanceof ConnectionUser;
    const link = isShare ? source.link : source;
    // The one that is shared has no users of its own.
    if (isShare) link.keepAlive.removeUser(source.#keepAlive);
    this.link = link;
    this.connection = link.connection;
    this.#keepAlive = link.keepAlive.addUser();
    this.share = isShare ? new Share(link, onClosed) : undefined;
    link.addUser(this);
  }

  /** @internal uses the connection that follows a lost one */
  moveTo(connection: Connection): void {
    this.connection = connection;
  }

  /**
   * The state of the connection, or of the share of it. A bus is `open` when a program gets it. With `reconnect` it is
   * `away` while it has no connection.
   */
  get state(): BusState {
    return this.share === undefined ? this.link.state : this.share.state;
  }

  /**
   * @internal
   * @throws {@link ConnectionClosedError} if the share of the connection is closed
   */
  protected requireShare(what: string): void {
    if (this.share?.isOver === true) throw this.link.refusal(`the share of the connection is closed: ${what}`);
  }

  /**
   * @internal
   * @throws {@link ConnectionClosedError} if the share or its connection is not open
   */
  protected requireOpen(what: string): void {
    this.requireShare(what);
    if (this.share?.state === 'closing') throw this.link.refusal(`the share of the connection is closing: ${what}`);
    this.link.requireOpen(what);
  }

  /**
   * @internal Calls `end` when the share ends, unless the returned function was called before. The end of the
   * connection ends everything without this.
   *
   * @param hears whether it ends as soon as the share begins to close, because it receives what the program no longer
   * waits for
   */
  protected belong(end: () => void, hears = false): () => void {
    const { share } = this;
    if (share === undefined) return end;
    const item = { endNow: end };
    share.add(item, hears);
    return () => {
      if (share.remove(item)) end();
    };
  }

  /** @internal As `belong`, without a function for each thing: ends it with the share, until it is disowned. */
  own(item: Endable, hears: boolean): void {
    this.share?.add(item, hears);
  }

  /** @internal */
  disown(item: Endable): void {
    this.share?.remove(item);
  }

  /** @internal As {@link hold}, until {@link endHold} is called with the same argument. */
  beginHold(reportsLoss: boolean): void {
    this.#keepAlive.begin(reportsLoss);
  }

  /** @internal Must be called once for each {@link beginHold}. */
  endHold(reportsLoss: boolean): void {
    this.#keepAlive.end(reportsLoss);
  }

  /** @internal whether other shares may use the connection after this one is closed */
  protected get isShare(): boolean {
    return this.share !== undefined;
  }

  /** @internal whether messages are sent and calls are answered: while it is open, and while it answers earlier calls */
  get carriesMessages(): boolean {
    return this.link.carriesMessages;
  }

  /** Whether the other side agreed to pass file descriptors. */
  get canSendFileDescriptors(): boolean {
    return this.connection.canSendFds;
  }

  /**
   * The credentials of the process at the other end of the socket, as the kernel knows them: the process that
   * connected, or that listened. On a bus this is the bus, and otherwise the peer. `undefined` if the socket is not a
   * Unix socket, and when the connection is closed.
   */
  get peerCredentials(): Credentials | undefined {
    const peer = this.connection.peerCredentials;
    return peer && socketCredentials(peer);
  }

  /**
   * Resolves when the connection ends: with `undefined` after `close`, with the reason after a loss. With the option
   * `reconnect` that is after the last attempt. It never rejects, so it need not be handled. It does not keep the process
   * alive.
   *
   * A program that reads this property handles a loss itself. If it was never read, the loss of a bus emits a process
   * warning, and the process ends with exit code 1 if only the connection kept it alive.
   */
  get disconnected(): Promise<DBusError | undefined> {
    const { disconnected } = this.link;
    return this.share === undefined ? disconnected : this.share.closed;
  }

  /**
   * Tells when the connection is lost, and with the option `reconnect` of {@link connect} when another one has replaced
   * it. It does not keep the process alive. A program that is told of the end, by `gaveUp`, or by `lost` without
   * `reconnect`, handles it itself, as a program that reads {@link disconnected}.
   *
   * @example
   * ```ts
   * const bus = await connect({ reconnect: true });
   * using _watch = bus.watchConnection({
   *   lost: (reason) => console.log('lost:', reason.message),
   *   restored: ({ uniqueName, downtime }) => console.log('back as', uniqueName, 'after', downtime, 'ms'),
   * });
   * ```
   * @returns a handle that ends the watch
   * @throws {@link InvalidArgumentError} if the watcher is not valid
   * @throws {@link ConnectionClosedError} if the connection is closed
   */
  watchConnection(watcher: ConnectionWatcher): Handle {
    checkConnectionWatcher(watcher);
    this.requireOpen('it cannot be watched');
    const end = this.belong(this.link.watch(watcher), true);
    return new EndHandle('watched connection', `${this.connectionId}`, end);
  }

  /**
   * Keeps the process alive while the connection is open. Without `ref` or `unref`, these keep it alive: pending calls,
   * subscriptions, watched and owned names, exported objects, and queued bytes that the other side still reads. With the
   * option `reconnect` they do so while there is no connection, too.
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
   * at once when the connection is closed. Messages stay queued if the promise rejects at a limit.
   *
   * @example
   * ```ts
   * await bus.flush({ timeout: 5000 });
   * ```
   * @throws (rejects) {@link InvalidArgumentError} if an option is not valid
   * @throws (rejects) {@link TimeoutError}, or the reason of `signal`
   * @throws (rejects) the reason of the loss, or {@link ConnectionClosedError} after `close`, if some of it was never
   * written
   */
  flush(limits: WaitLimits = {}): Promise<void> {
    const flushed = this.#flush(limits);
    // A caller that ignores the promise need not handle the loss here: it is reported, and `disconnected` resolves with
    // it.
    flushed.catch(() => {});
    return flushed;
  }

  async #flush(limits: WaitLimits): Promise<void> {
    flushOptions.check(limits);
    const flushed = this.connection.flush();
    if (limits.timeout === undefined && limits.signal === undefined) return flushed;
    return withinLimits(flushed, limits, 'not everything that was sent was written');
  }

  /**
   * Closes the connection in an orderly way, which takes time: a connection has no `end`. It releases all names and
   * acquires no further ones, answers the calls that were delivered until then, waits for running handlers and for calls
   * that message handlers took, writes the sent messages, waits until the other side has read them, and closes. All of
   * this takes at most `drain` milliseconds, a second by default, and no longer than needed. Signals are no longer
   * delivered; exports, subscriptions and names end. Calls and other operations that are still waiting when the connection
   * closes reject with {@link ConnectionClosedError}.
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
    if (this.share !== undefined) {
      await this.#leaveShare(this.share, limit);
      return;
    }
    if (this.state === 'open') {
      this.link.beginToClose();
      const release = this.link.keepAlive.hold();
      if (!limit.isOver) await Promise.race([this.answerWhatCame(), limit.over, this.link.closed]);
      release();
    }
    await this.link.close(limit);
  }

  async #leaveShare(share: Share, limit: TimeLimit): Promise<void> {
    share.beginToClose();
    const release = this.hold(true);
    if (!limit.isOver && this.link.state !== 'away') {
      await Promise.race([this.answerWhatCame(), limit.over, this.link.closed]);
    }
    await share.close(limit);
    const flushed = this.connection.flush().catch(() => {});
    await Promise.race([flushed, limit.over]);
    limit.end();
    release();
    this.link.keepAlive.removeUser(this.#keepAlive);
    this.link.removeUser(this);
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
    return (this.share ?? this.link).whenClosed(listener);
  }

  /** @internal see {@link Link.outlast} */
  outlast(lasting: Lasting): () => void {
    return this.link.outlast(lasting);
  }

  /** @internal the number of the connection in diagnostics */
  get connectionId(): number {
    return this.connection.id;
  }

  /** @internal the limits for the other side */
  get limits(): CompleteLimits {
    return this.connection.limits;
  }
}
