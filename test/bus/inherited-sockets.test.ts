// Listening sockets that exist already: descriptors, and those that a service manager passed, by the rules of sd_listen_fds(3).
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  FileDescriptor,
  InvalidArgumentError,
  inheritedSockets,
  ListenError,
  listen,
} from '../../src/index.js';
import { socketsOf } from '../../src/peer/inherited-sockets.js';
import { listeningSocket } from '../helpers/listening-socket.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { libraryEntry, missingInRuntime, moduleArguments } from '../helpers/own-runtime.js';
import { programPath } from '../helpers/paths.js';
import { Example, exampleObject, folder, PATH } from '../helpers/peers.js';
import { Program } from '../helpers/program.js';
import { rejection, thrown } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('inherited sockets');

const noDescriptors = missingInRuntime({
  bun: 'its servers do not tell their descriptors',
  deno: 'its servers do not tell their descriptors',
});
const notNode = missingInRuntime({ bun: 'the test starts Node.js', deno: 'the test starts Node.js' });
const noActivation =
  notNode ??
  (programPath('systemd-socket-activate') === undefined ? 'systemd-socket-activate not installed' : undefined);

testUnless(noDescriptors, test, 'a server accepts clients of a listening descriptor, and closes it', async () => {
  const before = openFds();
  for (const isObject of [false, true]) {
    const fd = await listeningSocket({ port: 0, host: '127.0.0.1' });
    const server = await listen({
      fd: isObject ? FileDescriptor.adopt(fd) : fd,
      anonymous: true,
      onConnection: (peer) => peer.export(PATH, exampleObject()),
    });
    assert.match(server.address, /^tcp:host=127.0.0.1,port=[0-9]+,guid=[0-9a-f]{32}$/);
    const peer = await connect({ address: server.address, peer: true, anonymous: true });
    assert.is(await peer.proxy(Example, PATH).call.Echo('hello'), 'hello');
    await peer.close();
    await server.close();
  }
  await assertNoFdsLeft(before);
});

testUnless(
  noDescriptors,
  test,
  'clients of TCP need `anonymous`, and a refused descriptor stays the program’s',
  async () => {
    const before = openFds();
    const fd = FileDescriptor.adopt(await listeningSocket({ port: 0, host: '127.0.0.1' }));
    const error = await rejection(listen({ fd }));
    assert.instance(error, InvalidArgumentError);
    assert.match((error as Error).message, /clients cannot be verified over TCP/);
    assert.not.ok(fd.closed);
    fd.close();
    await assertNoFdsLeft(before);
  },
);

test('either an address or a descriptor is required', async () => {
  assert.match(String(await rejection(listen({}))), /address: required, unless `fd` is given/);
  assert.match(
    String(await rejection(listen({ address: 'unix:path=/x', fd: 3 }))),
    /address: cannot be combined with `fd`/,
  );
  assert.instance(await rejection(listen({ fd: -1 })), InvalidArgumentError);
  assert.match(String(await rejection(listen({ fd: 2_000_000 }))), /it is not open/);
});

test('the variables of the environment name the sockets', () => {
  const env = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'control:' };
  assert.equal(socketsOf(env, 7), [
    { fd: 3, name: 'control' },
    { fd: 4, name: '' },
  ]);
  assert.equal(socketsOf({ ...env, LISTEN_FDNAMES: undefined }, 7), [
    { fd: 3, name: 'unknown' },
    { fd: 4, name: 'unknown' },
  ]);
});

test('sockets of another process, and none, are none', () => {
  for (const [env, reason] of [
    [{}, /LISTEN_PID and LISTEN_FDS are not set/],
    [{ LISTEN_PID: '8', LISTEN_FDS: '1' }, /for process 8, and this is process 7/],
    [{ LISTEN_PID: '7', LISTEN_FDS: '0' }, /LISTEN_FDS is 0/],
  ] as const) {
    assert.equal(socketsOf(env, 7), []);
    assert.match(socketsOf(env, 7, true) as string, reason);
  }
});

test('variables that contradict each other are an error', () => {
  for (const env of [
    { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'one' },
    { LISTEN_PID: 'x', LISTEN_FDS: '2' },
    { LISTEN_PID: '7', LISTEN_FDS: '-1' },
  ]) {
    assert.instance(
      thrown(() => socketsOf(env, 7)),
      ListenError,
    );
  }
});

test('without sockets, `systemd:` says so; it takes no keys', async () => {
  assert.equal(inheritedSockets(), []);
  const error = await rejection(listen({ address: 'systemd:' }));
  assert.instance(error, ListenError);
  assert.match((error as Error).message, /systemd:: the service manager passed no socket/);
  assert.match(String(await rejection(listen({ address: 'systemd:name=x' }))), /the key "name" is unknown/);
});

const SERVICE = `
  import { implement, defineInterface, inheritedSockets, listen } from ${JSON.stringify(libraryEntry)};
  const Example = defineInterface('org.example.Peer', { methods: { Echo: { in: 'v', out: 'v' } } });
  console.log('names', inheritedSockets().map(({ name }) => name).join(' '));
  const server = await listen({
    address: 'systemd:',
    onConnection(peer) {
      peer.export('/org/example/peer', implement(Example, { Echo: (value) => value }));
    },
  });
  console.log('listens', server.address);
  console.log('variables', Object.keys(process.env).filter((name) => name.startsWith('LISTEN_')).length);
  process.stdin.resume().on('end', () => void server.close());
`;

testUnless(noActivation, test, 'systemd starts the server with its sockets, which stay when it ends', async () => {
  const paths = ['one', 'two'].map((name) => join(folder, `activated-${name}`));
  await using program = Program.start(
    programPath('systemd-socket-activate') as string,
    [
      ...paths.map((path) => `--listen=${path}`),
      '--fdname=control:data',
      ...[process.execPath, ...moduleArguments(SERVICE)],
    ],
    { env: { NODE_OPTIONS: undefined } },
  );
  // The program that listens for systemd starts the service when the first client connects.
  await until(() => /Listening on .*two/.test(program.stderr));
  const clients = [];
  for (const path of paths) {
    const peer = await connect({ address: `unix:path=${path}`, peer: true });
    assert.is(await peer.proxy(Example, PATH).call.Echo(path), path);
    clients.push(peer);
  }
  assert.is(await program.line(/^names/), 'names control data');
  const address = await program.line(/^listens/);
  for (const path of paths) assert.match(address, path);
  assert.is(await program.line(/^variables/), 'variables 0');
  await Promise.all(clients.map((peer) => peer.close()));
  assert.ok(paths.every(existsSync));
});

const ACCEPTED = `
  import { connect, implement, defineInterface, inheritedSockets } from ${JSON.stringify(libraryEntry)};
  const Example = defineInterface('org.example.Peer', { methods: { Echo: { in: 'v', out: 'v' } } });
  const [{ fd }] = inheritedSockets();
  const peer = await connect({ fd, peer: true, handshake: 'server' });
  peer.export('/org/example/peer', implement(Example, { Echo: (value) => value }));
  console.log('accepted', peer.peerCredentials.pid);
`;

testUnless(
  noActivation,
  test,
  'systemd starts a program for each connection, which is the server of one client',
  async () => {
    const path = join(folder, 'accepting');
    await using program = Program.start(
      programPath('systemd-socket-activate') as string,
      ['--accept', `--listen=${path}`, process.execPath, ...moduleArguments(ACCEPTED)],
      { env: { NODE_OPTIONS: undefined } },
    );
    await until(() => /Listening on .*accepting/.test(program.stderr));
    for (const text of ['one', 'two']) {
      const peer = await connect({ address: `unix:path=${path}`, peer: true });
      assert.is(await peer.proxy(Example, PATH).call.Echo(text), text);
      assert.is(await program.line(/^accepted/), `accepted ${process.pid}`);
      await peer.close();
    }
  },
);

test.run();
