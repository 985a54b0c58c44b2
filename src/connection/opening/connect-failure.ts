/** The text of a failure to connect to an address: what happened, and the usual cure. */
import { constants } from 'node:os';
import type { AddressParts } from '../../address/address.js';
import type { TransportKind } from '../../native/binding.js';
import { errnoText } from '../errno.js';
import type { ConnectFailure } from '../lifecycle.js';
import { foreignOwnerText, type ServerKind } from './socket-owner.js';

/** The attempt that failed. */
export interface FailedAttempt {
  readonly address: AddressParts & { readonly origin: string };
  /** Whether the client authenticated anonymously. */
  readonly anonymous: boolean;
  readonly server: ServerKind;
  readonly transport: TransportKind;
}

const { errno: Errno } = constants;

/** The text of the failure, with the usual cure in brackets. */
export function failureText(failure: ConnectFailure, attempt: FailedAttempt): string {
  const { errno, phase, detail } = failure;
  const isTurnedAway = phase === 'authenticate' && errno === Errno.EACCES;
  const said = detail === '' || isTurnedAway ? '' : `: ${detail}`;
  const cure = phase === 'connect' ? cureOfConnecting(errno, attempt) : cureOfAuthenticating(failure, attempt);
  return `${errnoText(errno)} while trying to ${phase}${said}${cure === undefined ? '' : ` (${cure})`}`;
}

function cureOfConnecting(errno: number, { server, address }: FailedAttempt): string | undefined {
  const { transport, parameters } = address;
  switch (errno) {
    case Errno.ENOENT:
      return `the socket does not exist: is the ${server} running, and is its folder mounted here?`;
    case Errno.ECONNREFUSED:
      if (transport === 'unix' && parameters.has('path')) {
        return `the file exists, but no ${server} listens there: the ${server} has ended, or the file is not a socket`;
      }
      return `no ${server} listens there`;
    case Errno.EACCES:
      return 'permission denied: check the socket’s owner, AppArmor or SELinux';
    case Errno.EAGAIN:
      return `more clients wait there than the ${server} accepts: it is stopped, or too busy`;
    case Errno.EADDRNOTAVAIL:
      return transport === 'tcp' ? `its host ${parameters.get('host')} has no address` : undefined;
    case Errno.EINVAL:
      return 'sd-bus does not understand this address';
    case Errno.E2BIG:
      return 'the name of the socket is too long for sd-bus, which accepts abstract names of at most 106 bytes';
    default:
      return undefined;
  }
}

function cureOfAuthenticating({ errno, detail }: ConnectFailure, attempt: FailedAttempt): string | undefined {
  const { address, server, transport } = attempt;
  // The words of the program that carries the stream follow.
  if (address.origin === 'host' || address.origin === 'machine') return undefined;
  if (address.transport === 'unixexec') return 'the program ended, or is not a D-Bus server';
  switch (errno) {
    case Errno.ETIMEDOUT:
      return `is it a ${server}, and is it running?`;
    case Errno.ENOBUFS:
      return 'sent too much data for a handshake: not a D-Bus server';
    case Errno.EACCES:
      return cureOfRefusal(detail, attempt);
    case Errno.EBADMSG:
      return `is it a ${server}?`;
    case Errno.EIO:
      if (server === 'peer' && transport === 'sd-bus') return SPOKE_WITH_DESCRIPTORS;
  }
  // The server turned out to be the wrong one, or not a D-Bus server.
  if (errno === Errno.EPERM && detail !== '') return 'correct the guid of the address, or leave it out';
  if (detail.startsWith('it is not a D-Bus server')) return undefined;
  if (transport === 'sd-bus' && foreignOwnerText(address, server) === undefined) return SD_BUS_TELLS_NOTHING;
  return turnedAway(server, address);
}

/** The cure if the server listed the mechanisms that it accepts, if any. */
function cureOfRefusal(mechanisms: string, { address, anonymous, server }: FailedAttempt): string {
  const offered = mechanisms.split(' ');
  const takes = { users: mechanisms === '' || offered.includes('EXTERNAL'), anonymous: offered.includes('ANONYMOUS') };
  if (!takes.users && !takes.anonymous) {
    return `the ${server} accepts only the authentication mechanisms ${mechanisms}, which busbar does not have: enable EXTERNAL on it`;
  }
  if (anonymous) {
    const cure = takes.users ? ': leave `anonymous` out' : '';
    return `the ${server} accepts only clients that authenticate as a user${cure}`;
  }
  if (!takes.users) {
    return `the ${server} accepts only anonymous clients: connect with \`anonymous: true\``;
  }
  return address.transport === 'tcp' ? unknownOverTcp(server) : turnedAway(server, address);
}

/** Why the server cannot tell users apart if the kernel does not know them. */
export function unknownOverTcp(server: ServerKind): string {
  return `a ${server} cannot verify users over TCP: connect with \`anonymous: true\` if it allows that, or over a Unix socket`;
}

/** The usual cure of a failure to authenticate if the server gave no reason. */
function turnedAway(server: ServerKind, address: FailedAttempt['address']): string {
  const owner = foreignOwnerText(address, server);
  return owner === undefined ? TURNED_AWAY[server] : `the ${server} rejected this user: ${owner}`;
}

const TURNED_AWAY: Readonly<Record<ServerKind, string>> = {
  bus: 'the bus rejected this user: in a container, map the user’s id, or run with apparmor=unconfined',
  peer: 'the peer rejected this user: most peers accept only their own user, and no anonymous clients',
};

const SD_BUS_TELLS_NOTHING =
  'it rejected this client, has another guid than the address, or is not a D-Bus server: ' +
  "the error of the transport 'socket' says which";

/**
 * The library does not accept descriptors together with the last bytes of a handshake. Its EIO hardly has another
 * cause.
 */
const SPOKE_WITH_DESCRIPTORS =
  'the peer sent file descriptors at once, which the sd-bus library does not accept: ' +
  "use the transport 'socket', or have the peer wait for a call first";
