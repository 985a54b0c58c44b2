/** The ways to a bus, and to a peer: the well-known buses, shared in a process, and connections of one's own. */
import { type Address, parseAddresses } from './address/address.js';
import { sessionBusAddresses, starterBusAddresses, systemBusAddresses } from './address/bus-addresses.js';
import { InvalidArgumentError, NotSupportedError } from './base/errors.js';
import { anyValue, KnownOptions } from './base/known-options.js';
import { checkBoolean, checkOptionalString, checkSignal, checkTimeout, oneOf } from './base/parameters.js';
import {
  CONNECTION_LIMITS,
  type CompleteLimits,
  type ConnectionLimits,
  completeLimits,
  PEER_LIMITS,
} from './connection/limits.js';
import { greetingFailure } from './connection/opening/greeting-failure.js';
import { CONNECT_TIMEOUT, openConnection } from './connection/opening/open.js';
import { MessageBus } from './message-bus.js';
import type { PollerKind, TransportKind } from './native/binding.js';
import { POLLERS, TRANSPORTS } from './native/runtime.js';

/** Which bus or peer to connect to, and how. */
export interface ConnectOptions {
  /** Server addresses, separated by `;`, tried in order. Takes precedence over `bus`. */
  readonly address?: string | undefined;
  /** A well-known bus: the login session's, the machine's, or the one that started this process. `session` if left out. */
  readonly bus?: 'session' | 'system' | 'starter' | undefined;
  /**
   * Connects to another process directly, without a bus between: to one that uses {@link listen}, or is a server by any
   * other D-Bus library. Needs an `address`. There are no names then: calls need no destination, and what only a bus can
   * answer rejects with {@link NotSupportedError}.
   */
  readonly peer?: boolean | undefined;
  /** Authenticates without saying who one is, if the other side lets such clients in. The only way to peers over TCP. */
  readonly anonymous?: boolean | undefined;
  /**
   * What moves the bytes; the environment variable `BUSBAR_TRANSPORT` or the default, a socket, decides if left out.
   * Where there is no one stream socket (`unixexec:` for instance) it is always sd-bus. A socket needs no sd-bus library.
   */
  readonly transport?: TransportKind | undefined;
  /** How the event loop is told of bytes; the runtime decides if left out. */
  readonly poller?: PollerKind | undefined;
  /**
   * Milliseconds for one attempt to connect, authentication included; and for the bus to answer `Hello`. 10 000 if left out.
   * Each address is an attempt, and so is the second handshake with a bus that rejects sd-bus.
   */
  readonly timeout?: number | undefined;
  /** Aborting gives the attempt up: `connect` rejects with the reason. It does nothing to a connection that was made. */
  readonly signal?: AbortSignal | undefined;
  /** How much the other side may cost this process; each limit that is left out has its default. */
  readonly limits?: ConnectionLimits | undefined;
}

/**
 * Makes a connection of one's own, to a message bus or to a peer.
 *
 * @example
 * ```ts
 * await using bus = await connect({ bus: 'system' });
 * await using peer = await connect({ address: 'unix:path=/run/example/socket', peer: true });
 * ```
 * @throws (rejects) {@link ConnectError} with every address that was tried, how far it came, and what usually helps; also
 *   if what answers is no bus, or the environment names no address, or an invalid one
 * @throws (rejects) {@link InvalidArgumentError} if an address breaks the grammar, or an option makes no sense
 * @throws (rejects) the reason of `signal`
 * @throws (rejects) {@link ProtocolError} if the bus gives the connection a name that is no unique name
 * @throws (rejects) {@link LimitsExceededError}, or what else the bus answers to being greeted, if it lets nobody in
 */
export async function connect(options: ConnectOptions = {}): Promise<MessageBus> {
  connectOptions.check(options);
  const { timeout = CONNECT_TIMEOUT, signal } = options;
  signal?.throwIfAborted();
  const limits = completeLimits(options.limits, options.peer === true ? PEER_LIMITS : CONNECTION_LIMITS);
  if (options.peer === true) return connectToPeer({ ...options, timeout, limits });
  const { connection, address } = await openConnection(addressesOf(options), { ...options, timeout, limits });
  // When the connection is over, nobody knows any more.
  const listener = connection.peerCredentials?.uid;
  const bus = new MessageBus(connection);
  try {
    await bus.hello({ timeout, signal });
  } catch (error) {
    await bus.close();
    signal?.throwIfAborted();
    throw greetingFailure(error, address, { anonymous: options.anonymous === true, listener });
  }
  return bus;
}

const connectOptions = new KnownOptions<ConnectOptions>('connect()', {
  address: checkOptionalString,
  bus: oneOf(['session', 'system', 'starter']),
  peer: checkBoolean,
  anonymous: checkBoolean,
  transport: oneOf(TRANSPORTS),
  poller: oneOf(POLLERS),
  timeout: checkTimeout,
  signal: checkSignal,
  limits: anyValue,
});

/** Whoever awaits this can export and subscribe before the peer's first message is dispatched. */
async function connectToPeer(
  options: ConnectOptions & { readonly timeout: number; readonly limits: CompleteLimits },
): Promise<MessageBus> {
  const { address } = options;
  if (address === undefined)
    throw new InvalidArgumentError('address: a peer has no well-known address, so give the one it listens at');
  const { connection } = await openConnection(parseAddresses(address), { ...options, server: 'peer' });
  return new MessageBus(connection, { peer: true });
}

function addressesOf({ address, bus = 'session' }: ConnectOptions): readonly Address[] {
  if (address !== undefined) return parseAddresses(address);
  if (bus === 'system') return systemBusAddresses();
  if (bus === 'starter') return starterBusAddresses();
  return sessionBusAddresses();
}

/** A connection that the whole process shares, for as long as somebody uses it. */
class SharedBus {
  readonly #which: 'session' | 'system';
  #current: Promise<MessageBus> | undefined;

  constructor(which: 'session' | 'system') {
    this.#which = which;
  }

  /** The connection with one more share, made now if there is none, or if the last one is over. */
  async get(): Promise<MessageBus> {
    this.#current ??= connect({ bus: this.#which });
    const attempt = this.#current;
    const bus = await attempt.catch((error: unknown) => {
      this.#forget(attempt);
      throw error;
    });
    if (bus.state === 'open') return new MessageBus(bus);
    this.#forget(attempt);
    return this.get();
  }

  #forget(attempt: Promise<MessageBus>): void {
    if (this.#current === attempt) this.#current = undefined;
  }
}

const shared = { session: new SharedBus('session'), system: new SharedBus('system') };

/**
 * The session bus, on a connection that all users in this process share. What is made by a share (subscriptions, watchers,
 * message handlers, exports, names) is its own and ends with its `close`, as do its `state` and `disconnected`; `ref` and
 * `unref` are about it alone. The last `close` closes the connection.
 *
 * @throws (rejects) as {@link connect} does
 */
export function sessionBus(): Promise<MessageBus> {
  return shared.session.get();
}

/**
 * The system bus, on a connection that all users in this process share, as with {@link sessionBus}.
 *
 * @throws (rejects) as {@link connect} does
 */
export function systemBus(): Promise<MessageBus> {
  return shared.system.get();
}
