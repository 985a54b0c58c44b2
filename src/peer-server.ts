/**
 * A server for peers: each client that connects is a connection of its own, without a bus between. The server owns the
 * listening socket, decides who may come in, and keeps count; what is said is for the `MessageBus` of each connection.
 */
import type { Credentials } from './bus/driver.js';
import { socketCredentials } from './bus/socket-credentials.js';
import type { Connection } from './connection/connection.js';
import { HalfOpen } from './connection/half-open.js';
import type { Listener } from './connection/listener.js';
import { report, reportFailure, reportRejection, runHandler } from './diagnostics.js';
import { InvalidArgumentError } from './errors.js';
import { completeLimits, SERVER_LIMITS, type ServerLimits } from './limits.js';
import { MessageBus } from './message-bus.js';
import type { PollerKind, TransportKind } from './native/binding.js';
import { loadAddon } from './native/load.js';

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
   * Decides who may come in, by what the kernel knows of them; over TCP that is nothing. If left out: processes of this
   * process's user and of root, and with `anonymous` everybody.
   */
  readonly allow?: ((credentials: Credentials | undefined) => boolean) | undefined;
  /** How much each peer may cost this process; each limit that is left out has its default. */
  readonly limits?: ServerLimits | undefined;
  /** Connections that may be open at a time; more are turned away. 1024 if left out. */
  readonly maxConnections?: number | undefined;
  /** Connections that may be authenticating at a time; where one more comes, the oldest has to go. 64 if left out. */
  readonly maxUnauthenticated?: number | undefined;
  /** Milliseconds that a client has to authenticate. 10 000 if left out. */
  readonly authenticationTimeout?: number | undefined;
}

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
  readonly #guid: Buffer;
  readonly #halfOpen: HalfOpen;
  readonly #connections = new Set<MessageBus>();
  readonly #waiting: Waiting[] = [];
  /** In the order in which they asked. */
  readonly #wanted = new Set<Next>();
  #listener!: Listener;
  #closed = false;

  private constructor(options: PeerServerOptions, guid: Buffer, carriers: Carriers) {
    this.#options = options;
    this.#guid = guid;
    this.#halfOpen = new HalfOpen({
      limit: options.maxUnauthenticated ?? 64,
      timeout: options.authenticationTimeout ?? 10_000,
      anonymous: options.anonymous === true,
      limits: completeLimits(options.limits, SERVER_LIMITS),
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
    server.#listener = await openListener((fd) => {
      server.#accept(fd).catch((error: unknown) => report('peer', 'a client could not be taken on', error));
    });
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

  /** Keeps the process alive for as long as the server listens, which is so unless `unref` is called. */
  ref(): void {
    this.#listener.ref();
  }

  /** Lets the process end although the server listens. */
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
   * after what was sent on them is written.
   *
   * @param options `keepConnections` leaves open those that were handed over
   */
  async close({ keepConnections = false }: { readonly keepConnections?: boolean | undefined } = {}): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#listener.close();
      this.#halfOpen.close();
      for (const next of this.#wanted) next({ done: true, value: undefined });
      this.#wanted.clear();
    }
    const ending = this.#waiting.splice(0).map(({ bus }) => bus);
    if (!keepConnections) ending.push(...this.#connections);
    await Promise.all(ending.map((bus) => bus.close()));
  }

  /** Closes the server and its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #accept(fd: number): Promise<void> {
    const addon = loadAddon();
    const peer = addon.peerCredentials(fd);
    const credentials = peer && socketCredentials(peer);
    const refusal = this.#refusal(credentials);
    if (refusal !== undefined) {
      addon.closeFd(fd);
      report('peer', refusal);
      return;
    }
    const connection = await this.#halfOpen.open({ fd, guid: this.#guid });
    if (connection === undefined || connection.state !== 'open') return;
    // Others may have come in while it was authenticating.
    const crowd = this.#crowd(credentials);
    if (crowd !== undefined) report('peer', crowd, undefined, connection.id);
    if (crowd !== undefined || this.#closed) await connection.close();
    else this.#welcome(connection);
  }

  /** Why a peer may not come in; `undefined` if it may. Asked before it can say a word. */
  #refusal(credentials: Credentials | undefined): string | undefined {
    const { allow, anonymous = false } = this.#options;
    const crowd = this.#crowd(credentials);
    if (crowd !== undefined) return crowd;
    const isAllowed = allow === undefined ? anonymous || isOwnUserOrRoot(credentials) : isAllowedBy(allow, credentials);
    return isAllowed ? undefined : `${named(credentials)} was turned away`;
  }

  /** Why nobody else may come in; `undefined` while there is room. */
  #crowd(credentials: Credentials | undefined): string | undefined {
    const { maxConnections = 1024 } = this.#options;
    const count = this.#connections.size + this.#waiting.length;
    return count < maxConnections ? undefined : `${named(credentials)} was turned away: there are ${count} connections`;
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
      this.#waiting.push({ bus, resume: connection.pause() });
      return;
    }
    this.#wanted.delete(next);
    next({ done: false, value: this.#handOver(bus) });
  }

  /** @param awaiting gets what resolves the promise, for as long as it waits */
  #next(awaiting: Set<Next>): Promise<IteratorResult<MessageBus, undefined>> {
    const first = this.#waiting.shift();
    if (first !== undefined) {
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
    bus.whenClosed(() => this.#connections.delete(bus));
    return bus;
  }
}

function named(credentials: Credentials | undefined): string {
  return credentials === undefined ? 'an unknown peer' : `a process of user ${credentials.uid}`;
}

/** Nothing but `true` lets anybody in: a promise, of an async function, is no permission, and neither is nothing. */
function isAllowedBy(allow: (credentials: Credentials | undefined) => unknown, peer: Credentials | undefined): boolean {
  const what = 'deciding whether a peer may connect';
  try {
    const result = allow(peer);
    if (result instanceof Promise) reportRejection(what, result);
    return result === true;
  } catch (error) {
    reportFailure(what, error);
    return false;
  }
}

function isOwnUserOrRoot(credentials: Credentials | undefined): boolean {
  return credentials !== undefined && (credentials.uid === process.geteuid?.() || credentials.uid === 0);
}
