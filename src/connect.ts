/** Connecting to a bus or a peer, with a connection of the program's own. */
import type { Socket } from 'node:net';
import { type Address, parseAddresses, withoutGuid } from './address/address.js';
import { sessionBusAddresses, starterBusAddresses, systemBusAddresses } from './address/bus-addresses.js';
import { InvalidArgumentError, NotSupportedError } from './base/errors.js';
import { anyValue, KnownOptions } from './base/known-options.js';
import { checkBoolean, checkOptionalString, checkSignal, checkTimeout, oneOf } from './base/parameters.js';
import type { Redial } from './bus/link/lasting-link.js';
import type { Dial } from './bus/link/link.js';
import { checkReconnect, completeReconnect, type ReconnectOptions } from './bus/link/reconnect-options.js';
import type { Connection } from './connection/connection.js';
import {
  CONNECTION_LIMITS,
  type CompleteLimits,
  type ConnectionLimits,
  completeLimits,
  PEER_LIMITS,
} from './connection/limits.js';
import { greetingFailure } from './connection/opening/greeting-failure.js';
import { CONNECT_TIMEOUT, openConnection } from './connection/opening/open.js';
import { checkHost, checkMachine, isElsewhere, openRemote } from './connection/opening/remote-bus.js';
import { socketPaths } from './connection/opening/socket-changes.js';
import { checkDescriptor, checkSocket, type OwnedStream, openStream, takeStream } from './connection/opening/stream.js';
import { MessageBus } from './message-bus.js';
import type { HandshakeRole, PollerKind, TransportKind } from './native/binding.js';
import { POLLERS, TRANSPORTS } from './native/runtime.js';
import type { FileDescriptor } from './values/file-descriptor.js';

/** The bus or peer to connect to, and how. */
export interface ConnectOptions {
  /** Server addresses, separated by `;`, tried in order. Takes precedence over `bus`. */
  readonly address?: string | undefined;
  /**
   * A connected stream socket, instead of an address: a descriptor that this process inherited, received or made. The
   * connection owns it unless `connect` rejects with {@link InvalidArgumentError}: it closes the descriptor when it
   * ends, or when `connect` fails, and the program must not use the number any more. A `FileDescriptor` is taken.
   */
  readonly fd?: number | FileDescriptor | undefined;
  /**
   * A connected socket of `node:net`, instead of an address. The connection takes its descriptor over, under the rule of
   * `fd`, and destroys the socket, which emits `close`. `connect` refuses sockets that are connecting, encrypted or
   * ended, and those with bytes that were read and not consumed, or are not written yet.
   */
  readonly socket?: Socket | undefined;
  /**
   * The bus `session` or `system` of another machine, as ssh names it: `machine`, `user@machine`, `machine:2222`. The
   * program `ssh` of this machine connects, by its own configuration and keys, and starts `systemd-stdio-bridge` there.
   * ssh may ask for a password on the terminal: then allow enough time with `timeout`. It ends with the connection.
   * Descriptors cannot be sent, and a received message that carries some may end the connection.
   */
  readonly host?: string | undefined;
  /**
   * The bus `session` or `system` of a container on this machine, by the name that `machinectl` lists, or as
   * `user@container`. The program `systemd-stdio-bridge` connects, which needs root. The rules of `host` apply.
   *
   * @example
   * import { connect } from 'busbar';
   *
   * export const connectToContainer = (machine: string) => connect({ machine, bus: 'system' });
   */
  readonly machine?: string | undefined;
  /**
   * The role of this end in the handshake of `fd` or `socket`: `client`, the default; `server` (only with `peer`), if the
   * other end is a client; `none`, if the stream carries messages from the first byte on, because both ends agree or
   * another process has authenticated. With `server`, the client at the other end is accepted, whatever its user.
   */
  readonly handshake?: HandshakeRole | undefined;
  /** A well-known bus: the login session's, the system's, or the one that started this process. `session` by default. */
  readonly bus?: 'session' | 'system' | 'starter' | undefined;
  /**
   * Connects to another process directly, without a bus: to a process that uses {@link listen}, or to a server of any
   * other D-Bus library. `address` is required then. There are no names between peers: calls need no destination, and
   * what only a bus can answer rejects with {@link NotSupportedError}.
   */
  readonly peer?: boolean | undefined;
  /**
   * Authenticates without an identity, if the other side accepts such clients. The only way to connect to peers over
   * TCP.
   */
  readonly anonymous?: boolean | undefined;
  /**
   * What reads and writes messages. By default the environment variable `BUSBAR_TRANSPORT` decides, and otherwise it is
   * `socket`, which needs no sd-bus library. Addresses that do not name one stream socket, such as `unixexec:`, always
   * use `sd-bus`.
   */
  readonly transport?: TransportKind | undefined;
  /** What waits for bytes. By default the environment variable `BUSBAR_POLLER` decides, and otherwise the runtime. */
  readonly poller?: PollerKind | undefined;
  /**
   * Milliseconds for one attempt to connect, including authentication, and for the bus to answer `Hello`. 10 000 by
   * default. Each address is an attempt, and so is the second handshake with a bus that rejects sd-bus.
   */
  readonly timeout?: number | undefined;
  /**
   * Waits for a server that does not listen yet, at any of the addresses. The file of a Unix socket is watched for, even
   * if its folder does not exist yet; an abstract name, a TCP port and a socket that refuses are tried again, at first
   * after 10 ms and in the end once a second. Without `timeout` it waits until `signal` aborts; with `timeout`, no longer
   * than that. Other failures, for instance of authentication, reject at once. `false` by default.
   */
  readonly wait?: boolean | undefined;
  /**
   * Connects again when the connection is lost: `true`, or the delays and the number of attempts. What the program has
   * declared (exports, subscriptions, names, watchers, live views) then works over the next connection. Calls that waited
   * for a reply reject, and nothing is sent twice. Calls that are made while there is no connection wait for the next
   * one, within their time limit; signals are not kept. Each attempt has the limit `timeout`. The file of a Unix socket is
   * watched for meanwhile, so a bus that is back is found at once. It does not apply to the first connection; see
   * `wait`. `false` by default.
   */
  readonly reconnect?: boolean | ReconnectOptions | undefined;
  /** Aborting cancels the attempt: `connect` rejects with the reason. It has no effect on an established connection. */
  readonly signal?: AbortSignal | undefined;
  /** How many resources of this process the other side may use. Each limit has a default. */
  readonly limits?: ConnectionLimits | undefined;
}

/**
 * Makes a connection to a message bus or a peer, which is not shared with other code of the process.
 *
 * @example
 * ```ts
 * await using bus = await connect({ bus: 'system' });
 * await using peer = await connect({ address: 'unix:path=/run/example/socket', peer: true });
 * ```
 * @throws (rejects) {@link ConnectError} with every address that was tried, how far each attempt got, and the usual
 * cure; also if the other side is not a bus, or the environment has no address, or an invalid one
 * @throws (rejects) {@link InvalidArgumentError} if an address breaks the grammar, an option is not valid, or `fd` or
 * `socket` is not a connected stream
 * @throws (rejects) {@link NotSupportedError} if the runtime does not expose the descriptor of `socket`
 * @throws (rejects) the reason of `signal`
 * @throws (rejects) {@link ProtocolError} if the bus gives the connection a name that is not a unique name
 * @throws (rejects) {@link LimitsExceededError}, or another error of the bus, if the bus answers `Hello` with an error
 */
export async function connect(options: ConnectOptions = {}): Promise<MessageBus> {
  connectOptions.check(options);
  checkStreamOptions(options);
  checkHostOptions(options);
  const { timeout = CONNECT_TIMEOUT, signal } = options;
  signal?.throwIfAborted();
  const limits = completeLimits(options.limits, options.peer === true ? PEER_LIMITS : CONNECTION_LIMITS);
  const patience = options.wait === true ? (options.timeout ?? Number.POSITIVE_INFINITY) : undefined;
  const complete = { ...options, timeout, limits, patience };
  if (options.peer === true) return connectToPeer(complete);
  const { connection, address } = await openBus(complete);
  // Read now: when the connection has ended, the credentials are gone.
  const listener = connection.peerCredentials?.uid;
  const bus = new MessageBus(connection, { peer: false, redial: redialOf(complete), dial: dialOf(complete) });
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
  fd: checkDescriptor,
  socket: checkSocket,
  host: checkHost,
  machine: checkMachine,
  handshake: oneOf(['client', 'server', 'none']),
  bus: oneOf(['session', 'system', 'starter']),
  peer: checkBoolean,
  anonymous: checkBoolean,
  transport: oneOf(TRANSPORTS),
  poller: oneOf(POLLERS),
  timeout: checkTimeout,
  wait: checkBoolean,
  reconnect: checkReconnect,
  signal: checkSignal,
  limits: anyValue,
});

type CompleteOptions = ConnectOptions & {
  readonly timeout: number;
  readonly limits: CompleteLimits;
  readonly patience: number | undefined;
  readonly isInBackground?: boolean;
};

function isStream({ fd, socket }: ConnectOptions): boolean {
  return fd !== undefined || socket !== undefined;
}

/** @throws {@link InvalidArgumentError} if other options contradict a stream that the program passes, or need one */
function checkStreamOptions(options: ConnectOptions): void {
  if (!isStream(options)) {
    if (options.handshake === undefined) return;
    throw new InvalidArgumentError('handshake: only for `fd` and `socket`, because addresses name a server');
  }
  const name = options.fd === undefined ? 'socket' : 'fd';
  for (const other of ['address', 'bus', name === 'fd' ? 'socket' : 'fd'] as const) {
    if (options[other] === undefined) continue;
    throw new InvalidArgumentError(`${other}: cannot be combined with \`${name}\`, which is a connection already`);
  }
  if (options.wait === true) {
    throw new InvalidArgumentError(`wait: \`${name}\` is connected already`);
  }
  if (completeReconnect(options.reconnect) !== undefined) {
    throw new InvalidArgumentError(`reconnect: needs an address, and \`${name}\` has none`);
  }
  if (options.transport === 'sd-bus') {
    throw new InvalidArgumentError(`transport: \`${name}\` needs the transport 'socket'`);
  }
  if (options.handshake === 'server' && options.peer !== true) {
    throw new InvalidArgumentError(
      "handshake: 'server' needs `peer: true`, because a bus is the server of its clients",
    );
  }
}

/** @throws {@link InvalidArgumentError} if other options contradict a bus of another machine or of a container */
function checkHostOptions(options: ConnectOptions): void {
  if (!isElsewhere(options)) return;
  const place = options.host === undefined ? 'machine' : 'host';
  for (const other of ['address', 'fd', 'socket', 'peer', 'wait', 'machine'] as const) {
    if (other === place) continue;
    if (options[other] === undefined || options[other] === false) continue;
    throw new InvalidArgumentError(`${other}: cannot be combined with \`${place}\`, which names a bus`);
  }
  if (options.bus === 'starter') {
    throw new InvalidArgumentError("bus: another machine has only the buses 'session' and 'system'");
  }
  if (options.transport === 'sd-bus') {
    throw new InvalidArgumentError(`transport: \`${place}\` needs the transport 'socket'`);
  }
}

/** Connects to a bus, at any of the places that options can name. */
async function openBus(
  options: CompleteOptions,
): Promise<{ readonly connection: Connection; readonly address: Address | OwnedStream }> {
  const { bus = 'session' } = options;
  if (isElsewhere(options)) return openRemote(options, bus === 'system' ? bus : 'session', options);
  return isStream(options) ? connectStream(options) : openConnection(addressesOf(options), options);
}

async function connectStream(
  options: CompleteOptions,
): Promise<{ readonly connection: Connection; readonly address: OwnedStream }> {
  const { handshake: role = 'client', peer } = options;
  const address = takeStream(options);
  return {
    connection: await openStream(address, { ...options, role, server: peer === true ? 'peer' : 'bus' }),
    address,
  };
}

/** How the connection of these options is made again, if it is. */
function redialOf(options: CompleteOptions): Redial | undefined {
  const reconnect = completeReconnect(options.reconnect);
  if (reconnect === undefined) return undefined;
  const dial = dialOf({ ...options, isInBackground: true }) as Dial;
  return { ...reconnect, timeout: options.timeout, dial, socketPaths: () => pathsOf(options) };
}

/** How another connection is made with these options, unless the program passes the socket. */
function dialOf(options: CompleteOptions): Dial | undefined {
  if (isStream(options)) return undefined;
  const again = { ...options, patience: undefined };
  return async (signal, address = options.address) => (await openAgain({ ...again, address, signal })).connection;
}

/** The files of the sockets that are tried, if the environment tells them. */
function pathsOf(options: CompleteOptions): readonly string[] {
  try {
    return isElsewhere(options) ? [] : socketPaths(addressesOf(options));
  } catch {
    return [];
  }
}

/** The server may have been started again, with another GUID. */
function openAgain(options: CompleteOptions): ReturnType<typeof openBus> {
  if (isElsewhere(options)) return openBus(options);
  const server = options.peer === true ? 'peer' : 'bus';
  return openConnection(addressesOf(options).map(withoutGuid), { ...options, server });
}

/** A program that awaits this can export and subscribe before the peer's first message is dispatched. */
async function connectToPeer(options: CompleteOptions): Promise<MessageBus> {
  const { address } = options;
  if (isStream(options)) return new MessageBus((await connectStream(options)).connection, { peer: true });
  if (address === undefined)
    throw new InvalidArgumentError('address: required when `peer` is true, because peers have no well-known address');
  const { connection } = await openConnection(parseAddresses(address), { ...options, server: 'peer' });
  return new MessageBus(connection, { peer: true, redial: redialOf(options) });
}

function addressesOf({ address, bus = 'session' }: ConnectOptions): readonly Address[] {
  if (address !== undefined) return parseAddresses(address);
  if (bus === 'system') return systemBusAddresses();
  if (bus === 'starter') return starterBusAddresses();
  return sessionBusAddresses();
}
