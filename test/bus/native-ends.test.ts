/** How a connection of the native binding ends: by close, by a loss, and with its process or worker. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pollerKind, transportKind } from '../../src/native/runtime.js';
import { fdsLeakedByWorker } from '../helpers/own-runtime.js';
import { projectRoot } from '../helpers/paths.js';
import { HELLO, message } from './native/bytes.js';
import { Client } from './native/client.js';
import { type Bus, folder, startBus, stopBus } from './native/own-bus.js';

const test = suite('native ends');

let bus: Bus;
test.before(async () => {
  bus = await startBus();
});
test.after(() => stopBus(bus));

const connect = () => Client.connect(bus.address);

test('close reports once, before it returns, and may be called again', async () => {
  const client = await connect();
  client.native.close();
  assert.is(client.calls.at(-1), 'close');
  assert.equal(await client.closed, [0, 'open']);
  client.native.close();
  client.native.flush(10);
  client.native.ref();
  client.native.unref();
  assert.is(client.send(HELLO), 0);
  assert.is(client.calls.filter((call) => call === 'close').length, 1);
});

test('close before the connection is open reports the phase', async () => {
  const client = new Client(bus.address);
  assert.is(client.native.start(), 0);
  client.native.close();
  assert.equal(await client.closed, [0, 'authenticate']);
  assert.equal(client.calls, ['close']);
});

test('messages sent right before close arrive', async () => {
  const receiver = await connect();
  const sender = await connect();
  const fields = { type: 4, path: '/a', interface: 'a.b', member: 'C', destination: receiver.uniqueName };
  for (let serial = 2; serial < 52; serial++) sender.send(message({ ...fields, serial }));
  sender.native.close();
  await receiver.until(50);
  await receiver.close();
});

test('a killed bus is a loss', async () => {
  const own = await startBus();
  const client = await Client.connect(own.address);
  own.process.kill('SIGKILL');
  assert.equal(await client.closed, [104, 'open']);
  client.send(HELLO);
  client.native.close();
});

test('a missing socket fails in start, and nothing is called', () => {
  const client = new Client('unix:path=/nonexistent/socket');
  assert.is(client.native.start(), 2);
  client.native.close();
  assert.equal(client.calls, []);
});

test('a server that hangs up during authentication is a loss in that phase', async () => {
  const path = join(folder, 'rude');
  const server = createServer((socket) => socket.destroy()).listen(path);
  await once(server, 'listening');
  const client = new Client(`unix:path=${path}`);
  assert.is(client.native.start(), 0);
  const [errno, phase] = await client.closed;
  assert.is(phase, 'authenticate');
  assert.ok(errno > 0);
  server.close();
});

/**
 * A program that connects with the bare addon, for other threads and processes; `connection` and `HELLO` are variables of
 * it.
 */
function program(address: string, rest: string): string {
  return `
    const addon = require('node-gyp-build')(${JSON.stringify(projectRoot)});
    const address = ${JSON.stringify(address)};
    const HELLO = Uint8Array.from(${JSON.stringify([...HELLO])});
    const connect = (events = {}) => {
      addon.useBatchMemory(() => ({
        arena: new ArrayBuffer(65536), rows: new Int32Array(4096), strings: new Int32Array(1024), fds: new Int32Array(64),
      }));
      const connection = new addon.Connection({
        address, transport: ${JSON.stringify(transportKind())}, poller: ${JSON.stringify(pollerKind())},
        limits: { messageSize: 2 ** 27, decodedSize: 2 ** 27 },
        onBatch: (memory, from, count) => count, onDrain() {}, onRefused() {}, onClose() {}, ...events,
        onOpen() { connection.send(HELLO, HELLO.length); events.onOpen?.(); },
      });
      connection.start();
      return connection;
    };
    ${rest}`;
}

async function runProgram(rest: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--expose-gc', '-e', program(bus.address, rest)], { cwd: projectRoot });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, output };
}

test('a connection keeps its process alive until it is closed', async () => {
  const result = await runProgram(`
    const connection = connect();
    setTimeout(() => { console.log('alive'); connection.close(); }, 200).unref();`);
  assert.equal(result, { code: 0, output: 'alive\n' });
});

test('an unreferenced connection lets its process exit', async () => {
  const result = await runProgram(`
    const connection = connect({ onBatch(memory, from, count) { connection.unref(); return count; } });`);
  assert.equal(result, { code: 0, output: '' });
});

test('what is noted in a turn decides, when it has ended, whether the connection keeps its process alive', async () => {
  const inTurn = (wanted: number) => `
    const turn = new Int32Array(new ArrayBuffer(8));
    const connection = connect({ turn, onBatch(memory, from, count) {
      if (turn[0] !== connection.number() || turn[1] !== 1) console.log('not its turn', turn);
      turn[1] = ${wanted};
      setImmediate(() => { if (turn[0] !== 0) console.log('still its turn'); });
      return count;
    } });
    setTimeout(() => { console.log('alive'); connection.close(); }, 200).unref();`;
  assert.equal(await runProgram(inTurn(0)), { code: 0, output: '' });
  assert.equal(await runProgram(inTurn(1)), { code: 0, output: 'alive\n' });
});

test('a process may exit at any point of a connection', async () => {
  for (const moment of ['', 'connection.close();', 'connection.flush(10);']) {
    const result = await runProgram(`const connection = connect(); ${moment} process.exit(7);`);
    assert.equal(result, { code: 7, output: '' });
  }
  const inside = await runProgram(`connect({ onBatch: () => process.exit(8) });`);
  assert.equal(inside, { code: 8, output: '' });
});

test('an exception of a callback is uncaught and ends the process', async () => {
  const { code, output } = await runProgram(`connect({ onBatch() { throw new Error('not caught'); } });`);
  assert.is(code, 1);
  assert.match(output, /error: not caught/i);
});

test('closed connections are collected', async () => {
  const result = await runProgram(`
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    const one = () => new Promise((resolve) => {
      const connection = connect({ onBatch(memory, from, count) { connection.close(); return count; }, onClose: resolve });
      registry.register(connection);
    });
    (async () => {
      for (let i = 0; i < 50; i++) await one();
      for (let i = 0; i < 10; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 10)); }
      console.log(collected >= 45 ? 'collected' : collected);
    })();`);
  assert.equal(result, { code: 0, output: 'collected\n' });
});

test('a connected worker can be terminated at any time', async () => {
  const source = program(
    bus.address,
    `const { parentPort } = require('node:worker_threads');
     const flood = (connection) => { for (let i = 0; i < 20; i++) connection.send(HELLO, HELLO.length); };
     for (let i = 0; i < 3; i++) {
       const connection = connect({
         onOpen() { flood(connection); parentPort.postMessage('open'); },
         onBatch(memory, from, count) { flood(connection); return from + 1; },
       });
     }`,
  );
  for (let i = 0; i < 40; i++) {
    const worker = new Worker(source, { eval: true });
    // Sometimes before it has connected, sometimes within its callbacks.
    await (i % 4 === 0 ? once(worker, 'online') : once(worker, 'message'));
    if (i % 4 > 1) await new Promise((resolve) => setTimeout(resolve, i % 4));
    await worker.terminate();
  }
});

test('a worker that ends by itself leaves no descriptor open', async () => {
  const source = program(
    bus.address,
    `const c = connect({ onBatch(memory, from, count) { c.unref(); return count; } });`,
  );
  const sockets = () => readdirSync('/proc/self/fd').length;
  const run = () => once(new Worker(source, { eval: true }), 'exit');
  await run();
  const before = sockets();
  for (let i = 0; i < 10; i++) await run();
  assert.ok(sockets() <= before + 10 * fdsLeakedByWorker);
});

test.run();
