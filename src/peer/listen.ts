/** Starting a server of peers: the addresses to listen on are tried in order. */
import { type Address, parseAddresses } from '../address/address.js';
import { type ListenTarget, listenTarget } from '../address/listen-address.js';
import { InvalidArgumentError, ListenError } from '../base/errors.js';
import { anyValue, KnownOptions } from '../base/known-options.js';
import { checkBoolean, checkOptionalFunction, checkOptionalString, oneOf } from '../base/parameters.js';
import { randomBytes } from '../base/random-bytes.js';
import { CONNECT_TIMEOUT, requireLibrary } from '../connection/opening/open.js';
import { timeLimit } from '../connection/time-limit.js';
import type { PollerKind, TransportKind } from '../native/binding.js';
import { POLLERS, pollerKind, TRANSPORTS, transportKind } from '../native/runtime.js';
import { Listener } from './listener.js';
import { PeerServer, type PeerServerOptions } from './peer-server.js';

/** Where to listen, and which clients to accept. */
export interface ListenOptions extends PeerServerOptions {
  /**
   * Server addresses, separated by `;`. The server listens on the first one that works. `unix:path=…`,
   * `unix:abstract=…`, `unix:dir=…` and `unix:tmpdir=…` (a folder, in which a name is generated), `unix:runtime=yes`
   * (`$XDG_RUNTIME_DIR/bus`), or `tcp:host=…,port=…` (`port=0` or none: a free port; `bind=*`: all interfaces; no
   * `host`: `localhost`).
   */
  readonly address: string;
  /**
   * What reads and writes messages. By default the environment variable `BUSBAR_TRANSPORT` decides, and otherwise it is
   * `socket`.
   */
  readonly transport?: TransportKind | undefined;
  /** What waits for bytes. By default the environment variable `BUSBAR_POLLER` decides, and otherwise the runtime. */
  readonly poller?: PollerKind | undefined;
}

/**
 * Listens for peers: clients that connect to this process directly, with {@link connect} and `peer: true`, or with any
 * other D-Bus library (`dbus-send --peer`, GDBus). Tools that expect a bus, such as `gdbus call --address` and `busctl
 * --address`, call `Hello` first, and need a message handler that answers it.
 *
 * By default only processes of the same user and of root may connect. `allow` and `anonymous` change that.
 *
 * @example
 * ```ts
 * const server = await listen({
 *   address: 'unix:tmpdir=/tmp',
 *   onConnection: (bus) => bus.export('/org/example/dbustest', new TestModule()),
 * });
 * console.log(server.address);
 * ```
 * @throws (rejects) {@link ListenError} with every address that was tried, and the usual cure. Looking up a host fails
 * after ten seconds
 * @throws (rejects) {@link InvalidArgumentError} if an address breaks the grammar, or an option is not valid
 * @throws (rejects) {@link ConnectError} if the addon has no binary for this machine, or the transport is sd-bus and
 * its library is missing
 * @see D-Bus specification, section "Server Addresses"
 */
export async function listen(options: ListenOptions): Promise<PeerServer> {
  listenOptions.check(options);
  const addresses = parseAddresses(options.address);
  const transport = options.transport ?? transportKind();
  if (transport === 'sd-bus') requireLibrary();
  const poller = options.poller ?? pollerKind();
  const guid = randomBytes(16);
  return PeerServer.open(options, guid, { poller, transport }, (onAccept) =>
    openListener(addresses, options, guid.toString('hex'), onAccept, poller),
  );
}

async function openListener(
  addresses: readonly Address[],
  { anonymous }: ListenOptions,
  guid: string,
  onAccept: (fd: number) => void,
  poller: PollerKind,
): Promise<Listener> {
  const failures: string[] = [];
  for (const address of addresses) {
    const result = await openOne(address, anonymous === true, guid, onAccept, poller);
    if (result instanceof Listener) return result;
    failures.push(`${address.text}: ${result}`);
  }
  throw new ListenError(`no socket for peers could be made:\n  ${failures.join('\n  ')}`);
}

async function openOne(
  address: Address,
  anonymous: boolean,
  guid: string,
  onAccept: (fd: number) => void,
  poller: PollerKind,
): Promise<Listener | string> {
  const target = await targetInTime(address);
  if (typeof target === 'string') return target;
  if (target.kind === 'tcp' && !anonymous) {
    return 'clients cannot be verified over TCP: set `anonymous: true`, or listen on a Unix socket';
  }
  return Listener.open(target, guid, onAccept, poller);
}

/**
 * As {@link listenTarget}, or the reason why the host cannot be looked up. The time limit is that of an attempt to
 * connect.
 */
async function targetInTime(address: Address): Promise<ListenTarget | string> {
  const { promise, stop } = timeLimit(CONNECT_TIMEOUT);
  const { parameters } = address;
  const host = parameters.get('bind') || parameters.get('host');
  const target = await Promise.race([
    listenTarget(address).catch((error: NodeJS.ErrnoException) => error.message),
    promise.then(() => `its host ${host} could not be looked up in time`),
  ]);
  stop();
  return target;
}

const listenOptions = new KnownOptions<ListenOptions>('listen()', {
  address(value, name) {
    if (value === undefined) throw new InvalidArgumentError('address: required');
    checkOptionalString(value, name);
  },
  transport: oneOf(TRANSPORTS),
  poller: oneOf(POLLERS),
  allow: checkOptionalFunction,
  onConnection: checkOptionalFunction,
  anonymous: checkBoolean,
  limits: anyValue,
  authenticationTimeout(value, name) {
    if (value === undefined || (typeof value === 'number' && value > 0)) return;
    throw new InvalidArgumentError(`${name}: expected a number above 0, got ${String(value)}`);
  },
});
