/**
 * A server for peers: each client that connects is a connection of its own, without a bus between. The server owns the
 * listening socket, decides who may come in, and keeps count; what is said is for the `MessageBus` of each connection.
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

/** Who may connect to a {@link PeerServer}, and who is told. */
export interface PeerServerOptions {
  /**
   * Called with each new connection. What it exports, subscribes to and handles before it returns (or first awaits) is
   * in force before the peer's first message is dispatched. Leave it out to iterate over the server instead.
   */
  readonly onConnection?: ((bus: MessageBus) => unknown) | undefined;
  /**
   * Whether to let peers in who do not say who they are, which is the only way over TCP. It also lets every user of
   * this machine in who can reach the socket. `false` if left out.
   */
  readonly anonymous?: boolean | undefined;
  /**
   * Decides which clients may connect, by what the kernel knows of them before they can say a word; over TCP that is
   * nothing. Only exactly `true`, or a promise of it, lets a client in; a promise has to settle within
   * `authenticationTimeout`. If left out: processes of this process's user and of root, and with `anonymous` everybody.
   * The overflow uid (65534), which a user namespace gives to every user that it does not map, is not this process's user.
   */
  readonly allow?: ((credentials: Credentials | undefined) => boolean | Promise<boolean>) | undefined;
  /** How much each peer may cost this process, and how many there may be; each limit that is left out has its default. */
  readonly limits?: ServerLimits | undefined;
  /** Milliseconds that a client has to authenticate, `allow` included. 10 000 if left out. */
  readonly authenticationTimeout?: number | undefined;
}

/** How a server is closed. */
export interface ServerCloseOptions extends CloseOptions {
  /** Whether the connections that were handed over stay open; `drain` is that of the others. `false` if left out. */
  readonly keepConnections?: boolean | undefined;
}

const serverCloseOptions = new KnownOptions<ServerCloseOptions>('close()', {
  ...closeTable,
  keepConnections: checkBoolean,
});

/** @internal what carries the connections of a server */
export interface Carriers {
  readonly poller: PollerKind;
  readonly transport: TransportKind;
}

/** @internal how a listener is made that hands over sockets */
export type OpenListener = (onAccept: (fd: number) => void) => Promise<Listener>;

/** A connection that nobody has asked for yet. It is not read, so that nothing is answered before there are objects. */
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
  /** In the order in which they asked. */
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

  /** @internal servers are made with `listen` */
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

  /** The address that peers connect to, with what was made up: a path, a port, and the server's GUID. */
  get address(): string {
    return this.#listener.address;
  }

  /** The connections that were handed over and are open. */
  get connections(): ReadonlySet<MessageBus> {
    return this.#connections;
  }

  /**
   * Keeps the process alive for as long as the server listens, which is so unless {@link unref} is called. Connections
   * keep it alive on their own account, as sockets of `node:net` do.
   */
  ref(): void {
    this.#listener.ref();
  }

  /**
   * Lets the process end although the server listens. A connection of the server still keeps the process alive while
   * something is exported or subscribed to on it, or a call waits: call `unref` of the connection as well, in
   * `onConnection`, if it must not.
   */
  unref(): void {
    this.#listener.unref();
  }

  /**
   * New connections, in the order in which they authenticated. Those that nobody has taken yet wait, unread. Ends when
   * the server is closed; leaving the loop does not close it.
   *
   * @throws {@link InvalidArgumentError} if the connections go to `onConnection`
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<MessageBus> {
    if (this.#options.onConnection !== undefined) {
      throw new InvalidArgumentError('the connections of this server go to onConnection');
    }
    const end = { done: true, value: undefined } as const;
    const awaiting = new Set<Next>();
    let ended = false;
    const iterator: AsyncIterableIterator<MessageBus> = {
      next: () => (ended ? Promise.resolve(end) : this.#next(awaiting)),
      return: () => {
        ended = true;
        // Whoever comes next is not for them.
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
   * Stops listening, removes the socket's file, turns away who is still authenticating, and closes all connections,
   * as {@link MessageBus.close} does.
   *
   * @throws (rejects) {@link InvalidArgumentError} for options that make no sense; nothing is closed then
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

  /** Closes the server and its connections. */
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
      report('peer', `${named(credentials)} was turned away: there are ${this.#count} connections`);
      return;
    }
    const allow = () => this.#permission(credentials);
    const welcome = (connection: Connection) => this.#welcome(connection);
    this.#halfOpen
      .admit({ fd, allow, welcome })
      .catch((error: unknown) => report('peer', 'a client could not be taken on', error));
  }

  /** How many connections are open. */
  get #count(): number {
    return this.#connections.size + this.#waiting.size;
  }

  /**
   * Accepts clients while there are places for them. Those that authenticate have a place among all connections as well:
   * nobody is let in beyond the limit. Where all of those are open, clients are accepted only to be turned away.
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

  /** Makes room for one more, where a connection that nobody took is over but for what it said. */
  #dropOneThatLeft(): boolean {
    for (const waiting of this.#waiting) {
      if (!waiting.connection.hasLeft) continue;
      this.#waiting.delete(waiting);
      void waiting.bus.close();
      return true;
    }
    return false;
  }

  /** Whether a peer may come in. Asked before it can say a word. */
  #permission(credentials: Credentials | undefined): boolean | Promise<boolean> {
    const { allow, anonymous = false } = this.#options;
    const tell = (isAllowed: boolean) => {
      if (!isAllowed) report('peer', `${named(credentials)} was turned away`);
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

  /** Keeps a connection, unread, until somebody takes it. One that has left and said nothing more is not kept. */
  #hold(bus: MessageBus, connection: Connection): void {
    const waiting = { bus, connection, resume: connection.pause() };
    this.#waiting.add(waiting);
    bus.whenClosed(() => {
      this.#waiting.delete(waiting);
      this.#pace();
    });
  }

  /** @param awaiting gets what resolves the promise, for as long as it waits */
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

/** What `allow` says. Nothing but `true`, or a promise of it, lets a peer in; a failure is reported. */
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
