// The addresses that the socket transport can connect to, and the socket address of each.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddresses } from '../../src/address/address.js';
import { socketTargets } from '../../src/address/socket-target.js';
import { rejection } from '../helpers/rejection.js';

const test = suite('socket targets');

const GUID = '0123456789abcdef0123456789ABCDEF';

function targetsOf(text: string) {
  const [address] = parseAddresses(text);
  if (address === undefined) throw new Error('no address');
  assert.is(address.refusal, undefined);
  return socketTargets(address);
}

const unix = (name: string) => ({ name, ip: '', port: 0, guid: undefined, isBus: false });
const tcp = (ip: string, port: number) => ({ name: '', ip, port, guid: undefined, isBus: false });

test('a unix socket is its name, which begins with NUL if it is abstract', async () => {
  assert.equal(await targetsOf('unix:path=/run/a%20b'), [unix('/run/a b')]);
  assert.equal(await targetsOf('unix:abstract=/run/a'), [unix('\0/run/a')]);
  assert.equal(await targetsOf('unix:path=/größe'.replace('öß', '%c3%b6%c3%9f')), [unix('/größe')]);
});

test('the guid of the server becomes bytes', async () => {
  const [target] = (await targetsOf(`unix:path=/run/a,guid=${GUID}`)) ?? [];
  assert.equal(target?.guid, Buffer.from(GUID, 'hex'));
});

test('a TCP address becomes numbers, of the requested family', async () => {
  assert.equal(await targetsOf('tcp:host=127.0.0.1,port=80'), [tcp('127.0.0.1', 80)]);
  assert.equal(await targetsOf('tcp:host=%3a%3a1,port=65535,family=ipv6'), [tcp('::1', 65_535)]);
  const ips = ((await targetsOf('tcp:host=localhost,port=80,family=ipv4')) ?? []).map(({ ip }) => ip);
  assert.ok(ips.includes('127.0.0.1') && ips.every((ip) => ip.startsWith('127.')));
});

test('a host that cannot be looked up rejects', async () => {
  assert.match((await rejection(targetsOf('tcp:host=host.invalid,port=80'))).message, 'getaddrinfo');
});

test('an address that needs more than a socket has no target', async () => {
  for (const text of [
    'unixexec:path=/bin/true',
    'x-machine-unix:machine=example',
    // A path that is not UTF-8, and an address of one link only.
    'unix:path=/run/%ff',
    'tcp:host=fe80%3a%3a1%25lo,port=80',
  ]) {
    assert.is(await targetsOf(text), undefined, text);
  }
});

test.run();
