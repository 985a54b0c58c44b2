/**
 * The link of a bus or peer that reconnects: a succession of connections. It owns the state, the attempts to connect
 * again, and the order in which the next connection is put to use.
 *
 * The tables of the bus (rules, followed names, owned names), exports and handles outlast a connection. What was in
 * progress does not: calls that wait for a reply reject, answers of handlers are dropped, and nothing is sent twice.
 * docs/architecture.md has the table of states.
 */

import { type ConnectionClosedError, closedError, type DBusError } from '../../base/errors.js';
import type { Connection } from '../../connection/connection.js';
import { tellUnheardLoss } from '../../connection/ending/unheard-loss.js';
import type { KeepAlive } from '../../connection/keep-alive.js';
import type { CloseListener } from '../../connection/lifecycle.js';
import { TimeLimit } from '../../connection/time-limit.js';
import { type ConnectionCounts, sumOfCounts } from '../../connection/traffic.js';
import { runHandler, trace } from '../../diagnostics/problems.js';
import type { Routing } from '../routing.js';
import { Absence } from './absence.js';
import type { ConnectionWatcher } from './connection-watcher.js';
import { type BusState, type Dial, type Lasting, Link, type LinkUser } from './link.js';
import { Pauses } from './pauses.js';
import { type CompleteReconnect, Delays } from './reconnect-options.js';

/** How the next connection is made. */
export interface Redial extends CompleteReconnect {
  readonly dial: Dial;
  /** Milliseconds in which the bus has to answer Hello. */
  readonly timeout: number;
  /** The files of the sockets that are tried. Their changes are watched for. */
  readonly socketPaths: () => readonly string[];
}

/**
 * - `open`: the connection is in use, or being closed
 * - `away`: there is no connection; the next attempt is awaited, or in progress
 * - `closed`: by the program, or because it gave up
 */
type State = 'open' | 'away' | 'closed';

export class LastingLink extends Link {
  readonly #redial: Redial;
  readonly #delays: Delays;
  readonly #users = new Set<LinkUser>();
  readonly #lasting = new Set<Lasting>();
  readonly #watchers = new Set<ConnectionWatcher>();
  readonly #closeListeners = new Set<CloseListener>();
  readonly #closed: Promise<DBusError | undefined>;
  #resolveClosed!: (reason: DBusError | undefined) => void;
  #routing!: Routing;
  #state: State = 'open';
  #isClosing = false;
  /** Whether the program waits for the end, so that it notices that the link gave up. */
  #isAskedFor = false;
  /** The reason of the last loss. */
  #reason: DBusError | undefined;
  /** Counts losses. What was begun for an earlier connection is out of date. */
  #generation = 0;
  #attempts = 0;
  /** When the present connection was put to use, and when the last one that the program knows of was lost. */
  #usedSince = performance.now();
  #lostAt: number | undefined;
  /** The traffic of the earlier connections. */
  #past: ConnectionCounts | undefined;
  #absence: Absence | undefined;

  constructor(connection: Connection, redial: Redial, dial: Dial | undefined) {
    super(connection, dial);
    this.#redial = redial;
    this.#delays = new Delays(redial);
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Begins to watch the first connection, whose messages go to this routing. */
  serve(routing: Routing): void {
    this.#routing = routing;
    this.#use(this.connection);
  }

  override get state(): BusState {
    if (this.#state !== 'open') return this.#state;
    return this.connection.state;
  }

  override get carriesMessages(): boolean {
    return this.#state === 'away' || this.connection.carriesMessages;
  }

  override get keepAlive(): KeepAlive {
    return this.#absence?.keepAlive ?? this.connection.keepAlive;
  }

  override get counts(): ConnectionCounts {
    // The counts of a lost connection are in the past.
    const past = this.#past;
    const present = this.#absence === undefined ? this.connection.counts : undefined;
    const counts = past === undefined ? (present as ConnectionCounts) : sumOfCounts(past, present);
    const waiting = this.#absence?.waiting.size ?? 0;
    return waiting === 0 ? counts : { ...counts, pendingCalls: waiting };
  }

  override get closed(): Promise<DBusError | undefined> {
    return this.#closed;
  }

  override get disconnected(): Promise<DBusError | undefined> {
    this.#isAskedFor = true;
    return this.#closed;
  }

  override requireOpen(what: string): void {
    if (this.#state !== 'away') super.requireOpen(what);
  }

  override refusal(what: string): ConnectionClosedError {
    return closedError(what, this.#reason);
  }

  override whenClosed(listener: CloseListener): () => void {
    this.#closeListeners.add(listener);
    if (this.#state === 'closed') {
      void this.#closed.then((reason) => this.#closeListeners.delete(listener) && listener(reason));
    }
    return () => void this.#closeListeners.delete(listener);
  }

  override addUser(user: LinkUser): void {
    this.#users.add(user);
  }

  override removeUser(user: LinkUser): void {
    this.#users.delete(user);
  }

  override outlast(lasting: Lasting): () => void {
    this.#lasting.add(lasting);
    return () => void this.#lasting.delete(lasting);
  }

  override watch(watcher: ConnectionWatcher): () => void {
    // One registration for each call, also of the same watcher.
    const registered = bound(watcher);
    if (registered.gaveUp !== undefined) this.#isAskedFor = true;
    this.#watchers.add(registered);
    return () => void this.#watchers.delete(registered);
  }

  override endCallsOf(user: object): void {
    super.endCallsOf(user);
    this.#absence?.waiting.endCallsOf(user);
  }

  override beginToClose(): void {
    this.#isClosing = true;
    super.beginToClose();
  }

  /** While the link is away there is nothing to write, so it ends at once. */
  override async close(limit: TimeLimit): Promise<void> {
    this.#isClosing = true;
    if (this.#state === 'away') this.#end(undefined);
    if (this.#state === 'open') await super.close(limit);
    limit.end();
    await this.#closed;
  }

  /** Puts a connection to use. */
  #use(connection: Connection): void {
    this.connection = connection;
    this.#usedSince = performance.now();
    // The link handles the loss: no warning tells of it.
    void connection.disconnected;
    connection.whenClosed((reason) => this.#onEnd(reason));
  }

  #onEnd(reason: DBusError | undefined): void {
    if (reason === undefined || this.#isClosing) this.#end(reason);
    else this.#lose(reason);
  }

  #lose(reason: DBusError): void {
    const { connection } = this;
    this.#generation++;
    this.#state = 'away';
    this.#reason = reason;
    const { counts } = connection;
    this.#past = this.#past === undefined ? counts : sumOfCounts(this.#past, counts);
    this.#absence = new Absence(connection);
    this.#routing.lose();
    for (const each of [...this.#lasting]) if (this.#lasting.has(each)) each.lost();
    this.#delays.reset(performance.now() - this.#usedSince);
    if (this.#lostAt === undefined) {
      this.#lostAt = performance.now();
      this.#tell((watcher) => watcher.lost?.(reason));
    } else {
      this.#countFailure(reason);
    }
    // A watcher may have closed the bus.
    if (this.#absence !== undefined) void this.#reconnect(this.#absence);
  }

  #endAbsence(): void {
    this.#absence?.end();
    this.#absence = undefined;
  }

  async #reconnect(absence: Absence): Promise<void> {
    const { signal } = absence;
    const pauses = new Pauses(this.#delays, this.#redial.socketPaths(), signal);
    try {
      for (;;) {
        const isDue = await pauses.next();
        if (signal.aborted) return;
        const next = await this.#attempt(signal).catch((error: unknown) => {
          trace('#%d is not replaced yet: %s', this.connection.id, error);
          if (!signal.aborted && isDue) this.#countFailure(error);
        });
        if (signal.aborted) return;
        if (next === undefined) continue;
        this.#moveTo(next, absence);
        return;
      }
    } finally {
      pauses.end();
    }
  }

  /** Counts an attempt after which something that was declared did not work. */
  #countFailure(reason: unknown): void {
    if (++this.#attempts >= this.#redial.attempts) this.#giveUp(reason);
  }

  /** @throws (rejects) the reason why there is no connection that can be used */
  async #attempt(signal: AbortSignal): Promise<Connection> {
    const { dial, timeout } = this.#redial;
    const next = await dial(signal);
    // Until it is put to use, only the absence keeps the process alive.
    const user = next.keepAlive.addUser();
    user.wish('unref');
    try {
      signal.throwIfAborted();
      next.sender.continueSerialsOf(this.connection.sender);
      this.#routing.follow(next);
      await this.#routing.hello({ timeout, signal });
      signal.throwIfAborted();
      next.requireOpen('it cannot be used');
      next.keepAlive.removeUser(user);
      return next;
    } catch (error) {
      this.#routing.uniqueName = undefined;
      void next.close(new TimeLimit(0));
      throw error;
    }
  }

  /**
   * Puts the next connection to use. It sends, in this order: what was declared, the rules of live views, the calls that
   * wait. No code of the program runs meanwhile.
   */
  #moveTo(next: Connection, { keepAlive, waiting }: Absence): void {
    next.sender.first = this.connection.sender.first;
    const declared = this.#routing.restore();
    next.keepAlive.takeUsersOf(keepAlive);
    this.#endAbsence();
    this.#state = 'open';
    for (const user of this.#users) user.moveTo(next);
    this.#use(next);
    const back = [...this.#lasting].map((each) => each.back());
    waiting.sendTo(next.calls);
    void this.#finish(this.#generation, [declared, ...back]);
  }

  async #finish(generation: number, answers: readonly Promise<unknown>[]): Promise<void> {
    await Promise.all(answers);
    // It was lost again, or closed, meanwhile.
    if (generation !== this.#generation || this.state !== 'open' || this.#lostAt === undefined) return;
    const downtime = performance.now() - this.#lostAt;
    const { uniqueName } = this.#routing;
    this.#attempts = 0;
    this.#lostAt = undefined;
    this.#tell((watcher) => watcher.restored?.({ uniqueName, downtime }));
  }

  #giveUp(error: unknown): void {
    this.#tell((watcher) => watcher.gaveUp?.(error));
    if (this.#state !== 'away') return;
    const { isPeer, address } = this.connection;
    const isSilent = this.#absence?.keepAlive.keepsAliveInSilence === true;
    if (!isPeer && !this.#isAskedFor && isSilent && this.#reason !== undefined) {
      tellUnheardLoss(address, this.#reason, () => this.#isAskedFor);
    }
    this.#end(this.#reason);
  }

  #end(reason: DBusError | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#reason = reason;
    this.#generation++;
    const waiting = this.#absence?.waiting;
    this.#endAbsence();
    waiting?.close(reason);
    this.#watchers.clear();
    this.#lasting.clear();
    const listeners = [...this.#closeListeners];
    this.#closeListeners.clear();
    for (const listener of listeners) {
      runHandler('a listener of the end of the connection', () => listener(reason), this.connection.id);
    }
    this.#resolveClosed(reason);
  }

  #tell(call: (watcher: ConnectionWatcher) => unknown): void {
    for (const watcher of [...this.#watchers]) {
      if (!this.#watchers.has(watcher)) continue;
      runHandler('a watcher of the connection', () => call(watcher), this.connection.id);
    }
  }
}

/** Calls the functions of a watcher as its methods. */
function bound(watcher: ConnectionWatcher): ConnectionWatcher {
  const { lost, restored, gaveUp } = watcher;
  return { lost: lost?.bind(watcher), restored: restored?.bind(watcher), gaveUp: gaveUp?.bind(watcher) };
}
