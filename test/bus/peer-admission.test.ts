// Who may come in to a server of peers: by user, by name, by number, and by time.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { chmodSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectError,
  type Credentials,
  connect,
  type ListenOptions,
  listen,
  type PeerServer,
  type Problem,
} from '../../src/index.js';
import { assertNoFdsLeft, fdsSince, openFds } from '../helpers/open-fds.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { patience } from '../helpers/patience.js';
import { Example, exampleObject, folder, PATH } from '../helpers/peers.js';
import { run } from '../helpers/program.js';
import { BEGIN_EXTERNAL, RawPeer } from '../helpers/raw-peer.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { wireMessage } from '../helpers/wire.js';

const test = suite('admission of peers');

const NOBODY = 65_534;
const notRoot = process.getuid?.() === 0 ? undefined : 'only root can become another user';

/** A server of the example object. */
function serve(options: Partial<ListenOptions> = {}): Promise<PeerServer> {
  const onConnection: ListenOptions['onConnection'] = (bus) => bus.export(PATH, exampleObject());
  return listen({ address: `unix:tmpdir=${folder}`, onConnection, ...options });
}

async function canCall(server: PeerServer, anonymous = false): Promise<boolean> {
  const client = await connect({ address: server.address, peer: true, anonymous, timeout: 2000 * patience }).catch(
    () => undefined,
  );
  if (client === undefined) return false;
  const answer = await client.proxy(Example, PATH).call.Echo('hello');
  await client.close();
  return answer === 'hello';
}

/** How another user's attempt to connect ends: `in`, or the error's text. */
async function attemptOf(uid: number, server: PeerServer): Promise<string> {
  const script = `
    import { connect } from ${JSON.stringify(libraryEntry)};
    await connect({ address: ${JSON.stringify(server.address)}, peer: true }).then(
      (bus) => { console.log('in'); return bus.close(); },
      (error) => console.log(error.message),
    );
  `;
  // tsx keeps what it compiled in a folder of the user's.
  const env = { TSX_DISABLE_CACHE: '1', HOME: '/nonexistent' };
  const { stdout, stderr } = await run(process.execPath, moduleArguments(script), { uid, gid: uid, env });
  return (stdout + stderr).trim();
}

/** A socket that other users can reach. */
function publicAddress(): string {
  chmodSync(folder, 0o755);
  const parent = mkdtempSync(join(folder, 'public-'));
  chmodSync(parent, 0o755);
  return `unix:path=${join(parent, 'socket')}`;
}

async function servePublicly(options: Partial<ListenOptions> = {}): Promise<PeerServer> {
  const address = publicAddress();
  const server = await serve({ address, ...options });
  chmodSync(address.replace('unix:path=', ''), 0o666);
  return server;
}

testUnless(notRoot, test, 'another user is turned away', async () => {
  await using server = await servePublicly();
  const text = await attemptOf(NOBODY, server);
  assert.match(text, 'while trying to authenticate', text);
  assert.match(text, 'the peer turned this user away');
  assert.is(await canCall(server), true);
});

testUnless(notRoot, test, 'allow lets another user in, by credentials that the kernel vouches for', async () => {
  const asked: (Credentials | undefined)[] = [];
  await using server = await servePublicly({
    allow: (credentials) => {
      asked.push(credentials);
      return credentials?.uid === NOBODY;
    },
  });
  assert.is(await attemptOf(NOBODY, server), 'in');
  assert.is(asked[0]?.uid, NOBODY);
  assert.equal(asked[0]?.gids, [NOBODY]);
  assert.is(await canCall(server), false);
});

test('nothing but true is a permission', async () => {
  const warnings: string[] = [];
  const listener = ({ message }: Error) => warnings.push(message);
  process.on('warning', listener);
  const rejecting = async () => assert.unreachable('as always');
  const refusals = [async () => true, () => 1, () => {}, () => null, rejecting, () => assert.unreachable('as always')];
  for (const allow of refusals as unknown[] as ListenOptions['allow'][]) {
    for (const anonymous of [false, true]) {
      await using server = await serve({ allow, anonymous });
      assert.is(await canCall(server, anonymous), false);
    }
  }
  await using server = await serve({ allow: () => true });
  assert.is(await canCall(server), true);
  process.off('warning', listener);
  // Of the two that fail, each time.
  assert.equal(warnings.length, 4);
});

test('somebody who does not say who it is is let in only where that is asked for', async () => {
  await using strict = await serve();
  assert.is(await canCall(strict, true), false);
  await using lenient = await serve({ anonymous: true });
  assert.is(await canCall(lenient, true), true);
  assert.is(await canCall(lenient), true);
});

test('over TCP only who does not say who it is is let in', async () => {
  await using server = await serve({ address: 'tcp:host=127.0.0.1', anonymous: true });
  assert.is(await canCall(server, true), true);
  const asked: unknown[] = [];
  await using choosy = await serve({
    address: 'tcp:host=127.0.0.1',
    anonymous: true,
    allow: (credentials) => asked.push(credentials) === 0,
  });
  assert.is(await canCall(choosy, true), false);
  assert.equal(asked, [undefined]);
});

test('a peer cannot claim to be another user', async () => {
  await using server = await serve();
  const peer = await RawPeer.connect(server.address);
  const other = Buffer.from(String((process.getuid?.() ?? 0) + 1)).toString('hex');
  peer.write(`\0AUTH EXTERNAL ${other}\r\n`);
  assert.match(await peer.until('\n'), /^REJECTED/);
  peer.write('AUTH ANONYMOUS 00\r\n');
  assert.match(await peer.until('\nREJECTED'), /\nREJECTED/);
  // sd-bus answers with an error, where the specification asks to hang up.
  peer.write('BEGIN\r\n');
  assert.not.match(await peer.until('ERROR'), 'OK');
  assert.is(server.connections.size, 0);
  peer.close();
});

test('calls that come together with the end of the handshake are answered, whatever sender they claim', async () => {
  const senders: unknown[] = [];
  await using server = await serve({
    onConnection: (bus) => {
      bus.addMessageHandler(({ sender }) => void senders.push(sender));
      bus.export(PATH, exampleObject());
    },
  });
  const peer = await RawPeer.connect(server.address);
  const call = { type: 1, path: PATH, interface: 'org.example.Peer', member: 'Who', sender: 'org.freedesktop.DBus' };
  peer.write(Buffer.concat([Buffer.from(BEGIN_EXTERNAL, 'latin1'), wireMessage({ ...call, serial: 7 })]));
  const { replySerial, signature, body } = await peer.message();
  assert.equal([replySerial, signature], [7, 'uu']);
  assert.equal([body.readUInt32LE(0), body.readUInt32LE(4)], [process.getuid?.(), process.pid]);
  assert.equal(senders, [undefined]);
  peer.close();
});

test('bytes that are no handshake end the connection', async () => {
  await using server = await serve();
  const peer = await RawPeer.connect(server.address);
  peer.write('GET / HTTP/1.1\r\n\r\n');
  await peer.ended;
  const endless = await RawPeer.connect(server.address);
  endless.write(`\0${'A'.repeat(200_000)}`);
  await endless.ended;
  assert.is(await canCall(server), true);
});

test('who does not authenticate in time is turned away', async () => {
  const wrong = '\0AUTH EXTERNAL 39393939\r\n';
  await using server = await serve({ authenticationTimeout: 200 });
  const [silent, rejected] = [await RawPeer.connect(server.address), await RawPeer.connect(server.address)];
  const started = performance.now();
  rejected.write(wrong);
  assert.is(await silent.ended, '');
  // Whether the answer comes first is for the machine: it does where there is time for it.
  await rejected.ended;
  assert.ok(performance.now() - started < 2000 * patience);
  await using unhurried = await serve({ authenticationTimeout: 60_000 * patience });
  const answered = await RawPeer.connect(unhurried.address);
  answered.write(wrong);
  assert.match(await answered.until('REJECTED'), /^REJECTED/);
});

test('where one too many authenticates, the oldest has to go', async () => {
  await using server = await serve({ maxUnauthenticated: 3 });
  const peers = [];
  for (let i = 0; i < 5; i++) peers.push(await RawPeer.connect(server.address));
  await Promise.all(peers.slice(0, 2).map((peer) => peer.ended));
  assert.is(await canCall(server), true);
  const last = peers[4] as RawPeer;
  last.write(BEGIN_EXTERNAL);
  assert.match(await last.until('OK '), 'OK ');
  for (const peer of peers) peer.close();
});

test('ten thousand connections that say nothing keep nobody out, and leave nothing behind', async () => {
  await using server = await serve();
  assert.is(await canCall(server), true);
  const before = openFds();
  const ended: Promise<string>[] = [];
  for (let i = 0; i < 10_000; i++) {
    const peer = await RawPeer.connect(server.address);
    ended.push(peer.ended);
    if (i % 1000 === 999) assert.is(await canCall(server), true);
  }
  // Both ends of 64 connections are open, once those in the queue were accepted too.
  const deadline = performance.now() + 2000 * patience;
  while (fdsSince(before).length > 140 && performance.now() < deadline) await new Promise((go) => setTimeout(go, 5));
  assert.ok(fdsSince(before).length <= 140);
  await server.close();
  await Promise.all(ended);
  await assertNoFdsLeft(before);
});

test('more connections than wanted are turned away, until one closes', async () => {
  await using server = await serve({ maxConnections: 2 });
  const open = await Promise.all([1, 2].map(() => connect({ address: server.address, peer: true })));
  // A client is connected as soon as it has said its last word; who is answered was let in.
  for (const client of open) await client.proxy(Example, PATH).call.Echo('hello');
  assert.instance(await rejection(connect({ address: server.address, peer: true })), ConnectError);
  await open[0]?.close();
  // The server hears of it in its own time.
  while (server.connections.size > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.is(await canCall(server), true);
});

test('those who connect at the same time are not let in beyond the limit either', async () => {
  const turnedAway: Problem[] = [];
  const hear = (problem: unknown) => void turnedAway.push(problem as Problem);
  subscribe('busbar:problem', hear);
  await using server = await serve({ maxConnections: 2 });
  const attempts = await Promise.allSettled(
    Array.from({ length: 20 }, () => connect({ address: server.address, peer: true })),
  );
  const clients = attempts.filter(isFulfilled).map(({ value }) => value);
  const answers = await Promise.allSettled(clients.map((client) => client.proxy(Example, PATH).call.Echo('hello')));
  assert.is(answers.filter(isFulfilled).length, 2);
  assert.is(server.connections.size, 2);
  assert.is(turnedAway.filter(({ kind }) => kind === 'peer').length, 18);
  unsubscribe('busbar:problem', hear);
  await Promise.all(clients.map((client) => client.close()));
});

function isFulfilled<T>(result: PromiseSettledResult<T>): result is PromiseFulfilledResult<T> {
  return result.status === 'fulfilled';
}

test.run();
