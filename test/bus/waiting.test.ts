// connect({ wait: true }): sockets in folders that come and go, files that servers left behind, abstract names, and the ends of
// waiting.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectError, type ConnectionEvent, connect, listen, type PeerServer } from '../../src/index.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';

const test = suite('waiting for a server');
const root = mkdtempSync(join(tmpdir(), 'busbar-waiting-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

let made = 0;
/** A folder that does not exist yet. */
const newFolder = () => join(root, `folder-${++made}`);

/** The attempts to connect that began meanwhile. */
class Attempts implements Disposable {
  count = 0;
  readonly #note = (event: unknown) => {
    if ((event as ConnectionEvent).state === 'connecting') this.count++;
  };

  constructor() {
    subscribe('busbar:connection', this.#note);
  }

  [Symbol.dispose](): void {
    unsubscribe('busbar:connection', this.#note);
  }
}

/** A server that accepts and keeps its clients. */
const serve = (path: string) => listen({ address: `unix:path=${path}`, onConnection: () => {} });

/** A socket that no process listens on, as a killed server leaves it. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.new`, resolve));
  renameSync(`${path}.new`, path);
  await new Promise((resolve) => server.close(resolve));
}

const peerAt = (path: string, options = {}) =>
  connect({ address: `unix:path=${path}`, peer: true, wait: true, ...options });

test('it waits for a folder two levels below one that exists, and for the socket in it', async () => {
  const folder = newFolder();
  const path = join(folder, 'deep', 'socket');
  const attempt = peerAt(path);
  await delay(20);
  mkdirSync(folder);
  await delay(20);
  mkdirSync(join(folder, 'deep'));
  await delay(20);
  await using _server = await serve(path);
  await using peer = await attempt;
  assert.is(peer.state, 'open');
});

test('nothing is tried while nothing happens to the socket', async () => {
  const folder = newFolder();
  mkdirSync(folder);
  using attempts = new Attempts();
  const aborting = new AbortController();
  const attempt = peerAt(join(folder, 'socket'), { signal: aborting.signal });
  await until(() => attempts.count > 0);
  await delay(50);
  const { count } = attempts;
  for (let i = 0; i < 20; i++) {
    writeFileSync(join(folder, `other-${i}`), '');
    await delay(2);
  }
  assert.is(attempts.count, count);
  aborting.abort(new Error('enough'));
  assert.is(((await rejection(attempt)) as Error).message, 'enough');
});

test('it waits for a server at a socket that a killed one left behind', async () => {
  const folder = newFolder();
  mkdirSync(folder);
  const path = join(folder, 'socket');
  await leaveSocket(path);
  const attempt = peerAt(path);
  await delay(50);
  await using _server = await serve(path);
  await using peer = await attempt;
  assert.is(peer.state, 'open');
});

test('it waits for abstract names and TCP ports', async () => {
  const name = `busbar-waiting-${process.pid}`;
  const attempt = connect({ address: `unix:abstract=${name}`, peer: true, wait: true });
  await delay(50);
  await using _server = await listen({ address: `unix:abstract=${name}`, onConnection: () => {} });
  await using peer = await attempt;
  assert.is(peer.state, 'open');

  const taken = await listen({ address: 'tcp:host=127.0.0.1', anonymous: true, onConnection: () => {} });
  const address = taken.address.replace(/,guid=.*/, '');
  await taken.close();
  const overTcp = connect({ address, peer: true, anonymous: true, wait: true });
  await delay(50);
  await using _tcp = await listen({ address, anonymous: true, onConnection: () => {} });
  await using tcpPeer = await overTcp;
  assert.is(tcpPeer.state, 'open');
});

test('it waits for a bus, and for the first of two addresses that appears', async () => {
  await using daemon = await PrivateBus.start();
  await daemon.kill();
  const attempt = connect({ address: `unix:path=${join(newFolder(), 'none')};${daemon.address}`, wait: true });
  await delay(50);
  await daemon.restart();
  await using bus = await attempt;
  assert.ok((await bus.listNames()).includes(bus.uniqueName as string));
});

test('it waits no longer than `timeout`, and leaves nothing open', async () => {
  const before = openFds();
  const error = await rejection(peerAt(join(newFolder(), 'socket'), { timeout: 50 }));
  assert.instance(error, ConnectError);
  assert.match((error as Error).message, /could be made within 50 ms:\n.*ENOENT/);
  await assertNoFdsLeft(before);
});

test('without `timeout` it waits until its signal aborts, and leaves nothing open', async () => {
  const before = openFds();
  const error = await rejection(peerAt(join(newFolder(), 'socket'), { signal: AbortSignal.timeout(50) }));
  assert.is((error as Error).name, 'TimeoutError');
  await assertNoFdsLeft(before);
});

test('a server that is there and rejects the client is not waited for', async () => {
  const path = join(root, 'web');
  const server = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  assert.instance(await rejection(peerAt(path)), ConnectError);
  assert.match(String(await rejection(connect({ address: 'unix:tmpdir=/tmp', wait: true }))), /no connection/);
  await new Promise((resolve) => server.close(resolve));
});

/** What happens around the socket before the server listens. */
const steps: readonly ((folder: string, path: string) => Promise<void> | void)[] = [
  (folder) => void mkdirSync(folder, { recursive: true }),
  (folder) => rmSync(folder, { recursive: true, force: true }),
  (folder, path) => {
    mkdirSync(folder, { recursive: true });
    rmSync(path, { force: true, recursive: true });
    return leaveSocket(path);
  },
  () => delay(3),
];

for (let seed = 1; seed <= 12; seed++) {
  test(`whatever happens to the folder and the file before: seed ${seed}`, async () => {
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 16) % below;
    };
    const folder = join(newFolder(), 'inner');
    const path = join(folder, 'socket');
    const attempt = peerAt(path);
    for (let i = 0; i < 6; i++) await steps[random(steps.length)]?.(folder, path);
    mkdirSync(folder, { recursive: true });
    const server: PeerServer = await serve(path);
    const peer = await attempt;
    assert.is(peer.state, 'open');
    await peer.close();
    await server.close();
  });
}

test.run();
