/** Addresses: the grammar, escaping, what a client can connect to, and the addresses of the well-known buses. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Address, escapeAddressValue, formatAddress, parseAddresses } from '../../src/address/address.js';
import {
  objectionToSocket,
  sessionBusAddresses,
  starterBusAddresses,
  systemBusAddresses,
} from '../../src/address/bus-addresses.js';
import { ConnectError, InvalidArgumentError } from '../../src/base/errors.js';

const only = (list: string): Address => {
  const addresses = parseAddresses(list);
  assert.is(addresses.length, 1);
  return addresses[0] as Address;
};
const texts = (addresses: readonly Address[]) => addresses.map(({ text }) => text);

const test = suite('addresses');

test('an address is a transport with keys and values in order', () => {
  const address = only('unixexec:path=ssh,argv1=-xT,argv2=host,guid=0123456789abcdef0123456789ABCDEF');
  assert.is(address.transport, 'unixexec');
  assert.equal(
    [...address.parameters],
    [
      ['path', 'ssh'],
      ['argv1', '-xT'],
      ['argv2', 'host'],
      ['guid', '0123456789abcdef0123456789ABCDEF'],
    ],
  );
  assert.is(address.refusal, undefined);
});

test('a list of addresses keeps their order, text and origin', () => {
  const list = 'unix:path=/tmp/a%20b;tcp:host=localhost,port=4242;;unix:abstract=/tmp/x;';
  const addresses = parseAddresses(list, 'the option "address"');
  assert.equal(texts(addresses), ['unix:path=/tmp/a%20b', 'tcp:host=localhost,port=4242', 'unix:abstract=/tmp/x']);
  assert.ok(addresses.every(({ origin, refusal }) => origin === 'the option "address"' && refusal === undefined));
  assert.is(addresses[0]?.parameters.get('path'), '/tmp/a b');
});

test('every byte is escaped except the harmless ones, and both cases are read', () => {
  assert.is(escapeAddressValue('-09AZaz_/.\\'), '-09AZaz_/.\\');
  assert.is(escapeAddressValue('a b,c;d=é😀*%'), 'a%20b%2cc%3bd%3d%c3%a9%f0%9f%98%80%2a%25');
  assert.is(only('unix:path=/%C3%a9%2C%41*').parameters.get('path'), '/é,A*');
});

test('bytes that are not UTF-8 are kept in the text', () => {
  const address = only('unix:path=/tmp/%ff');
  assert.is(address.text, 'unix:path=/tmp/%ff');
  assert.is(address.parameters.get('path'), '/tmp/\uFFFD');
});

test('an address that breaks the grammar is refused with the reason', () => {
  const refusals: readonly [string, RegExp][] = [
    ['', /it contains no address/],
    [';;', /it contains no address/],
    ['unix', /the ":" after the transport is missing/],
    [':path=/a', /the transport before the ":" is missing/],
    ['unix:path', /"path" is not of the form key=value/],
    ['unix:=x', /"=x" is not of the form key=value/],
    ['unix:path=/a,', /"" is not of the form key=value/],
    ['unix:path=/a,path=/b', /the key "path" is given twice/],
    ['unix:path=/a b', /" " in the value of "path" must be written %20/],
    ['tcp:host=::1,port=1', /":" in the value of "host" must be written %3a/],
    ['unix:path=/é', /"é" in the value of "path" must be written %c3%a9/],
    ['unix:path=/a%2', /needs two hexadecimal digits/],
    ['unix:path=/a%zz', /needs two hexadecimal digits/],
    ['unix:path=/a%', /needs two hexadecimal digits/],
    ['unix:path=/a%00', /contains a NUL/],
    ['unix:path=/a;x', /invalid address "x"/],
  ];
  for (const [list, reason] of refusals) {
    assert.throws(
      () => parseAddresses(list),
      (error: Error) => error instanceof InvalidArgumentError && reason.test(error.message),
      list,
    );
  }
  assert.throws(() => parseAddresses(undefined as unknown as string), /expected a string, got undefined/);
});

test('an address that a client cannot connect to has a reason, and does not affect the rest of its list', () => {
  const refusals: readonly [string, RegExp][] = [
    ['disabled:', /the bus is switched off/],
    ['autolaunch:', /X11/],
    ['autolaunch:scope=*user', /X11/],
    ['nonce-tcp:host=localhost,port=1,noncefile=/x', /Windows/],
    ['launchd:env=X', /macOS/],
    ['systemd:', /server/],
    ['unix:', /exactly one of path, abstract, runtime, dir, tmpdir is needed, none is given/],
    ['unix:path=/a,abstract=b', /path and abstract are given/],
    ['unix:runtime=yes', /for servers to listen on/],
    ['unix:tmpdir=/tmp', /for servers to listen on/],
    ['unix:dir=/tmp', /for servers to listen on/],
    ['unix:path=', /"path" is empty/],
    [`unix:path=/${'x'.repeat(107)}`, /108 bytes.*at most 107/],
    ['unix:path=/a,guid=123', /32 hexadecimal digits/],
    ['tcp:port=1', /"host" is missing/],
    ['tcp:host=localhost', /"port" is missing/],
    ['tcp:host=localhost,port=0', /1 to 65535/],
    ['tcp:host=localhost,port=65536', /1 to 65535/],
    ['tcp:host=localhost,port=x', /1 to 65535/],
    ['tcp:host=localhost,port=1,family=ipx', /ipv4 or ipv6/],
    ['unixexec:argv1=x', /"path" is missing/],
    ['x-machine-unix:', /"machine" is missing/],
    ['carrier-pigeon:coop=1', /"carrier-pigeon" is unknown/],
    ['__proto__:', /"__proto__" is unknown/],
  ];
  for (const [text, reason] of refusals) {
    const [first, second] = parseAddresses(`${text};unix:path=/run/bus`);
    assert.match(first?.refusal ?? '', reason, text);
    assert.is(second?.refusal, undefined);
  }
  assert.is(only(`unix:path=/${'x'.repeat(106)}`).refusal, undefined);
  assert.is(only('x-machine-unix:machine=.host').refusal, undefined);
  assert.is(only('tcp:host=%3a%3a1,port=4242,family=ipv6').refusal, undefined);
});

test('an address can be written and read again, whatever its values', () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  const value = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
  const parameters = fc.array(fc.tuple(key, value)).map((list) => new Map(list));
  const address = fc.tuple(key, parameters).map(([transport, parameters]) => ({ transport, parameters }));
  fc.assert(
    fc.property(fc.array(address, { minLength: 1 }), (addresses) => {
      const again = parseAddresses(addresses.map(formatAddress).join(';'));
      assert.equal(
        again.map(({ transport, parameters }) => ({ transport, parameters })),
        addresses,
      );
      assert.equal(again.map(formatAddress), texts(again));
    }),
  );
});

test('an address that could not be read again is not written', () => {
  const write = (transport: string, key: string, value: string) => () =>
    formatAddress({ transport, parameters: new Map([[key, value]]) });
  for (const wrong of [write('', 'a', ''), write('a:b', 'a', ''), write('a;b', 'a', ''), write('unix', 'a=b', '')]) {
    assert.throws(wrong, (error: unknown) => error instanceof InvalidArgumentError);
  }
  assert.throws(write('unix', 'path', 'a\0b'), /NUL/);
  assert.throws(write('unix', 'path', '\uD800'), /lone surrogate/);
});

test('the session bus has the addresses of DBUS_SESSION_BUS_ADDRESS alone if it is set', () => {
  const env = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/a;unix:path=/b', XDG_RUNTIME_DIR: '/run/user/1' };
  const addresses = sessionBusAddresses(env);
  assert.equal(texts(addresses), ['unix:path=/a', 'unix:path=/b']);
  assert.ok(addresses.every(({ origin }) => origin === 'DBUS_SESSION_BUS_ADDRESS'));
  assert.throws(() => sessionBusAddresses({ DBUS_SESSION_BUS_ADDRESS: 'x' }), /invalid DBUS_SESSION_BUS_ADDRESS "x"/);
  assert.match(sessionBusAddresses({ DBUS_SESSION_BUS_ADDRESS: 'disabled:' })[0]?.refusal ?? '', /switched/);
});

test('the addresses of the session bus begin with $XDG_RUNTIME_DIR/bus if only that is set', () => {
  const first = sessionBusAddresses({ DBUS_SESSION_BUS_ADDRESS: '', XDG_RUNTIME_DIR: '/tmp/a b' })[0];
  assert.is(first?.text, 'unix:path=/tmp/a%20b/bus');
  assert.is(first?.origin, '$XDG_RUNTIME_DIR/bus');
});

test('the system bus has the addresses of the environment or the usual paths', () => {
  assert.equal(texts(systemBusAddresses({})), [
    'unix:path=/var/run/dbus/system_bus_socket',
    'unix:path=/run/dbus/system_bus_socket',
  ]);
  const configured = systemBusAddresses({ DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/x' });
  assert.equal(texts(configured), ['unix:path=/x']);
  assert.is(configured[0]?.origin, 'DBUS_SYSTEM_BUS_ADDRESS');
});

test('the starter bus has its own address, or else the one of its type', () => {
  assert.equal(texts(starterBusAddresses({ DBUS_STARTER_ADDRESS: 'unix:path=/s', DBUS_STARTER_BUS_TYPE: 'system' })), [
    'unix:path=/s',
  ]);
  assert.equal(starterBusAddresses({ DBUS_STARTER_BUS_TYPE: 'system' }), systemBusAddresses({}));
  const session = { DBUS_STARTER_BUS_TYPE: 'session', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/a' };
  assert.equal(texts(starterBusAddresses(session)), ['unix:path=/a']);
  assert.throws(
    () => starterBusAddresses({}),
    (error: unknown) => error instanceof ConnectError,
  );
  assert.throws(() => starterBusAddresses({ DBUS_STARTER_BUS_TYPE: 'odd' }), /invalid DBUS_STARTER_BUS_TYPE "odd"/);
});

test('an environment variable without a valid address is an error of connecting, which names it', () => {
  for (const [read, env, reason] of [
    [
      sessionBusAddresses,
      { DBUS_SESSION_BUS_ADDRESS: '/run/user/0/bus' },
      /^invalid DBUS_SESSION_BUS_ADDRESS .*the ":" after the transport is missing/,
    ],
    [sessionBusAddresses, { DBUS_SESSION_BUS_ADDRESS: ';;' }, /it contains no address/],
    [systemBusAddresses, { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=%zz' }, /^invalid DBUS_SYSTEM_BUS_ADDRESS/],
    [starterBusAddresses, { DBUS_STARTER_ADDRESS: 'unix:path' }, /^invalid DBUS_STARTER_ADDRESS/],
    [starterBusAddresses, { DBUS_STARTER_BUS_TYPE: 'user' }, /"user": it must be session or system/],
  ] as const) {
    assert.throws(
      () => read(env),
      (error: unknown) => error instanceof ConnectError && reason.test(error.message),
    );
  }
});

test.run();

const discovery = suite('the usual place of the session bus');
const folder = mkdtempSync(join(tmpdir(), 'busbar-address-'));
const getuid = process.getuid as () => number;
/** A uid that does not exist, so that its folder below /run/user can neither exist nor belong to this user. */
const UNUSED_UID = 4_000_000_000;

discovery.after(() => rmSync(folder, { recursive: true, force: true }));
discovery.after.each(() => {
  process.getuid = getuid;
});

discovery('is not guessed where there is no such socket: the error says what was looked at', () => {
  process.getuid = () => UNUSED_UID;
  for (const [env, reason] of [
    [
      {},
      /DBUS_SESSION_BUS_ADDRESS is not set, XDG_RUNTIME_DIR is not set, \/run\/user\/4000000000\/bus does not exist/,
    ],
    [{ XDG_RUNTIME_DIR: 'relative' }, /XDG_RUNTIME_DIR is not an absolute path/],
  ] as const) {
    assert.throws(
      () => sessionBusAddresses(env),
      (error: Error) => error instanceof ConnectError && reason.test(error.message),
    );
  }
});

discovery('is left out, like any other, when XDG_RUNTIME_DIR already names it', () => {
  process.getuid = () => UNUSED_UID;
  const path = join(folder, 'bus');
  const addresses = sessionBusAddresses({ XDG_RUNTIME_DIR: folder });
  assert.equal(texts(addresses), [formatAddress({ transport: 'unix', parameters: new Map([['path', path]]) })]);
});

discovery('must be a socket, and ours', async () => {
  const path = join(folder, 'bus');
  const uid = getuid();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  assert.is(objectionToSocket(path, uid), undefined);
  assert.is(objectionToSocket(path, uid + 1), `${path} belongs to another user`);
  await new Promise((resolve) => server.close(resolve));
  assert.is(objectionToSocket(path, uid), `${path} does not exist`);
  writeFileSync(path, '');
  assert.is(objectionToSocket(path, uid), `${path} is not a socket`);
  assert.is(objectionToSocket(join(path, 'below'), uid), `${join(path, 'below')} cannot be accessed (ENOTDIR)`);
});

discovery.run();
