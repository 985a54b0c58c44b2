/**
 * Opens a connection to the first of some addresses that answers, and tells what happened at each if none does.
 */
import { constants } from 'node:os';
import { trace } from '../diagnostics.js';
import { ConnectError } from '../errors.js';
import type { CompleteLimits } from '../limits.js';
import type { PollerKind, SocketTarget, TransportKind } from '../native/binding.js';
import { loadAddon } from '../native/load.js';
import { pollerKind, transportKind } from '../native/runtime.js';
import type { Address } from './address.js';
import { Connection } from './connection.js';
import { errnoText } from './errno.js';
import type { ConnectFailure } from './lifecycle.js';
import { socketTargets } from './socket-target.js';
import { timeLimit } from './time-limit.js';

type ServerKind = 'bus' | 'peer';

export interface OpenOptions {
  readonly transport?: TransportKind | undefined;
  readonly poller?: PollerKind | undefined;
  /** Milliseconds for one attempt. */
  readonly timeout: number;
  /** Whether to authenticate without saying who one is. */
  readonly anonymous?: boolean | undefined;
  readonly limits: CompleteLimits;
  /** What is at the other end, for error texts; a bus if left out. */
  readonly server?: ServerKind | undefined;
}

/**
 * Connects to the first address that answers.
 *
 * @throws (rejects) {@link ConnectError} if none does, or if sd-bus is needed and this machine has no library of it
 */
export async function openConnection(addresses: readonly Address[], options: OpenOptions): Promise<Connection> {
  const { server = 'bus' } = options;
  if (server === 'bus') requireLibrary();
  const failures: string[] = [];
  for (const address of addresses) {
    const result = address.refusal ?? (await openAddress(address, server, options));
    if (result instanceof Connection) return result;
    failures.push(`${address.text} (${address.origin}): ${result}`);
  }
  throw new ConnectError(
    `no connection to a ${server === 'bus' ? 'message bus' : 'peer'} could be made:\n  ${failures.join('\n  ')}`,
  );
}

/** Connects to a server at one address: resolves with the connection, or with why there is none. */
async function openAddress(address: Address, server: ServerKind, options: OpenOptions): Promise<Connection | string> {
  const transport = options.transport ?? transportKind();
  if (server === 'bus') return openOne({ address, server, options, transport });
  const targets = transport === 'socket' ? await targetsOf(address, options.timeout) : undefined;
  if (typeof targets === 'string') return targets;
  if (targets === undefined) {
    requireLibrary();
    // A peer may speak first, so its socket cannot be taken over from sd-bus.
    return openOne({ address, server, options, transport: 'sd-bus' });
  }
  let failure = 'its host has no address';
  for (const target of targets) {
    const result = await openOne({ address, server, options, transport, target });
    if (result instanceof Connection) return result;
    failure = result;
  }
  return failure;
}

/** As {@link socketTargets}; resolves with the reason where a host cannot be looked up. */
async function targetsOf(address: Address, timeout: number): Promise<readonly SocketTarget[] | string | undefined> {
  const lookup = socketTargets(address).catch((error: NodeJS.ErrnoException) => error.message);
  const { promise, give } = timeLimit(timeout);
  const targets = await Promise.race([lookup, promise.then(() => 'its host could not be looked up in time')]);
  give();
  return targets;
}

interface Attempt {
  readonly address: Address;
  readonly server: ServerKind;
  readonly options: OpenOptions;
  readonly transport: TransportKind;
  readonly target?: SocketTarget | undefined;
}

async function openOne({ address, server, options, transport, target }: Attempt): Promise<Connection | string> {
  const result = await Connection.open({
    address: address.text,
    target,
    transport,
    poller: options.poller ?? pollerKind(),
    timeout: options.timeout,
    limits: options.limits,
    anonymous: options.anonymous,
    peer: server === 'peer',
  });
  if (result instanceof Connection) return result;
  trace('connect: %s failed in phase %s: errno %d', address.text, result.phase, result.errno);
  if (server === 'peer' && transport === 'sd-bus' && result.errno === Errno.EIO) return SPOKE_WITH_DESCRIPTORS;
  return failureText(result, server, address);
}

/**
 * Where each system keeps the library that the addon needs.
 *
 * @throws {@link ConnectError} if there is none
 */
export function requireLibrary(): void {
  if (loadAddon().sdbusLibrary() !== undefined) return;
  throw new ConnectError(
    'no sd-bus library was found (libsystemd.so.0, libelogind.so.0 or libbasu.so.0). Install one: ' +
      'Debian and Ubuntu: libsystemd0; Fedora: systemd-libs; Arch: systemd-libs; Alpine: basu or libelogind',
  );
}

const { errno: Errno } = constants;

/** What usually cures a failure to reach a server. */
function cureOf(errno: number, server: ServerKind, { transport, parameters }: Address): string | undefined {
  switch (errno) {
    case Errno.ENOENT:
      return `the socket does not exist: is the ${server} running, and is its folder mounted here?`;
    case Errno.ECONNREFUSED:
      if (transport === 'unix' && parameters.has('path')) {
        return `it exists, but no ${server} listens there: the ${server} has ended, or it is no socket`;
      }
      return `no ${server} listens there`;
    case Errno.EACCES:
      return 'permission denied: check the socket’s owner, AppArmor or SELinux';
    case Errno.ETIMEDOUT:
      return 'it did not answer in time';
    case Errno.ENOBUFS:
      return 'it says more than any handshake needs, and speaks no D-Bus';
    case Errno.EINVAL:
      return 'sd-bus does not understand this address';
    case Errno.E2BIG:
      return 'the name of the socket is too long for sd-bus, which takes abstract names of at most 106 bytes';
    default:
      return undefined;
  }
}

/** The library takes no descriptors together with the last bytes of a handshake, and its EIO has hardly another reason. */
const SPOKE_WITH_DESCRIPTORS =
  'EIO while trying to authenticate (the peer sent file descriptors at once, which the sd-bus library cannot take: ' +
  "use the transport 'socket', or have the peer wait for a call first)";

/** What usually cures a failure to authenticate, whatever its errno. */
const authenticationCures: Readonly<Record<ServerKind, string>> = {
  bus: 'the bus turned this user away: in a container, map the user’s id, or run with apparmor=unconfined',
  peer: 'the peer turned this user away: most let in their own user only, and nobody without a name',
};

function failureText({ errno, phase, detail }: ConnectFailure, server: ServerKind, address: Address): string {
  if (detail !== '') return `${errnoText(errno)} while trying to ${phase}: ${detail}`;
  const rejected = phase === 'authenticate' && errno !== Errno.ETIMEDOUT && errno !== Errno.ENOBUFS;
  const cure = !rejected
    ? cureOf(errno, server, address)
    : address.transport === 'unixexec'
      ? 'the program ended, or speaks no D-Bus'
      : authenticationCures[server];
  return `${errnoText(errno)} while trying to ${phase}${cure === undefined ? '' : ` (${cure})`}`;
}
