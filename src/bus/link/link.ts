/**
 * What a bus has instead of one connection: the present one, and for a bus that reconnects ({@link LastingLink}) those
 * that follow. The users of the link (the bus, or its shares) send over the present connection directly, so that a link
 * costs nothing for a message.
 */

import { type ConnectionClosedError, type DBusError, NotSupportedError } from '../../base/errors.js';
import type { Connection } from '../../connection/connection.js';
import type { ConnectionState } from '../../connection/connection-events.js';
import type { KeepAlive } from '../../connection/keep-alive.js';
import type { CloseListener } from '../../connection/lifecycle.js';
import type { TimeLimit } from '../../connection/time-limit.js';
import type { ConnectionCounts } from '../../connection/traffic.js';
import { runHandler } from '../../diagnostics/problems.js';
import type { ConnectionWatcher } from './connection-watcher.js';

/**
 * The state of a bus: that of its connection, or `away` while a bus that reconnects has none. A `closed` bus stays
 * closed.
 */
export type BusState = ConnectionState | 'away';

/**
 * Connects to a bus and authenticates. Hello is sent later.
 *
 * @param address the one to connect to, if not those of the program's options
 */
export type Dial = (signal: AbortSignal, address?: string) => Promise<Connection>;

/** A user of a link, which has a reference to the present connection. */
export interface LinkUser {
  /** Uses a connection that follows the one that was lost. */
  moveTo(connection: Connection): void;
}

/** Something that outlasts a connection, and begins again at the next one. */
export interface Lasting {
  /** The connection was lost. Another one will follow, or the end. */
  lost(): void;
  /**
   * Begins again at the connection that follows, when everything else is declared there. Resolves when its state is
   * complete again. Never rejects.
   */
  back(): Promise<unknown>;
}

/** The link of a bus or peer that does not reconnect: one connection. */
export class Link {
  #connection: Connection;
  readonly #dial: Dial | undefined;

  /** @param dial makes a further connection to the same bus; `undefined` if that is not possible */
  constructor(connection: Connection, dial: Dial | undefined) {
    this.#connection = connection;
    this.#dial = dial;
  }

  /**
   * Makes another connection to the same bus, up to authentication.
   *
   * @throws (rejects) {@link NotSupportedError} if the program passed the socket of this one
   * @throws (rejects) {@link ConnectError}, or the reason of the signal
   */
  async openAnother(signal: AbortSignal): Promise<Connection> {
    if (this.#dial === undefined) {
      throw new NotSupportedError(
        'another connection to the bus is needed, and the program has passed the socket of this one: connect by an address',
      );
    }
    return this.#dial(signal, this.connection.address);
  }

  /** The present connection; the last one while there is none. */
  get connection(): Connection {
    return this.#connection;
  }

  protected set connection(connection: Connection) {
    this.#connection = connection;
  }

  get state(): BusState {
    return this.connection.state;
  }

  /** Whether messages are sent and calls are answered, or will be when there is a connection again. */
  get carriesMessages(): boolean {
    return this.connection.carriesMessages;
  }

  /** What keeps the process alive now. */
  get keepAlive(): KeepAlive {
    return this.connection.keepAlive;
  }

  /** The traffic of all connections, and what the present one holds. */
  get counts(): ConnectionCounts {
    return this.connection.counts;
  }

  /** Resolves at the end: with `undefined` after `close`, with the reason after a loss. Never rejects. */
  get closed(): Promise<DBusError | undefined> {
    return this.connection.closed;
  }

  /** Like {@link closed}, for the program, which notices a loss by it. */
  get disconnected(): Promise<DBusError | undefined> {
    return this.connection.disconnected;
  }

  /** @throws {@link ConnectionClosedError} unless the bus is open, or will be again */
  requireOpen(what: string): void {
    this.connection.requireOpen(what);
  }

  /** See {@link Connection.refusal}. */
  refusal(what: string): ConnectionClosedError {
    return this.connection.refusal(what);
  }

  /** Calls `listener` at the end, until the returned function is called. */
  whenClosed(listener: CloseListener): () => void {
    return this.connection.whenClosed(listener);
  }

  /** Makes a user move to each connection that follows. */
  addUser(_user: LinkUser): void {}

  removeUser(_user: LinkUser): void {}

  /** Tells something of each loss and each connection that follows, until the returned function is called. */
  outlast(_lasting: Lasting): () => void {
    return () => {};
  }

  /** Informs a watcher, until the returned function is called. */
  watch(watcher: ConnectionWatcher): () => void {
    // A program that is told of the loss handles it.
    if (watcher.lost !== undefined) void this.disconnected;
    return this.whenClosed((reason) => {
      if (reason === undefined) return;
      runHandler('a watcher of the connection', () => watcher.lost?.(reason), this.connection.id);
    });
  }

  /** Rejects the waiting calls of a user whose share was closed. */
  endCallsOf(user: object): void {
    this.connection.calls.endCallsOf(user);
  }

  /** See {@link Connection.beginToClose}. */
  beginToClose(): void {
    this.connection.beginToClose();
  }

  /** See {@link Connection.close}. */
  close(limit: TimeLimit): Promise<void> {
    return this.connection.close(limit);
  }
}
