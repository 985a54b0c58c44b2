// Admission to a server of peers by the user of the client: other users, and users without an id in a namespace.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectError, type Credentials, connect, type ListenOptions, type PeerServer } from '../../src/index.js';
import { libraryEntry, missingInRuntime, moduleArguments } from '../helpers/own-runtime.js';
import { canCall, serve } from '../helpers/peer-admission.js';
import { folder } from '../helpers/peers.js';
import { Program, run } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('admission of other users');

const NOBODY = 65_534;
const notRoot = process.getuid?.() === 0 ? undefined : 'only root can become another user';

/** The outcome of another user's attempt to connect: `in`, or the text of the error. */
async function attemptOf(uid: number, server: PeerServer, anonymous = false): Promise<string> {
  const script = `
    import { connect } from ${JSON.stringify(libraryEntry)};
    await connect({ address: ${JSON.stringify(server.address)}, peer: true, anonymous: ${anonymous} }).then(
      (bus) => { console.log('in'); return bus.close(); },
      (error) => console.log(error.message),
    );
  `;
  // tsx caches what it compiled in a folder of the user.
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
  assert.match(text, 'the peer rejected this user');
  assert.is(await canCall(server), true);
});

/** Why no program can run as a user of a namespace without that user id; `undefined` if one can. */
function missingNamespaces(): string | undefined {
  const { status, stdout } = spawnSync('unshare', ['--user', 'id', '-u'], { encoding: 'utf8' });
  return status === 0 && stdout === `${NOBODY}\n` ? undefined : 'unshare --user does not work here';
}

testUnless(
  notRoot ??
    missingInRuntime({ bun: 'the program is run by unshare', deno: 'the program is run by unshare' }) ??
    missingNamespaces(),
  test,
  'a server whose user has no id in its namespace does not mistake a client for that user',
  async () => {
    const address = publicAddress();
    chmodSync(dirname(address.replace('unix:path=', '')), 0o777);
    const script = `
      import { chmodSync } from 'node:fs';
      import { listen } from ${JSON.stringify(libraryEntry)};
      const server = await listen({ address: '${address}', onConnection: () => console.log('in') });
      chmodSync('${address.replace('unix:path=', '')}', 0o666);
      console.log('uid', process.geteuid(), server.address);
    `;
    const env = { TSX_DISABLE_CACHE: '1', HOME: '/nonexistent' };
    const program = Program.start('unshare', ['--user', process.execPath, ...moduleArguments(script)], { env });
    const [, uid, own] = (await program.line('uid')).split(' ');
    assert.is(uid, String(NOBODY));
    // As root, and as a user that exists in neither namespace.
    assert.instance(await rejection(connect({ address: own as string, peer: true })), ConnectError);
    assert.match(await attemptOf(4321, { address: own } as PeerServer), 'the peer rejected this user');
    await program.stop();
    assert.equal((await program.finished).stdout.match(/^in$/m), null);
  },
);

testUnless(notRoot, test, 'anonymous accepts every user, with or without an identity', async () => {
  await using server = await servePublicly({ anonymous: true });
  assert.is(await attemptOf(NOBODY, server), 'in');
  assert.is(await attemptOf(NOBODY, server, true), 'in');
});

testUnless(notRoot, test, 'a server of another user lets root in', async () => {
  const address = publicAddress();
  chmodSync(dirname(address.replace('unix:path=', '')), 0o777);
  const script = `
    import { listen } from ${JSON.stringify(libraryEntry)};
    const server = await listen({ address: '${address}', onConnection: () => {} });
    console.log(server.address);
  `;
  const env = { TSX_DISABLE_CACHE: '1', HOME: '/nonexistent' };
  await using program = Program.start(process.execPath, moduleArguments(script), { uid: 4321, gid: 4321, env });
  const peer = await connect({ address: await program.line('unix:'), peer: true });
  assert.is(peer.peerCredentials?.uid, 4321);
  await peer.close();
});

testUnless(notRoot, test, 'a server of the user nobody accepts that user where every user has an id', async () => {
  const address = publicAddress();
  const path = address.replace('unix:path=', '');
  chmodSync(dirname(path), 0o777);
  const script = `
    import { connect, listen } from ${JSON.stringify(libraryEntry)};
    const server = await listen({ address: '${address}', onConnection: () => {} });
    const client = await connect({ address: server.address, peer: true });
    console.log(process.geteuid(), client.state);
    process.exit();
  `;
  const env = { TSX_DISABLE_CACHE: '1', HOME: '/nonexistent' };
  const { stdout, stderr } = await run(process.execPath, moduleArguments(script), { uid: NOBODY, gid: NOBODY, env });
  assert.is(stdout, `${NOBODY} open\n`, stderr);
});

testUnless(notRoot, test, 'allow accepts another user, by credentials that the kernel verified', async () => {
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

test.run();
