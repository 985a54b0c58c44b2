/**
 * Finds the sockets that busbar can connect to by itself for an address. It looks up host names, but does not connect.
 */
import type { LookupAddress } from 'node:dns';
import type { SocketTarget } from '../native/binding.js';
import type { AddressParts } from './address.js';

type Parameters = AddressParts['parameters'];

/**
 * The targets for an address, in the order in which to try them; `undefined` if the address needs more than a socket,
 * so that sd-bus has to connect.
 *
 * @param address one that a client can try to connect to
 * @param isBus whether it is the address of a bus, and not of a peer
 * @throws (rejects) as `dns.lookup` does, if a host has to be looked up
 */
export async function socketTargets(
  { transport, parameters }: AddressParts,
  isBus = false,
): Promise<readonly SocketTarget[] | undefined> {
  const digits = parameters.get('guid');
  const identity = { guid: digits === undefined ? undefined : Buffer.from(digits, 'hex'), isBus };
  if (transport === 'tcp') return tcpTargets(parameters, identity);
  if (transport !== 'unix') return undefined;
  const name = parameters.get('path') ?? `\0${parameters.get('abstract')}`;
  // Bytes that are not UTF-8 become U+FFFD, so only the text of the address still has the name.
  return name.includes('\ufffd') ? undefined : [{ name, ip: '', port: 0, ...identity }];
}

async function tcpTargets(
  parameters: Parameters,
  identity: Pick<SocketTarget, 'guid' | 'isBus'>,
): Promise<readonly SocketTarget[] | undefined> {
  const family = parameters.get('family');
  const host = parameters.get('host') as string;
  const { lookup } = await import('node:dns/promises');
  const found = await lookup(host, { all: true, family: family === undefined ? 0 : family === 'ipv6' ? 6 : 4 });
  // A link-local address consists of a number and the name of an interface.
  if (found.some(hasZone)) return undefined;
  return found.map(({ address }) => ({ name: '', ip: address, port: Number(parameters.get('port')), ...identity }));
}

function hasZone({ address }: LookupAddress): boolean {
  return address.includes('%');
}
