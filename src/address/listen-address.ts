/**
 * Addresses for servers: the target to bind a socket to, and the address for clients, which may differ. This module
 * looks up host names and generates names of sockets, but does not bind.
 *
 * @see D-Bus specification, section "Transports", which lists the keys of listenable addresses for each transport
 */
import { join, resolve } from 'node:path';
import { quoted } from '../base/names.js';
import { randomBytes } from '../base/random-bytes.js';
import { type AddressParts, addressRefusal, formatAddress } from './address.js';

type Parameters = AddressParts['parameters'];

/** The target that a listening socket is bound to. */
export type ListenTarget =
  | { readonly kind: 'path' | 'abstract'; readonly name: string }
  | {
      readonly kind: 'tcp';
      /** The host that clients connect to. */
      readonly host: string;
      /** The numeric address to bind to. */
      readonly ip: string;
      /** 0 for a free port. */
      readonly port: number;
      readonly family: 'ipv4' | 'ipv6' | undefined;
    };

/**
 * The target to bind to for an address, or the reason why a server cannot listen on it.
 *
 * @throws (rejects) as `dns.lookup` does, if a host has to be looked up
 */
export async function listenTarget(
  { transport, parameters }: AddressParts,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ListenTarget | string> {
  if (parameters.has('guid')) return '"guid" is for clients: the server generates its own';
  if (transport === 'tcp') return tcpTarget(parameters);
  if (transport === 'unix') return unixTarget(parameters, env);
  return `a server cannot listen on the transport ${quoted(transport)} (it can on unix, tcp and systemd)`;
}

/** The address that clients connect to. */
export function connectableAddress(target: ListenTarget, port: number, guid: string): string {
  if (target.kind !== 'tcp') {
    const parameters = new Map([
      [target.kind, target.name],
      ['guid', guid],
    ] as const);
    return formatAddress({ transport: 'unix', parameters });
  }
  const parameters = new Map([
    ['host', target.host],
    ['port', String(port)],
    ...(target.family === undefined ? [] : [['family', target.family] as const]),
    ['guid', guid],
  ]);
  return formatAddress({ transport: 'tcp', parameters });
}

function unixTarget(parameters: Parameters, env: NodeJS.ProcessEnv): ListenTarget | string {
  const given = unixName(parameters, env);
  if (typeof given === 'string') return given;
  const { kind, value } = given;
  // Bytes that are not UTF-8 become U+FFFD, so the socket would have another name than the program asked for.
  if (value.includes('\ufffd')) return `"${kind}" is not UTF-8`;
  // The path is resolved once: the program may change its working directory, and clients have working directories of
  // their own.
  const name = kind === 'path' && value !== '' ? resolve(value) : value;
  return addressRefusal({ transport: 'unix', parameters: new Map([[kind, name]]) }) ?? { kind, name };
}

function unixName(
  parameters: Parameters,
  env: NodeJS.ProcessEnv,
): { readonly kind: 'path' | 'abstract'; readonly value: string } | string {
  const [[key, value] = [], another] = parameters;
  if (key === undefined || another !== undefined) {
    return 'exactly one of path, abstract, runtime, dir, tmpdir is needed';
  }
  switch (key) {
    case 'path':
    case 'abstract':
      return { kind: key, value: value as string };
    case 'dir':
    case 'tmpdir':
      if (value === '') return `"${key}" is empty`;
      // The specification also allows an abstract name for tmpdir, but no file permissions would restrict the clients
      // of such a socket.
      return { kind: 'path', value: join(value as string, `dbus-${randomBytes(6).toString('hex')}`) };
    case 'runtime':
      if (value !== 'yes') return '"runtime" can only be "yes"';
      if (!env.XDG_RUNTIME_DIR?.startsWith('/')) return 'XDG_RUNTIME_DIR is not set to an absolute path';
      return { kind: 'path', value: join(env.XDG_RUNTIME_DIR, 'bus') };
    default:
      return `the key ${quoted(key)} is unknown`;
  }
}

async function tcpTarget(parameters: Parameters): Promise<ListenTarget | string> {
  const unknown = [...parameters.keys()].find((key) => !['host', 'bind', 'port', 'family'].includes(key));
  if (unknown !== undefined) return `the key ${quoted(unknown)} is unknown`;
  const host = parameters.get('host') || 'localhost';
  if (host === '*')
    return '"host" is what clients connect to, which "*" is not: use "bind=*" to listen on all interfaces';
  const port = parameters.get('port') ?? '0';
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) > 65_535) return '"port" is not 0 to 65535';
  const family = parameters.get('family');
  if (family !== undefined && family !== 'ipv4' && family !== 'ipv6') return '"family" is not ipv4 or ipv6';
  const bind = parameters.get('bind') || host;
  return { kind: 'tcp', host, ip: await numericAddress(bind, family), port: Number(port), family };
}

async function numericAddress(host: string, family: 'ipv4' | 'ipv6' | undefined): Promise<string> {
  if (host === '*') return family === 'ipv6' ? '::' : '0.0.0.0';
  // Few programs look names up, and importing this module takes longer than a look-up.
  const { lookup } = await import('node:dns/promises');
  const { address } = await lookup(host, { family: family === undefined ? 0 : family === 'ipv6' ? 6 : 4 });
  return address;
}
