/**
 * Opens a connection to the first of some addresses that answers, and tells what happened at each if none does.
 */
import { constants } from 'node:os';
import { trace } from '../diagnostics.js';
import { ConnectError } from '../errors.js';
import type { PollerKind, TransportKind } from '../native/binding.js';
import { loadAddon } from '../native/load.js';
import { pollerKind, transportKind } from '../native/runtime.js';
import type { Address } from './address.js';
import { type ConnectFailure, Connection, errnoText } from './connection.js';

export type ServerKind = 'bus' | 'peer';

export interface OpenOptions {
  readonly transport?: TransportKind | undefined;
  readonly poller?: PollerKind | undefined;
  /** Milliseconds for one attempt. */
  readonly timeout: number;
  /** Whether to authenticate without saying who one is. */
  readonly anonymous?: boolean | undefined;
  /** What is at the other end, for error texts; a bus if left out. */
  readonly server?: ServerKind | undefined;
}

/**
 * Connects to the first address that answers.
 *
 * @throws (rejects) {@link ConnectError} if none does, or if this machine has no sd-bus library
 */
export async function openConnection(addresses: readonly Address[], options: OpenOptions): Promise<Connection> {
  const { server = 'bus' } = options;
  requireLibrary();
  const failures: string[] = [];
  for (const address of addresses) {
    const { text, origin, refusal } = address;
    if (refusal !== undefined) {
      failures.push(`${text} (${origin}): ${refusal}`);
      continue;
    }
    const result = await Connection.open({
      address: text,
      transport: options.transport ?? transportKind(),
      poller: options.poller ?? pollerKind(),
      timeout: options.timeout,
      anonymous: options.anonymous,
      peer: server === 'peer',
    });
    if (result instanceof Connection) return result;
    trace('connect: %s failed in phase %s: errno %d', text, result.phase, result.errno);
    failures.push(`${text} (${origin}): ${failureText(result, server, address)}`);
  }
  throw new ConnectError(
    `no connection to a ${server === 'bus' ? 'message bus' : 'peer'} could be made:\n  ${failures.join('\n  ')}`,
  );
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
      'Debian and Ubuntu: libsystemd0; Fedora: systemd-libs; Arch: systemd-libs; Alpine: elogind or basu',
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
    case Errno.EINVAL:
      return 'sd-bus does not understand this address';
    default:
      return undefined;
  }
}

/** What usually cures a failure to authenticate, whatever its errno. */
const authenticationCures: Readonly<Record<ServerKind, string>> = {
  bus: 'the bus turned this user away: in a container, map the user’s id, or run with apparmor=unconfined',
  peer: 'the peer turned this user away: most let in their own user only, and nobody without a name',
};

function failureText({ errno, phase }: ConnectFailure, server: ServerKind, address: Address): string {
  const rejected = phase === 'authenticate' && errno !== Errno.ETIMEDOUT;
  const cure = !rejected
    ? cureOf(errno, server, address)
    : address.transport === 'unixexec'
      ? 'the program ended, or speaks no D-Bus'
      : authenticationCures[server];
  return `${errnoText(errno)} while trying to ${phase}${cure === undefined ? '' : ` (${cure})`}`;
}
