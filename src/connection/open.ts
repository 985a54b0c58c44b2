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

export interface OpenOptions {
  readonly transport?: TransportKind | undefined;
  readonly poller?: PollerKind | undefined;
  /** Milliseconds for one attempt. */
  readonly timeout: number;
}

/**
 * Connects to the first address that answers.
 *
 * @throws (rejects) {@link ConnectError} if none does, or if this machine has no sd-bus library
 */
export async function openConnection(addresses: readonly Address[], options: OpenOptions): Promise<Connection> {
  requireLibrary();
  const failures: string[] = [];
  for (const { text: address, origin, refusal } of addresses) {
    if (refusal !== undefined) {
      failures.push(`${address} (${origin}): ${refusal}`);
      continue;
    }
    const result = await Connection.open({
      address,
      transport: options.transport ?? transportKind(),
      poller: options.poller ?? pollerKind(),
      timeout: options.timeout,
    });
    if (result instanceof Connection) return result;
    trace('connect: %s failed in phase %s: errno %d', address, result.phase, result.errno);
    failures.push(`${address} (${origin}): ${failureText(result)}`);
  }
  throw new ConnectError(`no connection to a message bus could be made:\n  ${failures.join('\n  ')}`);
}

/** Where each system keeps the library that the addon needs. */
function requireLibrary(): void {
  if (loadAddon().sdbusLibrary() !== undefined) return;
  throw new ConnectError(
    'no sd-bus library was found (libsystemd.so.0, libelogind.so.0 or libbasu.so.0). Install one: ' +
      'Debian and Ubuntu: libsystemd0; Fedora: systemd-libs; Arch: systemd-libs; Alpine: elogind or basu',
  );
}

const { errno: Errno } = constants;

/** What usually cures a failure, by its errno. */
const cures = new Map<number, string>([
  [Errno.ENOENT, 'the socket does not exist: is the bus running, and is its folder mounted here?'],
  [Errno.ECONNREFUSED, 'the socket exists, but nobody listens: the bus has ended'],
  [Errno.EACCES, 'permission denied: check the socket’s owner, AppArmor or SELinux'],
  [Errno.ETIMEDOUT, 'it did not answer in time'],
  [Errno.EINVAL, 'sd-bus does not understand this address'],
]);

/** What usually cures a failure to authenticate, whatever its errno. */
const AUTHENTICATION_CURE =
  'the bus turned this user away: in a container, map the user’s id, or run with apparmor=unconfined';

function failureText({ errno, phase }: ConnectFailure): string {
  const rejected = phase === 'authenticate' && errno !== Errno.ETIMEDOUT;
  const cure = rejected ? AUTHENTICATION_CURE : cures.get(errno);
  return `${errnoText(errno)} while trying to ${phase}${cure === undefined ? '' : ` (${cure})`}`;
}
