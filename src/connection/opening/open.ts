/**
 * Opens a connection to the first address of a list that answers. If none does, the error tells what happened at each.
 *
 * On the transport `socket`, sd-bus connects to buses if its library is installed. If it fails, a handshake of busbar's
 * own makes another attempt. It sends one line at a time, and receives the reason of a refusal. sd-bus sends all of its
 * lines at once, which proxies that inspect the handshake (xdg-dbus-proxy before 0.1.6) cut off, and it does not tell
 * reasons. For peers, and for all plain sockets without the library, busbar uses only its own handshake.
 */
import { constants } from 'node:os';
import { type Address, formatAddress } from '../../address/address.js';
import { socketTargets } from '../../address/socket-target.js';
import { ConnectError } from '../../base/errors.js';
import { trace } from '../../diagnostics/problems.js';
import type { PollerKind, SocketTarget, TransportKind } from '../../native/binding.js';
import { loadAddon } from '../../native/load.js';
import { pollerKind, transportKind } from '../../native/runtime.js';
import { Connection } from '../connection.js';
import type { ConnectFailure } from '../lifecycle.js';
import type { CompleteLimits } from '../limits.js';
import { onAbort } from '../sending/abort-reactions.js';
import { timeLimit } from '../time-limit.js';
import { failureText } from './connect-failure.js';
import { socketPaths } from './socket-changes.js';
import type { ServerKind } from './socket-owner.js';
import { type Prospect, waitForSocket } from './wait-for-socket.js';

/**
 * Milliseconds for one attempt to connect. A bus authenticates within a few. Five seconds were too short for many
 * clients of dbus-daemon on a machine that is starting up, so dbus-daemon now allows thirty. busbar's own servers allow
 * ten, and a program waits no longer for a socket that sends nothing.
 */
export const CONNECT_TIMEOUT = 10_000;

export interface OpenOptions {
  readonly transport?: TransportKind | undefined;
  readonly poller?: PollerKind | undefined;
  /** Milliseconds for one attempt. */
  readonly timeout: number;
  /** Whether to authenticate anonymously. */
  readonly anonymous?: boolean | undefined;
  readonly limits: CompleteLimits;
  /** Ends all attempts when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the attempts do not keep the process alive. */
  readonly isInBackground?: boolean | undefined;
  /** The kind of server, for error texts; a bus if left out. */
  readonly server?: ServerKind | undefined;
  /** Milliseconds to wait for a server that does not listen yet; not at all if left out. */
  readonly patience?: number | undefined;
}

/** A connection and its address. */
export interface Opened {
  readonly connection: Connection;
  readonly address: Address;
}

/**
 * Connects to the first address that answers.
 *
 * @throws (rejects) the reason of the signal
 * @throws (rejects) {@link ConnectError} if none answers, or if the transport is sd-bus and its library is not
 *   installed
 */
export async function openConnection(addresses: readonly Address[], options: OpenOptions): Promise<Opened> {
  const { server = 'bus', transport = transportKind() } = options;
  if (transport === 'sd-bus') requireLibrary();
  const { patience, signal } = options;
  const attempt = (timeout: number) => openFirst(addresses, { ...options, server, transport, timeout });
  const result =
    patience === undefined
      ? await attempt(options.timeout)
      : await waitForSocket(
          socketPaths(addresses),
          { limit: patience, signal },
          (left) => attempt(Math.min(options.timeout, left)),
          prospectOf,
        );
  if ('connection' in result) return result;
  signal?.throwIfAborted();
  const kind = server === 'bus' ? 'message bus' : 'peer';
  const time =
    patience === undefined || patience === Number.POSITIVE_INFINITY ? '' : ` within ${Math.round(patience)} ms`;
  throw new ConnectError(`no connection to a ${kind} could be made${time}:\n  ${result.texts.join('\n  ')}`);
}

/** Why no address answered. */
interface Failures {
  readonly texts: readonly string[];
  readonly prospects: readonly Prospect[];
}

async function openFirst(addresses: readonly Address[], options: CompleteOptions): Promise<Opened | Failures> {
  const texts: string[] = [];
  const prospects: Prospect[] = [];
  for (const address of addresses) {
    const attempt = new Attempt(address, options);
    const result = address.refusal ?? (await attempt.open());
    if (result instanceof Connection) return { connection: result, address };
    if (options.signal?.aborted) break;
    texts.push(`${address.text} (${address.origin}): ${result}`);
    prospects.push(attempt.prospect);
  }
  return { texts, prospects };
}

function prospectOf(result: Opened | Failures): Prospect {
  if ('connection' in result) return 'final';
  const { prospects } = result;
  if (prospects.includes('later')) return 'later';
  return prospects.find((prospect) => prospect !== 'final') ?? 'final';
}

const LIBRARIES = 'libsystemd.so.0, libelogind.so.0 or libbasu.so.0';
/** The packages that contain the library. */
const PACKAGES =
  'Install one: Debian and Ubuntu: libsystemd0; Fedora: systemd-libs; Arch: systemd-libs; Alpine: basu or libelogind';

function hasLibrary(): boolean {
  return loadAddon().sdbusLibrary() !== undefined;
}

/**
 * Checks that the transport `sd-bus` is available.
 *
 * @throws {@link ConnectError} if its library is not installed
 */
export function requireLibrary(): void {
  if (hasLibrary()) return;
  throw new ConnectError(
    `the transport 'sd-bus' needs an sd-bus library, and none was found (${LIBRARIES}). ${PACKAGES}. Or leave the ` +
      "transport out: 'socket' needs none",
  );
}

type CompleteOptions = OpenOptions & { readonly server: ServerKind; readonly transport: TransportKind };

/** The attempts at one address. */
class Attempt {
  readonly #address: Address;
  readonly #options: CompleteOptions;
  /** Whether another attempt may succeed later, after {@link open} has failed. */
  prospect: Prospect = 'final';

  constructor(address: Address, options: CompleteOptions) {
    this.#address = address;
    this.#options = options;
  }

  /** Resolves with the connection, or with the reason why there is none. */
  async open(): Promise<Connection | string> {
    if (this.#options.transport === 'sd-bus') return this.#resultOf(this.#bySdBus(this.#address.text));
    const targets = await this.#targets();
    if (typeof targets === 'string') return targets;
    if (targets === undefined) return this.#withoutTarget();
    let failure = 'its host has no address';
    for (const target of targets) {
      if (this.#options.signal?.aborted) break;
      const result = await this.#resultOf(this.#openTarget(target));
      if (result instanceof Connection) return result;
      failure = result;
    }
    return failure;
  }

  /** See {@link socketTargets}; resolves with the reason if a host cannot be looked up. */
  async #targets(): Promise<readonly SocketTarget[] | string | undefined> {
    const host = this.#address.parameters.get('host');
    const lookup = socketTargets(this.#address, this.#options.server === 'bus').catch(
      (error: NodeJS.ErrnoException) => `its host ${host} has no address: ${error.message}`,
    );
    const { signal, timeout } = this.#options;
    const { promise, stop } = timeLimit(timeout, this.#options.isInBackground !== true);
    let stopListening: (() => void) | undefined;
    const aborted = new Promise<string>((resolve) => {
      stopListening = signal && onAbort(signal, () => resolve('the attempt was aborted'));
    });
    const late = promise.then(() => `its host ${host} could not be looked up in time`);
    const targets = await Promise.race([lookup, late, aborted]);
    stopListening?.();
    stop();
    return targets;
  }

  /** Only sd-bus can connect to an address that is not a single socket, or whose name JavaScript cannot represent. */
  #withoutTarget(): Promise<Connection | string> | string {
    const { server } = this.#options;
    if (!hasLibrary()) {
      return `such an address needs an sd-bus library, and none was found (${LIBRARIES}). ${PACKAGES}`;
    }
    // A peer may send first, so its socket cannot be taken over from sd-bus.
    return this.#resultOf(this.#bySdBus(this.#address.text, server === 'peer' ? 'sd-bus' : 'socket'));
  }

  async #openTarget(target: SocketTarget): Promise<Connection | ConnectFailure> {
    const { server } = this.#options;
    if (server === 'peer' || !hasLibrary()) return this.#byOwnHandshake(target);
    const first = await this.#bySdBus(addressOf(this.#address, target));
    if (first instanceof Connection || !isWorthAnother(first) || this.#options.signal?.aborted) return first;
    // The second attempt has its own time limit: the event loop may have been blocked for all of the first one's.
    const second = await this.#byOwnHandshake(target);
    return second instanceof Connection || second.detail !== '' ? second : first;
  }

  #bySdBus(address: string, transport = this.#options.transport): Promise<Connection | ConnectFailure> {
    return this.#try(transport, address);
  }

  #byOwnHandshake(target: SocketTarget): Promise<Connection | ConnectFailure> {
    return this.#try('socket', this.#address.text, target);
  }

  async #try(transport: TransportKind, address: string, target?: SocketTarget): Promise<Connection | ConnectFailure> {
    const { anonymous, isInBackground, limits, poller = pollerKind(), server, signal, timeout } = this.#options;
    const peer = server === 'peer';
    const way = { address, target, transport, poller };
    const result = await Connection.open({ ...way, timeout, limits, anonymous, peer, isInBackground, signal });
    if (result instanceof Connection) return result;
    trace('connect: %s failed in phase %s: errno %d %s', address, result.phase, result.errno, result.detail);
    return result;
  }

  async #resultOf(attempt: Promise<Connection | ConnectFailure>): Promise<Connection | string> {
    const result = await attempt;
    if (result instanceof Connection) return result;
    this.prospect = prospectOfFailure(result);
    const { anonymous, server, transport } = this.#options;
    return failureText(result, { address: this.#address, anonymous: anonymous === true, server, transport });
  }
}

/**
 * Whether busbar's own handshake may succeed where sd-bus failed, or tell more: the server refused the client or hung
 * up, or the queue of a busy server was full, for which sd-bus does not wait.
 */
function isWorthAnother({ errno, phase }: ConnectFailure): boolean {
  const { EAGAIN, ETIMEDOUT } = constants.errno;
  return phase === 'authenticate' ? errno !== ETIMEDOUT : errno === EAGAIN;
}

/** Whether the server may only not listen yet. */
function prospectOfFailure({ errno, phase }: ConnectFailure): Prospect {
  const { ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENOENT } = constants.errno;
  if (phase !== 'connect') return 'final';
  if (errno === ENOENT) return 'when a file changes';
  return [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].includes(errno) ? 'later' : 'final';
}

/** The address for sd-bus, with a numeric host: sd-bus would look up a host name itself and block the event loop. */
function addressOf({ transport, text, parameters }: Address, { ip }: SocketTarget): string {
  if (transport !== 'tcp') return text;
  return formatAddress({ transport, parameters: new Map([...parameters, ['host', ip]]) });
}
