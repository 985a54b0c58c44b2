/** Starting a server of peers: the addresses to listen on are tried in order. */
import { type Address, parseAddresses } from '../address/address.js';
import { type ListenTarget, listenTarget } from '../address/listen-address.js';
import { InvalidArgumentError, ListenError } from '../base/errors.js';
import { anyValue, KnownOptions } from '../base/known-options.js';
import { quoted } from '../base/names.js';
import { checkBoolean, checkOptionalFunction, checkOptionalString, oneOf } from '../base/parameters.js';
import { randomBytes } from '../base/random-bytes.js';
import { CONNECT_TIMEOUT, requireLibrary } from '../connection/opening/open.js';
import { checkDescriptor } from '../connection/opening/stream.js';
import { timeLimit } from '../connection/time-limit.js';
import type { PollerKind, TransportKind } from '../native/binding.js';
import { POLLERS, pollerKind, TRANSPORTS, transportKind } from '../native/runtime.js';
import type { FileDescriptor } from '../values/file-descriptor.js';
import { forgetInheritedSockets, requireInheritedSockets } from './inherited-sockets.js';
import { type AdoptedListener, Listener } from './listener.js';
import { listeningTarget, takeListening, UNKNOWN_CLIENTS } from './listening-descriptor.js';
import { PeerServer, type PeerServerOptions } from './peer-server.js';

/** Where to listen, and which clients to accept. */
export interface ListenOptions extends PeerServerOptions {
  /**
   * Server addresses, separated by `;`. The server listens on the first one that works. `unix:path=…`,
   * `unix:abstract=…`, `unix:dir=…` and `unix:tmpdir=…` (a folder, in which a name is generated), `unix:runtime=yes`
   * (`$XDG_RUNTIME_DIR/bus`), `tcp:host=…,port=…` (`port=0` or none: a free port; `bind=*`: all interfaces; no
   * `host`: `localhost`), or `systemd:` (all sockets of the socket unit that started this process, see {@link
   * inheritedSockets}). Either `address` or `fd` is required.
   */
  readonly address?: string | undefined;
  /**
   * A stream socket that listens already, instead of an address. The server owns it unless `listen` rejects with {@link
   * InvalidArgumentError}: it closes the descriptor at its end, and the program must not use the number any more. A
   * `FileDescriptor` is taken. The file of a Unix socket stays: the process that bound it removes it.
   */
  readonly fd?: number | FileDescriptor | undefined;
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
  checkPlace(options);
  const transport = options.transport ?? transportKind();
  if (transport === 'sd-bus') requireLibrary();
  const poller = options.poller ?? pollerKind();
  const guid = randomBytes(16);
  const place = { anonymous: options.anonymous === true, guid: guid.toString('hex'), poller };
  const { address, fd } = options;
  if (address !== undefined) {
    const addresses = parseAddresses(address);
    return PeerServer.open(options, guid, { poller, transport }, (onAccept) =>
      openListener(addresses, { ...place, onAccept }),
    );
  }
  const sockets = takeListening(fd as number | FileDescriptor, place.anonymous);
  return PeerServer.open(options, guid, { poller, transport }, async (onAccept) => {
    const result = Listener.adopt(sockets, place.guid, onAccept, poller);
    if (result instanceof Listener) return result;
    throw new ListenError(`no server could be made from file descriptor ${sockets[0]?.fd}: ${result}`);
  });
}

/** @throws {@link InvalidArgumentError} unless there is either an address or a descriptor */
function checkPlace({ address, fd }: ListenOptions): void {
  if ((address === undefined) !== (fd === undefined)) return;
  const text =
    fd === undefined ? 'required, unless `fd` is given' : 'cannot be combined with `fd`, which listens already';
  throw new InvalidArgumentError(`address: ${text}`);
}

/** How clients are accepted. */
interface Acceptance {
  readonly anonymous: boolean;
  readonly guid: string;
  readonly onAccept: (fd: number) => void;
  readonly poller: PollerKind;
}

async function openListener(addresses: readonly Address[], acceptance: Acceptance): Promise<Listener> {
  const failures: string[] = [];
  for (const address of addresses) {
    const result = await openOne(address, acceptance);
    if (result instanceof Listener) return result;
    failures.push(`${address.text}: ${result}`);
  }
  throw new ListenError(`no socket for peers could be made:\n  ${failures.join('\n  ')}`);
}

async function openOne(address: Address, acceptance: Acceptance): Promise<Listener | string> {
  const { anonymous, guid, onAccept, poller } = acceptance;
  if (address.transport === 'systemd') return openInherited(address, acceptance);
  const target = await targetInTime(address);
  if (typeof target === 'string') return target;
  if (target.kind === 'tcp' && !anonymous) return UNKNOWN_CLIENTS;
  return Listener.open(target, guid, onAccept, poller);
}

/** Listens on all sockets of the socket unit. None of them is taken if one cannot be used. */
function openInherited({ parameters }: Address, { anonymous, guid, onAccept, poller }: Acceptance): Listener | string {
  const [key] = parameters.keys();
  if (key !== undefined) return `the key ${quoted(key)} is unknown: "systemd:" takes none`;
  const sockets: AdoptedListener[] = [];
  try {
    for (const { fd, name } of requireInheritedSockets()) {
      const target = listeningTarget(fd, anonymous);
      if (typeof target === 'string') return `file descriptor ${fd} (${name}): ${target}`;
      sockets.push({ fd, target });
    }
  } catch (error) {
    if (error instanceof ListenError) return error.message;
    throw error;
  }
  forgetInheritedSockets();
  return Listener.adopt(sockets, guid, onAccept, poller);
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
  address: checkOptionalString,
  fd: checkDescriptor,
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
