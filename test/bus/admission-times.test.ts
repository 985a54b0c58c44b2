// time limit: 60 s
// How long connecting and authenticating may take, how many clients authenticate at the same time, and how many wait in the
// queue, by default: as SECURITY.md states it.
import { readFileSync } from 'node:fs';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectError, connect, type ListenOptions, listen, TimeoutError } from '../../src/index.js';
import { FakeBus } from '../helpers/fake-bus.js';
import { patience } from '../helpers/patience.js';
import { folder } from '../helpers/peers.js';
import { RawPeer } from '../helpers/raw-peer.js';
import { rejection } from '../helpers/rejection.js';

const test = suite('times and queue of admission');

const serve = (options: Partial<ListenOptions> = {}) =>
  listen({ address: `unix:tmpdir=${folder}`, onConnection: () => {}, ...options });

/** Milliseconds until a promise settles. Timers of the runtime count in whole ones. */
async function timeOf(promise: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await promise;
  return performance.now() - start + 1;
}

test('without a timeout, connecting, the reply to Hello, and the authentication of a client have ten seconds each', async () => {
  const silent = createServer((socket) => void socket.resume());
  const path = join(folder, 'silent');
  await new Promise<void>((resolve) => silent.listen(path, resolve));
  await using bus = await FakeBus.start({ answer: (call) => (call.member === 'Hello' ? 'silence' : undefined) });
  await using server = await serve();
  const begun = await RawPeer.connect(server.address);
  begun.write('\0AUTH');

  const connecting = rejection(connect({ address: `unix:path=${path}` }));
  const greeting = rejection(connect({ address: bus.address }));
  const times = await Promise.all([connecting, greeting, begun.ended].map(timeOf));
  for (const [index, time] of times.entries()) {
    // The server's clock of a client begins when it accepts it, which is a moment before.
    assert.ok(time >= 9900 && time < 10_000 + 5000 * patience, `${index}: ${time} ms`);
  }
  assert.instance(await connecting, ConnectError);
  assert.instance((await greeting).cause, TimeoutError);
  await new Promise((resolve) => silent.close(resolve));
});

test('while others wait, a silent client has 1/64 of the time to authenticate, but 100 ms at least and 2 s at most', async () => {
  const times = [
    [1000, 100],
    [38_400, 600],
    [3_600_000, 2000],
  ] as const;
  const ends = times.map(async ([authenticationTimeout, most]) => {
    const server = await serve({ authenticationTimeout, limits: { unauthenticated: 1 } });
    // From before it connects: it may learn late that it is connected.
    const connecting = RawPeer.connect(server.address);
    const ended = timeOf(connecting.then((first) => first.ended));
    await connecting;
    const second = await RawPeer.connect(server.address);
    const time = await ended;
    second.close();
    await server.close();
    // A watch that looks at intervals of half the time notices it between the half and the whole.
    assert.ok(time >= most / 2, `${most} ms: it was rejected after ${time} ms`);
    assert.ok(time < most + 400 * patience, `${most} ms: it was rejected after ${time} ms`);
  });
  await Promise.all(ends);
});

test('64 clients authenticate at the same time, and the next one waits until one of them is done', async () => {
  await using server = await serve({ authenticationTimeout: 600_000 });
  const begin = async () => {
    const peer = await RawPeer.connect(server.address);
    peer.write('\0AUTH EXTERNAL\r\n');
    return peer;
  };
  const places = await Promise.all(Array.from({ length: 64 }, begin));
  for (const peer of places) assert.match(await peer.until('DATA'), 'DATA');
  const next = await begin();
  let isAnswered = false;
  const answer = next.until('DATA').then((text) => {
    isAnswered = true;
    return text;
  });
  // Others are answered meanwhile, a word after the other.
  for (const peer of places.slice(0, 10)) {
    peer.write('CANCEL\r\n');
    assert.match(await peer.until('REJECTED'), 'REJECTED');
  }
  assert.is(isAnswered, false);
  places[63]?.close();
  assert.match(await answer, 'DATA');
  for (const peer of [...places, next]) peer.close();
});

/** The kernel's own limit of a queue. */
const SOMAXCONN = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));

test('4096 clients wait in the queue, or as many as the kernel lets wait', async () => {
  await using server = await serve({ limits: { unauthenticated: 1 }, authenticationTimeout: 600_000 });
  const [, path = ''] = /path=([^,]+)/.exec(server.address) ?? [];
  const first = await RawPeer.connect(server.address);
  // This client takes the only place, and keeps it because it has sent something.
  first.write('\0AUTH EXTERNAL\r\n');
  await first.until('DATA');
  const waiting: Socket[] = [];
  let error: NodeJS.ErrnoException | undefined;
  while (error === undefined && waiting.length < 6000) {
    const socket = connectSocket({ path });
    error = await new Promise((resolve) => socket.once('connect', () => resolve(undefined)).once('error', resolve));
    socket.on('error', () => {});
    if (error === undefined) waiting.push(socket);
  }
  // Bun gives every connection that fails this code.
  assert.is(error?.code, process.versions.bun === undefined ? 'EAGAIN' : 'ECONNREFUSED');
  // The queue of the kernel is full when it has one more.
  assert.is(waiting.length, Math.min(4096, SOMAXCONN) + 1);
  for (const socket of waiting) socket.destroy();
  first.close();
});

test.run();
