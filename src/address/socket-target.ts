/**
 * What a client connects a socket of its own to, for an address that asks for nothing else. Looks names up; connects
 * nothing.
 */
import type { LookupAddress } from 'node:dns';
import type { SocketTarget } from '../native/binding.js';
import type { AddressParts } from './address.js';

type Parameters = AddressParts['parameters'];

/**
 * Where the server of an address may be, to be tried in this order; `undefined` where it takes more than a socket, which
 * is sd-bus's business.
 *
 * @param address one that a client can try to connect to
 * @param isBus whether it is the address of a bus, and not of a peer
 * @throws (rejects) as `dns.lookup` does, where a host has to be looked up
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
  // U+FFFD is what bytes become that are no UTF-8: only the address itself still has the name.
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
  // An address of a link is a number and the name of an interface.
  if (found.some(hasZone)) return undefined;
  return found.map(({ address }) => ({ name: '', ip: address, port: Number(parameters.get('port')), ...identity }));
}

function hasZone({ address }: LookupAddress): boolean {
  return address.includes('%');
}
