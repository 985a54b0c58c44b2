/**
 * A server for peers: each client has a connection of its own, without a bus. The server owns the listening socket,
 * decides which clients may connect, and limits their number. Messages are for the `MessageBus` of each connection.
 */

import { inspect } from 'node:util';
import { InvalidArgumentError } from '../base/errors.js';
import { KnownOptions } from '../base/known-options.js';
import { checkBoolean } from '../base/parameters.js';
import { printable } from '../base/printable.js';
import { type CloseOptions, closeTable } from '../bus/endpoint.js';
import type { Credentials } from '../bus/names/driver.js';
import { socketCredentials } from '../bus/socket-credentials.js';
import type { Connection } from '../connection/connection.js';
import { type CompleteServerLimits, completeLimits, SERVER_LIMITS, type ServerLimits } from '../connection/limits.js';
import { isOwnUser } from '../connection/opening/own-user.js';
import { report, reportFailure, runHandler } from '../diagnostics/problems.js';
import { MessageBus } from '../message-bus.js';
import type { PollerKind, TransportKind } from '../native/binding.js';
import { loadAddon } from '../native/load.js';
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
 * A connection that the program has not asked for yet. It is not read, so that no call is answered before objects are
 * exported.
 */
interface Waiting {
  readonly bus: MessageBus;
  readonly connection: Connection;
  readonly resume: () => void;
}

type Next = (result: IteratorResult<MessageBus, undefined>) => void;

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
  /** In the order in which they authenticated. */
  readonly #waiting = new Set<Waiting>();
  /** In the order in which they were requested. */
  readonly #wanted = new Set<Next>();
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
    const end = { done: true, value: undefined } as const;
    const awaiting = new Set<Next>();
    let ended = false;
    const iterator: AsyncIterableIterator<MessageBus> = {
      next: () => (ended ? Promise.resolve(end) : this.#next(awaiting)),
      return: () => {
        ended = true;
        // Later connections are not for this iterator.
        for (const next of awaiting) {
          this.#wanted.delete(next);
          next(end);
        }
        return Promise.resolve(end);
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
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
      for (const next of this.#wanted) next({ done: true, value: undefined });
      this.#wanted.clear();
    }
    const ending = [...this.#waiting].map(({ bus }) => bus);
    this.#waiting.clear();
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
    if (this.#count >= this.#limits.connections && !this.#dropOneThatLeft()) {
      addon.closeFd(fd);
      report('peer', `${named(credentials)} was rejected: the limit of ${this.#count} connections is reached`);
      return;
    }
    const allow = () => this.#permission(credentials);
    const welcome = (connection: Connection) => this.#welcome(connection);
    this.#halfOpen
      .admit({ fd, allow, welcome })
      .catch((error: unknown) => report('peer', 'a client could not be accepted', error));
  }

  /** The number of open connections. */
  get #count(): number {
    return this.#connections.size + this.#waiting.size;
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

  /** Makes room for one more connection: drops a waiting one whose peer has disconnected, with its unread messages. */
  #dropOneThatLeft(): boolean {
    for (const waiting of this.#waiting) {
      if (!waiting.connection.hasLeft) continue;
      this.#waiting.delete(waiting);
      void waiting.bus.close();
      return true;
    }
    return false;
  }

  /** Whether a peer may connect. Called before the peer can send anything. */
  #permission(credentials: Credentials | undefined): boolean | Promise<boolean> {
    const { allow, anonymous = false } = this.#options;
    const tell = (isAllowed: boolean) => {
      if (!isAllowed) report('peer', `${named(credentials)} was rejected`);
      return isAllowed;
    };
    const answer = allow === undefined ? anonymous || isOwnUserOrRoot(credentials) : answerOf(allow, credentials);
    return typeof answer === 'boolean' ? tell(answer) : answer.then(tell);
  }

  #welcome(connection: Connection): void {
    const bus = new MessageBus(connection, { peer: true });
    const { onConnection } = this.#options;
    if (onConnection !== undefined) {
      this.#handOver(bus);
      runHandler('the handler of a new connection', () => onConnection(bus), connection.id);
      return;
    }
    const [next] = this.#wanted;
    if (next === undefined) {
      this.#hold(bus, connection);
      return;
    }
    this.#wanted.delete(next);
    next({ done: false, value: this.#handOver(bus) });
  }

  /**
   * Keeps a connection, unread, until the program takes it. A connection whose peer has disconnected without sending
   * anything is not kept.
   */
  #hold(bus: MessageBus, connection: Connection): void {
    const waiting = { bus, connection, resume: connection.pause() };
    this.#waiting.add(waiting);
    bus.whenClosed(() => {
      this.#waiting.delete(waiting);
      this.#pace();
    });
  }

  /** @param awaiting gets the function that resolves the promise, while it waits */
  #next(awaiting: Set<Next>): Promise<IteratorResult<MessageBus, undefined>> {
    const [first] = this.#waiting;
    if (first !== undefined) {
      this.#waiting.delete(first);
      first.resume();
      return Promise.resolve({ done: false, value: this.#handOver(first.bus) });
    }
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      const next: Next = (result) => {
        awaiting.delete(next);
        resolve(result);
      };
      awaiting.add(next);
      this.#wanted.add(next);
    });
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

function named(credentials: Credentials | undefined): string {
  return credentials === undefined ? 'an unknown peer' : `a process of user ${credentials.uid}`;
}

/** The result of `allow`. Only `true`, or a promise of it, accepts a peer; a failure is reported. */
function answerOf(
  allow: (credentials: Credentials | undefined) => unknown,
  peer: Credentials | undefined,
): boolean | Promise<boolean> {
  const refuse = (error: unknown) => {
    reportFailure('deciding whether a peer may connect', error);
    return false;
  };
  try {
    const answer = allow(peer);
    if (!isThenable(answer)) return answer === true;
    return Promise.resolve(answer).then((settled) => settled === true, refuse);
  } catch (error) {
    return refuse(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function isOwnUserOrRoot(credentials: Credentials | undefined): boolean {
  return credentials?.uid !== undefined && (credentials.uid === 0 || isOwnUser(credentials.uid));
}
