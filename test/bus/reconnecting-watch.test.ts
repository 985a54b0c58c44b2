// The file of the socket of a bus that is away: a bus that is back is found at once, whatever the delay.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConnectionEvent, connect, listen, type MessageBus, type PeerServer } from '../../src/index.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { bringBack, connectAgain, lose, restoredOf } from '../helpers/reconnecting.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('watching for a bus that is away');
const root = mkdtempSync(join(tmpdir(), 'busbar-away-'));
test.after(() => rmSync(root, { recursive: true, force: true }));

/** No test waits as long: only a change of the file ends the pause. */
const NEVER = 3_600_000;
const SLOW = { minDelay: NEVER, maxDelay: NEVER };

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  testUnless(PrivateBus.missing({ daemon }), test, `${daemon} that is back is found without a delay`, async () => {
    await using server = await PrivateBus.start({ daemon });
    const bus = await connectAgain(server, { reconnect: SLOW });
    for (let round = 0; round < 3; round++) {
      await lose(server, bus);
      await bringBack(server, bus);
      assert.ok((await bus.listNames()).includes(bus.uniqueName as string));
    }
    await bus.close();
  });
}

let made = 0;

/** A server that comes and goes, and a peer of it that reconnects. */
class Served implements AsyncDisposable {
  readonly path = join(root, `folder-${++made}`, 'inner', 'socket');
  readonly #connecting: string[] = [];
  readonly #note = (event: unknown) => {
    const { state, address } = event as ConnectionEvent;
    if (state === 'connecting' && address?.includes(this.path)) this.#connecting.push(address);
  };
  #server: PeerServer | undefined;
  peer!: MessageBus;

  static async start(reconnect: object): Promise<Served> {
    const served = new Served();
    subscribe('busbar:connection', served.#note);
    await served.serve();
    served.peer = await connect({ address: `unix:path=${served.path}`, peer: true, reconnect });
    return served;
  }

  /** How many attempts there were. */
  get attempts(): number {
    return this.#connecting.length;
  }

  async serve(): Promise<void> {
    mkdirSync(dirname(this.path), { recursive: true });
    this.#server = await listen({ address: `unix:path=${this.path}`, onConnection: () => {} });
  }

  /** Ends the server, which removes the file. */
  async leave(): Promise<void> {
    await this.#server?.close({ drain: 0 });
    await until(() => this.peer.state === 'away');
  }

  /** Starts the server again, and resolves when the peer is back. */
  async back(): Promise<void> {
    const restored = restoredOf(this.peer);
    const alive = setInterval(() => {}, 1000);
    await this.serve();
    await restored;
    clearInterval(alive);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    unsubscribe('busbar:connection', this.#note);
    await this.peer.close();
    await this.#server?.close();
  }
}

/** A socket that no process listens on, as a killed server leaves it. */
async function leaveSocket(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.new`, resolve));
  renameSync(`${path}.new`, path);
  await new Promise((resolve) => server.close(resolve));
}

test('a peer whose folder comes and goes is found', async () => {
  const before = openFds();
  {
    await using served = await Served.start(SLOW);
    for (let round = 0; round < 3; round++) {
      await served.leave();
      rmSync(dirname(dirname(served.path)), { recursive: true, force: true });
      await served.back();
    }
  }
  await assertNoFdsLeft(before);
});

test('nothing is tried while nothing happens to the socket, and while its file is missing', async () => {
  await using served = await Served.start(SLOW);
  await served.leave();
  await delay(20);
  const { attempts } = served;
  for (let count = 0; count < 10; count++) {
    writeFileSync(join(dirname(served.path), `other-${count}`), '');
    rmSync(served.path, { force: true });
    await delay(2);
  }
  assert.is(served.attempts, attempts);
  await served.back();
  assert.ok(served.attempts > attempts);
});

test('after a change it tries again a few times, because a server may listen later', async () => {
  await using served = await Served.start(SLOW);
  await served.leave();
  await delay(20);
  const { attempts } = served;
  await leaveSocket(served.path);
  // No attempt of these is the last one allowed; the transport sd-bus makes two of each.
  await until(() => served.attempts > attempts + 2);
  assert.is(served.peer.state, 'away');
  await served.back();
});

test('early attempts do not count', async () => {
  await using served = await Served.start({ ...SLOW, attempts: 1 });
  let gaveUp = 0;
  served.peer.watchConnection({ gaveUp: () => void gaveUp++ });
  await served.leave();
  const { attempts } = served;
  for (let count = 1; count <= 3; count++) {
    rmSync(served.path, { force: true });
    await leaveSocket(served.path);
    await until(() => served.attempts >= attempts + count);
  }
  assert.equal([served.peer.state, gaveUp], ['away', 0]);
  await served.back();
});

test('a bus that is closed while away watches no more', async () => {
  const before = openFds();
  const served = await Served.start(SLOW);
  await served.leave();
  await served.peer.close();
  const { attempts } = served;
  await served.serve();
  await delay(30);
  assert.is(served.attempts, attempts);
  await served[Symbol.asyncDispose]();
  await assertNoFdsLeft(before);
});

test('an abstract name, which has no file, is tried after the delay', async () => {
  const address = `unix:abstract=busbar-away-${process.pid}`;
  const serve = () => listen({ address, onConnection: () => {} });
  const server = await serve();
  const peer = await connect({ address, peer: true, reconnect: { minDelay: 1, maxDelay: 5 } });
  peer.ref();
  await server.close({ drain: 0 });
  await until(() => peer.state === 'away');
  const restored = restoredOf(peer);
  await using _next = await serve();
  await restored;
  await peer.close();
});

/** What happens around the socket while the peer is away. */
const steps: readonly ((path: string) => Promise<void> | void)[] = [
  (path) => rmSync(dirname(path), { recursive: true, force: true }),
  (path) => rmSync(dirname(dirname(path)), { recursive: true, force: true }),
  (path) => void mkdirSync(dirname(path), { recursive: true }),
  (path) => {
    rmSync(path, { recursive: true, force: true });
    return leaveSocket(path);
  },
  (path) => {
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { recursive: true, force: true });
    writeFileSync(path, 'no socket');
  },
  () => delay(3),
];

for (let seed = 1; seed <= 12; seed++) {
  test(`whatever happens to the folder and the file meanwhile: seed ${seed}`, async () => {
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 16) % below;
    };
    await using served = await Served.start(SLOW);
    for (let round = 0; round < 2; round++) {
      await served.leave();
      for (let count = 0; count < 6; count++) await steps[random(steps.length)]?.(served.path);
      rmSync(served.path, { recursive: true, force: true });
      await served.back();
      assert.is(served.peer.state, 'open');
    }
  });
}

test.run();
