/**
 * A server for peers: each client has a connection of its own, without a bus. The server owns the listening socket and
 * the connections, and limits their number. Messages are for the `MessageBus` of each connection.
 */

import { inspect } from 'node:util';
import { InvalidArgumentError } from '../base/errors.js';
import { KnownOptions } from '../base/known-options.js';
import { checkBoolean } from '../base/parameters.js';
import { printable } from '../base/printable.js';
import { type CloseOptions, closeTable } from '../bus/connection-user.js';
import type { Credentials } from '../bus/names/driver.js';
import { socketCredentials } from '../bus/socket-credentials.js';
import type { Connection } from '../connection/connection.js';
import { type CompleteServerLimits, completeLimits, SERVER_LIMITS, type ServerLimits } from '../connection/limits.js';
import { report, runHandler } from '../diagnostics/problems.js';
import { MessageBus } from '../message-bus.js';
import type { PollerKind, TransportKind } from '../native/binding.js';
import { loadAddon } from '../native/load.js';
import { mayConnect, reportRejection } from './admission.js';
import { Arrivals } from './arrivals.js';
import { HalfOpen } from './half-open.js';
import type { Listener } from './listener.js';

/** Which clients may connect to a {@link PeerServer}, and what is called for them. */
export interface PeerServerOptions {
  /**
   * Called with each new connection. Exports, subscriptions and message handlers that it makes before it returns or
   * first awaits are active before the peer's first message is dispatched. Leave it out to iterate over the server
   * instead.
   */
  readonly onConnection?: ((bus: MessageBus) => unknown) | undefined;
  /**
   * Whether to accept peers without an identity, which is the only way over TCP. It also accepts every user of this
   * machine that can reach the socket. `false` by default.
   */
  readonly anonymous?: boolean | undefined;
  /**
   * Decides which clients may connect, by the credentials that the kernel has for them. It is called before the client
   * can send anything; over TCP there are no credentials. Only exactly `true`, or a promise of it, accepts a client. A
   * promise must settle within `authenticationTimeout`. By default processes of this process's user and of root may
   * connect, and with `anonymous` every client. The overflow uid (65534), which a user namespace gives to every user
   * that it does not map, does not count as this process's user.
   */
  readonly allow?: ((credentials: Credentials | undefined) => boolean | Promise<boolean>) | undefined;
  /** How many resources of this process each peer may use, and how many peers there may be. Each limit has a default. */
  readonly limits?: ServerLimits | undefined;
  /** Milliseconds that a client has to authenticate, including `allow`. 10 000 by default. */
  readonly authenticationTimeout?: number | undefined;
}

/** How a server is closed. */
export interface ServerCloseOptions extends CloseOptions {
  /**
   * Whether the connections that the program got stay open. `drain` applies to the other connections. `false` by
   * default.
   */
  readonly keepConnections?: boolean | undefined;
}

const serverCloseOptions = new KnownOptions<ServerCloseOptions>('close()', {
  ...closeTable,
  keepConnections: checkBoolean,
});

/** @internal the transports of a server's connections */
export interface Carriers {
  readonly poller: PollerKind;
  readonly transport: TransportKind;
}

/** @internal makes a listener that passes on accepted sockets */
export type OpenListener = (onAccept: (fd: number) => void) => Promise<Listener>;

/**
 * Listens for peers, until it is closed.
 *
 * @example
 * ```ts
 * await using server = await listen({ address: 'unix:path=/run/example/socket' });
 * for await (const bus of server) bus.export('/org/example/dbustest', new TestModule());
 * ```
 */
export class PeerServer implements AsyncIterable<MessageBus>, AsyncDisposable {
  readonly #options: PeerServerOptions;
  readonly #limits: CompleteServerLimits;
  readonly #halfOpen: HalfOpen;
  readonly #connections = new Set<MessageBus>();
  readonly #arrivals = new Arrivals(
    (bus) => this.#handOver(bus),
    () => this.#pace(),
  );
  #listener!: Listener;
  #accepts = true;
  #closed = false;

  private constructor(options: PeerServerOptions, guid: Buffer, carriers: Carriers) {
    this.#options = options;
    const limits = completeLimits(options.limits, SERVER_LIMITS);
    this.#limits = limits;
    this.#halfOpen = new HalfOpen({
      guid,
      timeout: options.authenticationTimeout ?? 10_000,
      anonymous: options.anonymous === true,
      limits,
      onChange: () => this.#pace(),
      isAwaited: () => this.#listener.hasWaiting,
      ...carriers,
    });
  }

  /** @internal programs use `listen` */
  static async open(
    options: PeerServerOptions,
    guid: Buffer,
    carriers: Carriers,
    openListener: OpenListener,
  ): Promise<PeerServer> {
    const server = new PeerServer(options, guid, carriers);
    server.#listener = await openListener((fd) => server.#accept(fd));
    return server;
  }

  /** The address that peers connect to, including what was generated: a path, a port, and the server's GUID. */
  get address(): string {
    return this.#listener.address;
  }

  /** The open connections that the program got from the server. */
  get connections(): ReadonlySet<MessageBus> {
    return this.#connections;
  }

  /**
   * Keeps the process alive while the server listens. This is the default until {@link unref} is called. Connections
   * keep the process alive independently, as sockets of `node:net` do.
   */
  ref(): void {
    this.#listener.ref();
  }

  /**
   * Lets the process end although the server listens. A connection of the server still keeps the process alive while it
   * has exports, subscriptions or waiting calls. To prevent that, also call `unref` of the connection in
   * `onConnection`.
   */
  unref(): void {
    this.#listener.unref();
  }

  /**
   * New connections, in the order in which they authenticated. Connections that the loop has not reached yet wait,
   * unread. The iteration ends when the server is closed. Leaving the loop does not close the server.
   *
   * @throws {@link InvalidArgumentError} if the server has `onConnection`
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<MessageBus> {
    if (this.#options.onConnection !== undefined) {
      throw new InvalidArgumentError(
        'the connections of this server go to onConnection: leave it out to iterate over them',
      );
    }
    return this.#arrivals.iterate();
  }

  /**
   * Stops listening, removes the socket's file, disconnects clients that are still authenticating, and closes all
   * connections, as {@link MessageBus.close} does.
   *
   * @throws (rejects) {@link InvalidArgumentError} if an option is not valid; nothing is closed then
   */
  async close(options: ServerCloseOptions = {}): Promise<void> {
    serverCloseOptions.check(options);
    const { keepConnections = false, drain } = options;
    if (!this.#closed) {
      this.#closed = true;
      this.#listener.close();
      this.#halfOpen.close();
      this.#arrivals.end();
    }
    const ending = this.#arrivals.removeWaiting();
    if (!keepConnections) ending.push(...this.#connections);
    await Promise.all(ending.map((bus) => bus.close({ drain })));
  }

  /** Closes the server and its connections, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    const connections = `${this.#count} connection${this.#count === 1 ? '' : 's'}`;
    return printable(`PeerServer { ${this.address}, ${this.#closed ? 'closed' : 'listening'}, ${connections} }`);
  }

  #accept(fd: number): void {
    const addon = loadAddon();
    const peer = addon.peerCredentials(fd);
    const credentials = peer && socketCredentials(peer);
    if (this.#count >= this.#limits.connections && !this.#arrivals.dropOneThatLeft()) {
      addon.closeFd(fd);
      reportRejection(credentials, `: the limit of ${this.#count} connections is reached`);
      return;
    }
    const allow = () => mayConnect(this.#options, credentials);
    const welcome = (connection: Connection) => this.#welcome(connection);
    this.#halfOpen
      .admit({ fd, allow, welcome })
      .catch((error: unknown) => report('peer', 'a client could not be accepted', error));
  }

  /** The number of open connections. */
  get #count(): number {
    return this.#connections.size + this.#arrivals.waiting;
  }

  /**
   * Accepts clients while there are places for them. A client that authenticates also counts as a connection, so the
   * limit of connections is never exceeded. While all connections are open, clients are accepted only to be
   * disconnected.
   */
  #pace(): void {
    if (this.#closed) return;
    const { connections, unauthenticated } = this.#limits;
    const accepts = this.#halfOpen.size < Math.min(unauthenticated, Math.max(1, connections - this.#count));
    if (accepts === this.#accepts) return;
    this.#accepts = accepts;
    if (accepts) this.#listener.resume();
    else this.#listener.pause();
    this.#halfOpen.holdCrowded(!accepts);
  }

  #welcome(connection: Connection): void {
    const bus = new MessageBus(connection, { peer: true });
    const { onConnection } = this.#options;
    if (onConnection !== undefined) {
      this.#handOver(bus);
      runHandler('the handler of a new connection', () => onConnection(bus), connection.id);
      return;
    }
    this.#arrivals.add(bus, connection);
  }

  #handOver(bus: MessageBus): MessageBus {
    this.#connections.add(bus);
    bus.whenClosed(() => {
      this.#connections.delete(bus);
      this.#pace();
    });
    return bus;
  }
}
