// Peers of other implementations without a bus: GLib (GDBus) on either side, the daemons as servers, libdbus as a client,
// and dbus-fast and the tools of sd-bus and GLib, which send Hello to every server.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  DBusError,
  defineInterface,
  implement,
  type ListenOptions,
  listen,
  type MessageBus,
  MessageType,
  type PeerServer,
} from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { missingPrograms } from '../helpers/paths.js';
import { folder } from '../helpers/peers.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { outputOf, Program } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('peers of other implementations');
const missingGio = pythonWith('gi') === undefined ? 'python3-gi not installed' : undefined;

const Peer = defineInterface('org.example.Peer', {
  methods: { Greet: { in: 's', out: 's' }, Read: { in: 'h', out: 's' }, Fail: {} },
  signals: { Said: { args: 's' } },
});

function exportPeer(bus: MessageBus): void {
  const object = implement(Peer, {
    Greet(name) {
      object.emit.Said(name);
      return `hello ${name}`;
    },
    Read(fd) {
      using received = fd;
      return readFileSync(received.fd, 'utf8');
    },
    Fail() {
      throw new DBusError('org.example.Error.Asked', 'as asked');
    },
  });
  bus.export('/busbar', object);
}

/**
 * A connection of busbar to a server of another implementation, or the other way round, with an object of busbar exported.
 */
type Meet = (bus: (bus: MessageBus) => void) => Promise<{ readonly gio: Program; end(): Promise<unknown> }>;

/** sd-bus disconnects if it reads descriptors together with the end of the handshake. */
const takesFdsFirst = transportKind() === 'socket';

const gioPeer = (...args: string[]) => {
  const order = takesFdsFirst ? ['--fd-first'] : [];
  return Program.start(pythonWith('gi') as string, ['test/interop/peers/peer_gio.py', ...args, ...order]);
};

const gioListens =
  (address: string, anonymous: boolean): Meet =>
  async (onBus) => {
    const gio = gioPeer('server', address, ...(anonymous ? ['--anonymous'] : []));
    const { address: where } = await gio.event('listening');
    const bus = await connect({ address: where as string, peer: true, anonymous });
    onBus(bus);
    return { gio, end: () => bus.close() };
  };

const gioConnects =
  (options: Pick<ListenOptions, 'address' | 'anonymous'>): Meet =>
  async (onBus) => {
    const server = await listen({ ...options, onConnection: onBus });
    return { gio: gioPeer('client', server.address), end: () => server.close() };
  };

for (const [name, passesFds, meet] of [
  ['GLib’s server on a unix socket', true, gioListens(`unix:tmpdir=${folder}`, false)],
  ['GLib’s server on TCP', false, gioListens('tcp:host=127.0.0.1', true)],
  ['GLib’s client on a unix socket', true, gioConnects({ address: `unix:tmpdir=${folder}` })],
  ['GLib’s client, which may be anonymous,', true, gioConnects({ address: `unix:tmpdir=${folder}`, anonymous: true })],
  ['GLib’s client on TCP', false, gioConnects({ address: 'tcp:host=127.0.0.1', anonymous: true })],
] as const) {
  testUnless(missingGio, test, `${name} and busbar call each other`, async () => {
    const buses: MessageBus[] = [];
    const { gio: program, end } = await meet((bus) => {
      exportPeer(bus);
      buses.push(bus);
    });
    await using gio = program;
    assert.is((await gio.event('connected')).fds, passesFds);
    const pipe = async () => assert.is((await gio.event('read')).text, 'through a pipe');
    if (passesFds && takesFdsFirst) await pipe();
    assert.is((await gio.event('answer')).text, 'hello gio');
    if (passesFds && !takesFdsFirst) await pipe();
    const [bus] = buses as [MessageBus];
    assert.is(bus.canSendFileDescriptors, passesFds);

    const proxy = bus.proxy(Peer, '/gio');
    const heard: string[] = [];
    proxy.on.Said((text) => heard.push(text));
    assert.is(await proxy.call.Greet('busbar'), 'hello busbar');
    assert.equal(heard, ['busbar']);
    const error = await rejection(proxy.call.Fail());
    assert.is((error as DBusError).dbusName, 'org.example.Error.Asked');
    assert.ok((await bus.object('/gio')).interfaces.includes('org.example.Peer'));

    await end();
    await gio.event('closed');
  });
}

/** A server of busbar with an object, for programs that connect. */
async function serve(onConnection: (bus: MessageBus) => void = () => {}): Promise<PeerServer> {
  return listen({
    address: `unix:tmpdir=${folder}`,
    onConnection(bus) {
      exportPeer(bus);
      onConnection(bus);
    },
  });
}

testUnless(missingPrograms('dbus-send'), test, 'dbus-send (libdbus) sends a call and a signal to a peer', async () => {
  const heard: unknown[] = [];
  await using server = await serve((bus) => {
    bus.subscribe({ member: 'Said' }, ({ body: [text] }) => heard.push(text));
  });
  const dbusSend = (...args: string[]) => outputOf('dbus-send', [`--peer=${server.address}`, ...args]);
  const answer = await dbusSend('--print-reply', '/busbar', 'org.example.Peer.Greet', 'string:libdbus');
  assert.match(answer, 'string "hello libdbus"');
  await dbusSend('--type=signal', '/elsewhere', 'org.example.Peer.Said', 'string:from libdbus');
  while (server.connections.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(heard, ['from libdbus']);
});

testUnless(missingPrograms('gdbus'), test, 'gdbus sends a signal to a peer', async () => {
  let hear: (text: unknown) => void = () => {};
  const heard = new Promise((resolve) => {
    hear = resolve;
  });
  await using server = await serve((bus) => {
    bus.subscribe({ member: 'Said' }, ({ body: [text] }) => hear(text));
  });
  const signal = ['--object-path', '/elsewhere', '--signal', 'org.example.Peer.Said', "'from gdbus'"];
  await outputOf('gdbus', ['emit', '--address', server.address, ...signal]);
  assert.is(await heard, 'from gdbus');
});

/** Answers the first messages of clients of a bus, for programs that cannot work without. */
function answerHello(bus: MessageBus): void {
  bus.addMessageHandler(({ type, member, serial }) => {
    if (type !== MessageType.MethodCall || member !== 'Hello') return false;
    bus.send({ type: MessageType.MethodReturn, replySerial: serial, signature: 's', body: [':1.1'] });
    return true;
  });
}

testUnless(
  missingPrograms('gdbus', 'busctl'),
  test,
  'gdbus and busctl work with a peer that answers Hello',
  async () => {
    await using server = await serve(answerHello);
    const gdbus = (command: string, ...args: string[]) =>
      outputOf('gdbus', [
        command,
        '--address',
        server.address,
        '--dest',
        'org.example',
        '--object-path',
        '/busbar',
        ...args,
      ]);
    const busctl = (command: string, ...args: string[]) =>
      outputOf('busctl', [`--address=${server.address}`, '--no-pager', command, 'org.example', '/busbar', ...args]);
    assert.is(await gdbus('call', '--method', 'org.example.Peer.Greet', 'gdbus'), "('hello gdbus',)\n");
    assert.match(await gdbus('introspect'), 'interface org.example.Peer');
    assert.is(await busctl('call', 'org.example.Peer', 'Greet', 's', 'busctl'), 's "hello busctl"\n');
    assert.match(await busctl('introspect'), /^\.Greet +method +s +s/m);
  },
);

const missingFast = pythonWith('dbus_fast') === undefined ? 'python module dbus_fast not installed' : undefined;

for (const way of ['uid', 'kernel']) {
  testUnless(missingFast, test, `dbus-fast authenticates by ${way}, passes a pipe, and calls`, async () => {
    await using server = await serve(answerHello);
    const args = ['test/interop/peers/peer_dbus_fast.py', server.address, way];
    const events = (await outputOf(pythonWith('dbus_fast') as string, args)).trim().split('\n');
    assert.equal(
      events.map((line) => JSON.parse(line)),
      [
        { event: 'read', text: 'through a pipe' },
        { event: 'answer', text: 'hello dbus-fast' },
      ],
    );
  });
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `${daemon} accepts a peer that does not know that it is a bus`,
    async () => {
      await using bus = await PrivateBus.start({ daemon });
      await using client = await connect({ address: bus.address, peer: true });
      assert.is(client.canSendFileDescriptors, true);
      const driver = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus' };
      const [name] = await client.call({ ...driver, interface: 'org.freedesktop.DBus', member: 'Hello' });
      assert.match(name as string, /^:1\./);
    },
  );
}

/** Whether this machine lets a process be the user nobody in a separate user namespace. */
const missingNamespaces =
  missingPrograms('unshare') ??
  (spawnSync('unshare', ['--user', 'true']).status === 0 ? undefined : 'no user namespaces here');

testUnless(
  missingNamespaces,
  test,
  'a client in another user namespace has the user that the kernel reports',
  async () => {
    const uids: unknown[] = [];
    await using server = await serve((bus) => uids.push(bus.peerCredentials?.uid));
    const script = `
    import { connect } from ${JSON.stringify(libraryEntry)};
    const bus = await connect({ address: ${JSON.stringify(server.address)}, peer: true });
    const call = { path: '/busbar', interface: 'org.example.Peer', member: 'Greet', signature: 's' };
    console.log(process.getuid(), await bus.call({ ...call, body: ['from afar'] }));
    await bus.close();
  `;
    const args = ['--user', process.execPath, ...moduleArguments(script)];
    const answer = await outputOf('unshare', args, { env: { TSX_DISABLE_CACHE: '1' } });
    assert.match(answer, "65534 [ 'hello from afar' ]");
    assert.equal(uids, [process.getuid?.()]);
  },
);

test.run();
