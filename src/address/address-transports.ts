/**
 * The transports that an address may name: which parameters a client needs to connect, and which transports it cannot
 * use at all, each with the reason. sd-bus would answer all of these with a bare EINVAL.
 *
 * @see D-Bus specification, section "Transports"
 */
import { quoted } from '../base/names.js';
import type { AddressParts } from './address.js';

type Parameters = AddressParts['parameters'];

/** `sun_path` has 108 bytes, of which a path needs one for its NUL and an abstract name one for its leading NUL. */
const SOCKET_NAME_MAXIMUM = 107;
const UNIX_KEYS = ['path', 'abstract', 'runtime', 'dir', 'tmpdir'] as const;

const transports: Readonly<Record<string, (parameters: Parameters) => string | undefined>> = {
  unix: refuseUnix,
  tcp: refuseTcp,
  unixexec: (parameters) => (parameters.get('path') ? undefined : 'it names no program: "path" is missing'),
  'x-machine-unix': (parameters) =>
    parameters.get('machine') || parameters.get('pid') ? undefined : 'it names no container: "machine" is missing',
  'nonce-tcp': () => 'nonce-tcp is a transport of Windows, which sd-bus does not have; use tcp or unix',
  autolaunch: () => 'autolaunch starts a bus through X11, which sd-bus does not do; give the address of a running bus',
  disabled: () => 'whoever set this address switched the bus off',
  launchd: () => 'launchd is a transport of macOS',
  systemd: () => 'a server takes such sockets over from systemd; a client connects to their own address',
};

/** Why a client cannot connect to an address, or `undefined` if it can try. */
export function addressRefusal({ transport, parameters }: AddressParts): string | undefined {
  const refuse = Object.hasOwn(transports, transport) ? transports[transport] : undefined;
  if (refuse === undefined)
    return `the transport ${quoted(transport)} is unknown (known: unix, tcp, unixexec, x-machine-unix)`;
  const reason = refuse(parameters);
  if (reason !== undefined) return reason;
  return refuseGuid(parameters.get('guid'));
}

/** The sd-bus library takes a guid of zeros for none, and would not hold the server's own against it. */
function refuseGuid(guid: string | undefined): string | undefined {
  if (guid === undefined) return undefined;
  if (!/^[0-9A-Fa-f]{32}$/.test(guid)) return '"guid" is not 32 hexadecimal digits';
  return /^0+$/.test(guid) ? '"guid" is all zeros, which no server has' : undefined;
}

function refuseUnix(parameters: Parameters): string | undefined {
  const given = UNIX_KEYS.filter((key) => parameters.has(key));
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none is' : `${given.join(' and ')} are`;
    return `exactly one of ${UNIX_KEYS.join(', ')} is needed, ${found} given`;
  }
  const key = given[0] as (typeof UNIX_KEYS)[number];
  if (key !== 'path' && key !== 'abstract')
    return `"${key}" is for servers to listen on, a client cannot connect to it`;
  const length = Buffer.byteLength(parameters.get(key) as string);
  if (length === 0) return `"${key}" is empty`;
  if (length > SOCKET_NAME_MAXIMUM) {
    return `"${key}" has ${length} bytes, a unix socket's name has at most ${SOCKET_NAME_MAXIMUM}`;
  }
  return undefined;
}

function refuseTcp(parameters: Parameters): string | undefined {
  if (!parameters.get('host')) return '"host" is missing';
  const port = parameters.get('port');
  if (port === undefined) return '"port" is missing';
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) === 0 || Number(port) > 65_535) return '"port" is not 1 to 65535';
  const family = parameters.get('family');
  return family === undefined || family === 'ipv4' || family === 'ipv6' ? undefined : '"family" is not ipv4 or ipv6';
}
