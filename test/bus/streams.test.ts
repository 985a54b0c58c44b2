// Streams that exist already, as a bus and as peers: who does what in the handshake, who owns the descriptor, and what is
// refused.
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectError,
  connect,
  FileDescriptor,
  InvalidArgumentError,
  listen,
  type MessageBus,
  pair,
} from '../../src/index.js';
import { loadAddon } from '../../src/native/load.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { missingInRuntime } from '../helpers/own-runtime.js';
import { Example, exampleObject, folder, PATH } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('streams');
const daemon = await PrivateBus.start();
test.after(() => daemon.stop());

/** Runtimes whose sockets have no descriptor. */
const noSockets = missingInRuntime({
  bun: 'its sockets do not tell their descriptors',
  deno: 'its sockets do not tell their descriptors',
});

const socketPath = daemon.address.slice('unix:path='.length);

/** Two connected sockets. */
function socketPair(): [number, number] {
  const fds = loadAddon().socketPair();
  if (typeof fds === 'number') throw new Error(`socketpair: ${fds}`);
  return [...fds];
}

async function assertTalks(one: MessageBus, other: MessageBus): Promise<void> {
  for (const [here, there] of [
    [one, other],
    [other, one],
  ] as const) {
    const exported = there.export(PATH, exampleObject());
    assert.is(await here.proxy(Example, PATH).call.Echo('hello'), 'hello');
    exported.end();
  }
}

const closeAll = (...ends: readonly MessageBus[]) => Promise.all(ends.map((end) => end.close()));

test('the ends of a pair call each other, send descriptors, and know each other as this process', async () => {
  const before = openFds();
  const [left, right] = await pair();
  await assertTalks(left, right);
  right.export(PATH, exampleObject());
  using file = FileDescriptor.adopt(openSync('/dev/null', 'r'));
  const passed = await left.proxy(Example, PATH).call.Pass(file);
  passed.close();
  assert.is(left.peerCredentials?.pid, process.pid);
  assert.is(right.peerCredentials?.uid, process.getuid?.());
  await left.close();
  assert.is((await right.disconnected)?.code, 'ERR_DBUS_CONNECTION_CLOSED');
  file.close();
  await assertNoFdsLeft(before);
});

test('the ends of a pair take the limits of its options', async () => {
  const [left, right] = await pair({ limits: { messageSize: 4096 } });
  right.export(PATH, exampleObject());
  const size = left.proxy(Example, PATH).call.Size;
  assert.is(await size(Buffer.alloc(1000)), 1000);
  assert.match(String(await rejection(size(Buffer.alloc(8192)))), /messageSize|larger|limit/);
  await closeAll(left, right);
});

for (const [here, there] of [
  ['client', 'server'],
  ['server', 'client'],
  ['none', 'none'],
] as const) {
  test(`two descriptors of one stream: ${here} and ${there}`, async () => {
    const before = openFds();
    const [one, other] = socketPair();
    const ends = await Promise.all([
      connect({ fd: one, peer: true, handshake: here }),
      connect({ fd: FileDescriptor.adopt(other), peer: true, handshake: there }),
    ]);
    await assertTalks(...ends);
    await closeAll(...ends);
    await assertNoFdsLeft(before);
  });
}

test('without `handshake`, this end is the client', async () => {
  const [one, other] = socketPair();
  const ends = await Promise.all([
    connect({ fd: one, peer: true }),
    connect({ fd: other, peer: true, handshake: 'server' }),
  ]);
  await assertTalks(...ends);
  await closeAll(...ends);
});

test('an anonymous client is accepted by a server that allows it, and by no other', async () => {
  for (const anonymous of [true, false]) {
    const [one, other] = socketPair();
    const client = connect({ fd: one, peer: true, anonymous: true });
    const server = connect({ fd: other, peer: true, handshake: 'server', anonymous });
    const refused = anonymous ? undefined : await rejection(client);
    assert.is(refused instanceof ConnectError, !anonymous);
    if (anonymous) await closeAll(await client, await server);
    else assert.instance(await rejection(server), ConnectError);
  }
});

testUnless(noSockets, test, 'a socket of node:net becomes a connection to a bus', async () => {
  const before = openFds();
  const socket = connectSocket({ path: socketPath });
  await once(socket, 'connect');
  const bus = await connect({ socket });
  assert.ok(socket.destroyed);
  assert.match(bus.uniqueName ?? '', /^:1\.\d+$/);
  assert.ok((await bus.listNames()).includes(bus.uniqueName as string));
  await bus.close();
  await assertNoFdsLeft(before);
});

testUnless(
  noSockets,
  test,
  'a descriptor becomes a connection to a bus, with and without descriptors sent',
  async () => {
    const socket = connectSocket({ path: socketPath });
    await once(socket, 'connect');
    const { _handle: handle } = socket as Socket & { _handle: { readonly fd: number } };
    const fd = loadAddon().duplicateFd(handle.fd);
    socket.destroy();
    const bus = await connect({ fd });
    using file = FileDescriptor.adopt(openSync('/dev/null', 'r'));
    bus.export(PATH, exampleObject());
    const passed = await bus.proxy(Example, bus.uniqueName as string, PATH).call.Pass(file);
    passed.close();
    await bus.close();
  },
);

testUnless(noSockets, test, 'a socket that a server of node:net accepted becomes a peer', async () => {
  const path = join(folder, 'accepted');
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect({ address: `unix:path=${path}`, peer: true });
  const [socket] = await accepted;
  // Everything that the client sends first has arrived.
  await new Promise((resolve) => setImmediate(resolve));
  const ends = await Promise.all([connect({ socket, peer: true, handshake: 'server' }), client]);
  await assertTalks(...ends);
  await closeAll(...ends);
  await new Promise((resolve) => server.close(resolve));
});

testUnless(
  noSockets,
  test,
  'sockets from which bytes were read, that are closed, connecting or ended are refused',
  async () => {
    const path = join(folder, 'read');
    const server = createServer((accepted) => accepted.write('hello'));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const socket = connectSocket({ path });
    const refusal = async (text: RegExp) => {
      const error = await rejection(connect({ socket, peer: true }));
      assert.instance(error, InvalidArgumentError);
      assert.match((error as Error).message, text);
    };
    await refusal(/^socket: it is still connecting/);
    await once(socket, 'readable');
    await refusal(/^socket: 5 bytes were read from it already/);
    assert.not.ok(socket.destroyed);
    assert.is(String(socket.read()), 'hello');
    socket.end();
    await once(socket, 'finish');
    socket.destroy();
    await refusal(/^socket: it is closed/);
    await new Promise((resolve) => server.close(resolve));
  },
);

test('what is no connected stream is refused, and stays the program’s', async () => {
  const file = openSync('/dev/null', 'r');
  const descriptor = FileDescriptor.adopt(file);
  assert.match(String(await rejection(connect({ fd: file }))), /is not a socket/);
  assert.match(String(await rejection(connect({ fd: descriptor }))), /is not a socket/);
  assert.not.ok(descriptor.closed);
  descriptor.close();
  assert.match(String(await rejection(connect({ fd: file }))), /is not open/);
  for (const fd of [-1, 1.5, '3', null]) {
    assert.instance(await rejection(connect({ fd: fd as number })), InvalidArgumentError);
  }
  assert.instance(await rejection(connect({ socket: {} as Socket })), InvalidArgumentError);
});

test('options that contradict a stream are refused, and the descriptor stays open', async () => {
  const [one, other] = socketPair();
  const before = openFds();
  const misuses: readonly [Parameters<typeof connect>[0], RegExp][] = [
    [{ fd: one, address: 'unix:path=/x' }, /^address: cannot be combined with `fd`/],
    [{ fd: one, bus: 'session' }, /^bus: cannot be combined with `fd`/],
    [{ fd: one, transport: 'sd-bus' }, /^transport: `fd` needs the transport 'socket'/],
    [{ fd: one, handshake: 'server' }, /^handshake: 'server' needs `peer: true`/],
    [{ address: 'unix:path=/x', handshake: 'none' }, /^handshake: only for `fd` and `socket`/],
  ];
  for (const [options, text] of misuses) {
    const error = await rejection(connect(options));
    assert.instance(error, InvalidArgumentError);
    assert.match((error as Error).message, text);
  }
  assert.equal(openFds(), before);
  closeSync(one);
  closeSync(other);
});

test('an attempt that fails closes the descriptor', async () => {
  const before = openFds();
  const [one, other] = socketPair();
  closeSync(other);
  const error = await rejection(connect({ fd: one, peer: true }));
  assert.instance(error, ConnectError);
  assert.match(
    (error as Error).message,
    new RegExp(`^file descriptor ${one}: no connection to a peer could be made: `),
  );
  await assertNoFdsLeft(before);
});

test('an attempt that is aborted or takes too long closes the descriptor', async () => {
  const before = openFds();
  const [one, other] = socketPair();
  const aborting = new AbortController();
  const attempt = connect({ fd: one, peer: true, signal: aborting.signal });
  aborting.abort(new Error('enough'));
  assert.is(((await rejection(attempt)) as Error).message, 'enough');
  const [third, fourth] = socketPair();
  assert.match(String(await rejection(connect({ fd: third, peer: true, timeout: 20 }))), /within 20 ms/);
  closeSync(other);
  closeSync(fourth);
  await assertNoFdsLeft(before);
});

test('a listening socket is refused as a connection, and a connection as a listening socket', async () => {
  const [one, other] = socketPair();
  assert.match(String(await rejection(listen({ fd: one }))), /it does not listen/);
  await closeAll(...(await Promise.all([one, other].map((fd) => connect({ fd, peer: true, handshake: 'none' })))));
});

test.run();
