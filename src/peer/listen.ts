/** The way to a server of peers: addresses to listen on, tried in order. */
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

/** Where to listen, and for whom. */
export interface ListenOptions extends PeerServerOptions {
  /**
   * Server addresses, separated by `;`: the first that can be listened on is. `unix:path=…`, `unix:abstract=…`,
   * `unix:dir=…` and `unix:tmpdir=…` (a folder, in which a name is made up), `unix:runtime=yes`
   * (`$XDG_RUNTIME_DIR/bus`), or `tcp:host=…,port=…` (`port=0` or none: a free port; `bind=*`: all interfaces; no `host`:
   * `localhost`).
   */
  readonly address: string;
  /** What moves the bytes; the environment variable `BUSBAR_TRANSPORT` or the default, a socket, decides if left out. */
  readonly transport?: TransportKind | undefined;
  /** How the event loop is told of bytes; the runtime decides if left out. */
  readonly poller?: PollerKind | undefined;
}

/**
 * Listens for peers: clients that connect to this process directly, with {@link connect} and `peer: true`, or with any
 * other D-Bus library (`dbus-send --peer`, GDBus). Tools that take a peer for a bus, `gdbus call --address` and
 * `busctl --address`, say `Hello` first, and need a message handler that answers it.
 *
 * Only processes of the same user and of root are let in, unless `allow` or `anonymous` say otherwise.
 *
 * @example
 * ```ts
 * const server = await listen({
 *   address: 'unix:tmpdir=/tmp',
 *   onConnection: (bus) => bus.export('/org/example/dbustest', new TestModule()),
 * });
 * console.log(server.address);
 * ```
 * @throws (rejects) {@link ListenError} with every address that was tried, and what usually helps; a host that cannot be looked up
 *   within ten seconds is given up
 * @throws (rejects) {@link InvalidArgumentError} if an address breaks the grammar, or an option makes no sense
 * @throws (rejects) {@link ConnectError} if this machine has no binary of the addon, or the transport is to be sd-bus and
 *   there is no library of it
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
    return 'over TCP nobody knows who connects, so peers can only be anonymous, and `anonymous` is not set';
  }
  return Listener.open(target, guid, onAccept, poller);
}

/** As {@link listenTarget}, or why the host cannot be looked up; it has the time of an attempt to connect. */
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
    if (value === undefined) throw new InvalidArgumentError('address: a server needs one to listen on');
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
