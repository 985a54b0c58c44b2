/**
 * The addon through the native binding: messages written by hand, on a private bus. The layers above have their own tests;
 * `native-ends.test.ts` has how connections end.
 */
import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ROW_LENGTH } from '../../src/native/binding.js';
import { loadAddon } from '../../src/native/load.js';
import { pollerKind, transportKind } from '../../src/native/runtime.js';
import { assertNoFdsLeft, inodeOf, openFds } from '../helpers/open-fds.js';
import { missingInRuntime } from '../helpers/own-runtime.js';
import { testUnless } from '../helpers/skip.js';
import { Bytes, HELLO, message } from './native/bytes.js';
import { Client, type Sizes } from './native/client.js';
import { type Bus, folder, startBus, stopBus } from './native/own-bus.js';

const addon = loadAddon();
const test = suite('native');

let bus: Bus;
test.before(async () => {
  bus = await startBus();
});
test.after(() => stopBus(bus));

const connect = (sizes?: Sizes) => Client.connect(bus.address, sizes);

const foreignFds = missingInRuntime({ deno: 'node:fs reads no descriptor that it did not open itself' });

const u32 = (value: number) => new Bytes().u32(value).bytes;

test('it names the sd-bus library that it found', () => {
  assert.match(addon.sdbusLibrary() ?? '', /^lib(systemd|elogind|basu)\.so\.0$/);
});

test('it sends Hello and gets a unique name', async () => {
  const client = await connect();
  assert.match(client.uniqueName, /^:1\.\d+$/);
  await client.close();
});

test('a signal with every basic type returns unchanged', async () => {
  const client = await connect();
  const body = new Bytes().u8(255).u32(1).u16(0x8000).u16(0xffff).u32(0x80000000).u32(0xffffffff);
  body
    .u64(1n << 63n)
    .u64((1n << 64n) - 1n)
    .u64(0x3ff8000000000000n)
    .string('hé 😀')
    .string('/a/b')
    .signature('a{sv}');
  client.signal(2, 'ybnqiuxtdsog', body.bytes);
  await client.until(1);
  assert.is(client.received[0]?.signature, 'ybnqiuxtdsog');
  assert.equal(client.received[0]?.body, body.bytes);
  await client.close();
});

test('several messages of one send arrive in order', async () => {
  const client = await connect();
  const { uniqueName: destination } = client;
  const parts: Uint8Array[] = [];
  for (let serial = 2; serial < 302; serial++) {
    const fields = { type: 4, serial, path: '/a', interface: 'a.b', member: 'C', destination, signature: 'u' };
    const bytes = message({ ...fields, body: u32(serial) });
    parts.push(bytes, new Uint8Array((8 - (bytes.length % 8)) % 8));
  }
  client.send(Buffer.concat(parts));
  await client.until(300);
  assert.equal(
    client.received.map(({ body }) => Buffer.from(body).readUInt32LE()),
    Array.from({ length: 300 }, (_, i) => i + 2),
  );
  await client.close();
});

test('messages are sent from lent memory by the number of the connection, until it ends', async () => {
  const [one, two] = [await connect(), await connect()];
  const outbox = addon.makeOutbox();
  const fields = { type: 4, path: '/a', interface: 'a.b', member: 'C', signature: 'u' };
  for (const [index, sender] of [one, two, one].entries()) {
    const destination = two.uniqueName;
    outbox.lend(message({ ...fields, serial: 2 + index, destination, body: u32(index) }));
    const { length } = message({ ...fields, serial: 2, destination, body: u32(index) });
    assert.is(outbox.send(sender.native.number(), length), undefined);
    assert.throws(() => outbox.send(sender.native.number(), length + 1), /an end within the lent memory/);
  }
  await two.until(3);
  assert.equal(two.received.map(({ body }) => Buffer.from(body).readUInt32LE()).sort(), [0, 1, 2]);
  const number = one.native.number();
  await one.close();
  assert.is(one.native.number(), 0);
  assert.is(outbox.send(number, 8), undefined);
  assert.is(outbox.send(0, 8), undefined);
  for (const wrong of [undefined, 5, new Uint16Array(4)])
    assert.throws(() => Reflect.apply(outbox.lend, outbox, [wrong]), /lend takes a Uint8Array/);
  await two.close();
});

testUnless(foreignFds, test, 'descriptors pass in both directions, and the sender keeps its own', async () => {
  const client = await connect();
  const path = join(folder, 'descriptor');
  const fd = openSync(path, 'w+');
  client.signal(2, 'hh', new Bytes().u32(0).u32(0).bytes, Int32Array.of(fd));
  await client.until(1);
  const fds = client.received[0]?.fds ?? [];
  assert.ok(fds.length > 0 && !fds.includes(fd));
  writeSync(fds[0] as number, 'through the bus', 0);
  for (const received of fds) assert.is(addon.closeFd(received), 0);
  const buffer = Buffer.alloc(15);
  readSync(fd, buffer, 0, 15, 0);
  assert.is(buffer.toString(), 'through the bus');
  closeSync(fd);
  await client.close();
});

test('a body of 10 MB is passed in a separate buffer', async () => {
  const client = await connect();
  const size = 10_000_000;
  const body = Buffer.alloc(4 + size);
  body.writeUInt32LE(size);
  for (let i = 0; i < size; i += 997) body[4 + i] = i & 255;
  client.signal(2, 'ay', body);
  client.signal(3, 'u', u32(7));
  await client.until(2);
  assert.is(Buffer.compare(client.received[0]?.body ?? Buffer.alloc(0), body), 0);
  assert.equal(client.received[1]?.body, u32(7));
  await client.close();
});

test('small batches lose no message', async () => {
  const client = await connect({ arena: 4096, rows: 3 });
  const text = 'x'.repeat(1500);
  for (let serial = 2; serial < 42; serial++) client.signal(serial, 'us', new Bytes().u32(serial).string(text).bytes);
  await client.until(40);
  assert.equal(
    client.received.map(({ body }) => Buffer.from(body).readUInt32LE()),
    Array.from({ length: 40 }, (_, i) => i + 2),
  );
  await client.close();
});

testUnless(
  transportKind() === 'sd-bus' ? undefined : 'only sd-bus refuses what the specification allows',
  test,
  'a message that sd-bus refuses is refused',
  async () => {
    const client = await connect();
    client.signal(2, 's', new Bytes().string('\uffff').bytes);
    client.signal(3, 'h', u32(5));
    client.signal(4, 'u', u32(1));
    await client.until(1);
    assert.equal(
      client.refused.map(([serial]) => serial),
      [2, 3],
    );
    await client.close();
  },
);

test('the error of a refused message has its serial, and the next message is sent', async () => {
  const client = await connect();
  const { EBADF } = constants.errno;
  client.signal(2, 'h', u32(0), Int32Array.of(1 << 20));
  client.signal(3, 'h', u32(0), Int32Array.of((1 << 20) + 1));
  client.signal(4, 'u', u32(1));
  await client.until(1);
  assert.equal(client.refused, [
    [2, EBADF],
    [3, EBADF],
  ]);
  await client.close();
});

/** Sends more than a socket takes to a bus that is stopped. */
function sendTooMuch(client: Client): number {
  const body = Buffer.alloc(4 + (1 << 20));
  body.writeUInt32LE(1 << 20);
  let pending = 0;
  for (let serial = 2; serial < 34; serial++) pending = client.signal(serial, 'ay', body);
  return pending;
}

test('bytes that the kernel does not take are counted, and drain', async () => {
  const own = await startBus();
  const client = await Client.connect(own.address);
  process.kill(own.process.pid as number, 'SIGSTOP');
  const pending = sendTooMuch(client);
  assert.ok(pending > 1 << 20 && pending < 33 << 20);
  client.native.flush(20);
  assert.is(client.drained, 0);
  process.kill(own.process.pid as number, 'SIGCONT');
  await client.until(32);
  assert.is(client.drained, 1);
  assert.is(client.signal(100, 'u', u32(1)), 0);
  await client.close();
  await stopBus(own);
});

test('flush writes what is queued before it returns', async () => {
  const own = await startBus();
  const client = await Client.connect(own.address);
  process.kill(own.process.pid as number, 'SIGSTOP');
  assert.ok(sendTooMuch(client) > 0);
  process.kill(own.process.pid as number, 'SIGCONT');
  client.native.flush(20_000);
  assert.is(client.signal(100, 'u', u32(1)), 0);
  await client.until(33);
  await client.close();
  await stopBus(own);
});

test('a monitor does not answer a Ping that it overhears, because the bus would disconnect it', async () => {
  const [monitor, peer, caller] = [await connect(), await connect(), await connect()];
  const driver = { path: '/org/freedesktop/DBus', destination: 'org.freedesktop.DBus' };
  const call = { interface: 'org.freedesktop.DBus.Monitoring', member: 'BecomeMonitor', signature: 'asu' };
  monitor.send(message({ type: 1, serial: 2, ...driver, ...call, body: new Bytes().u32(0).u32(0).bytes }));
  // The reply, and NameLost.
  await monitor.until(2);
  const ping = { path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
  caller.send(message({ type: 1, serial: 2, ...ping, destination: peer.uniqueName }));
  await monitor.until(3);
  // A second Ping is delivered only if the first one has not ended the connection.
  caller.send(message({ type: 1, serial: 3, ...ping, destination: peer.uniqueName }));
  await monitor.until(4);
  // The messages for the monitor need not have arrived yet.
  await peer.until(2);
  assert.equal(
    peer.received.map(({ member }) => member),
    ['Ping', 'Ping'],
  );
  for (const client of [monitor, peer, caller]) await client.close();
});

test('microtasks run between the calls of a batch that is taken in parts', async () => {
  const client = await connect();
  client.rowsPerCall = 1;
  const order: string[] = [];
  client.onMessage = ({ body }) => {
    const value = Buffer.from(body).readUInt32LE();
    order.push(`message ${value}`);
    Promise.resolve().then(() => order.push(`microtask ${value}`));
  };
  const { uniqueName: destination } = client;
  const fields = { type: 4, path: '/a', interface: 'a.b', member: 'C', destination, signature: 'u' };
  for (const serial of [2, 3, 4]) client.send(message({ ...fields, serial, body: u32(serial) }));
  await client.until(3);
  await new Promise(setImmediate);
  assert.equal(order, ['message 2', 'microtask 2', 'message 3', 'microtask 3', 'message 4', 'microtask 4']);
  await client.close();
});

test('an exception in a callback is uncaught, and does not affect other messages', async () => {
  const client = await connect();
  const caught: unknown[] = [];
  const catching = (error: unknown) => caught.push(error);
  process.on('uncaughtException', catching);
  client.onMessage = ({ body }) => {
    if (Buffer.from(body).readUInt32LE() === 3) throw new Error('thrown by a callback');
  };
  for (const serial of [2, 3, 4, 5]) client.signal(serial, 'u', u32(serial));
  await client.until(4);
  process.off('uncaughtException', catching);
  assert.is(caught.length, 1);
  assert.match(String(caught[0]), /thrown by a callback/);
  assert.equal(
    client.received.map(({ body }) => Buffer.from(body).readUInt32LE()),
    [2, 3, 4, 5],
  );
  await client.close();
});

test('messages may be sent from within callbacks', async () => {
  const client = await connect();
  client.onMessage = ({ body }) => {
    const value = Buffer.from(body).readUInt32LE();
    if (value < 50) client.signal(value + 1, 'u', u32(value + 1));
  };
  client.signal(2, 'u', u32(2));
  await client.until(49);
  await client.close();
});

test('closing within a batch ends the batch, and closes the descriptors of the rest', async () => {
  const client = await connect();
  const path = join(folder, 'left');
  const fd = openSync(path, 'w+');
  const ino = inodeOf(fd);
  client.rowsPerCall = 1;
  client.onMessage = () => client.native.close();
  for (let serial = 2; serial < 12; serial++) client.signal(serial, 'h', u32(0), Int32Array.of(fd));
  await client.closed;
  assert.is(client.received.length, 1);
  assert.is(client.calls.at(-1), 'close');
  for (const received of client.received[0]?.fds ?? []) addon.closeFd(received);
  await new Promise(setImmediate);
  const open = readdirSync('/proc/self/fd').filter((name) => inode(Number(name)) === ino);
  assert.equal(open.map(Number), [fd]);
  closeSync(fd);
});

function inode(fd: number): number | undefined {
  try {
    return inodeOf(fd);
  } catch {
    // This number was open only while the folder was read.
    return undefined;
  }
}

test('invalid options are refused', () => {
  const options = {
    ...{ address: 'unix:path=/x', transport: 'sd-bus', poller: 'uv' },
    limits: { messageSize: 1000, decodedSize: 1000 },
    ...{ onOpen() {}, onBatch: () => 0, onDrain() {}, onRefused() {}, onClose() {} },
  };
  const construct = (changed: object) => () => Reflect.construct(addon.Connection, [{ ...options, ...changed }]);
  construct({})();
  const notBuilt = (kind: string) => (error: unknown) => error instanceof TypeError && error.message.includes(kind);
  assert.throws(construct({ transport: 'pigeon' }), notBuilt('transport'));
  assert.throws(construct({ poller: 'oracle' }), notBuilt('poller'));
  for (const changed of [
    ...[{ onBatch: undefined }, { onOpen: undefined }, { address: 5 }],
    ...[{ limits: undefined }, { limits: { messageSize: 5 } }, { limits: { messageSize: 0, decodedSize: 5 } }],
    ...[{ turn: 5 }, { turn: new Int32Array(1) }, { turn: new Uint32Array(2) }],
  ]) {
    assert.throws(construct(changed), (error: unknown) => error instanceof TypeError);
  }
  assert.throws(
    () => Reflect.construct(addon.Connection, []),
    (error: unknown) => error instanceof TypeError,
  );
});

test('a socket that is handed over is closed, even if the connection cannot be made', async () => {
  const before = openFds();
  const options = {
    ...{ address: '', transport: 'socket', poller: 'uv' },
    ...{ onOpen() {}, onBatch: () => 0, onDrain() {}, onRefused() {}, onClose() {} },
  };
  for (const changed of [{ transport: 'pigeon' }, { poller: 'oracle' }, { onBatch: undefined }, { limits: 5 }]) {
    const opened = openSync('/dev/null', 'r');
    // Not a descriptor of `node:fs`: Deno would close the next one that gets its number.
    const fd = addon.duplicateFd(opened);
    closeSync(opened);
    const serve = { fd, guid: new Uint8Array(16) };
    assert.throws(() => Reflect.construct(addon.Connection, [{ ...options, serve, ...changed }]));
    assert.is(addon.closeFd(fd), -constants.errno.EBADF, JSON.stringify(changed));
  }
  await assertNoFdsLeft(before);
});

test('a connection without memory for messages ends at once, with that reason', async () => {
  const memory = {
    ...{ arena: new ArrayBuffer(4096), rows: new Int32Array(ROW_LENGTH) },
    ...{ strings: new Int32Array(21), fds: new Int32Array(1) },
  };
  const endWith = (makeMemory: () => unknown) =>
    new Promise<unknown[]>((resolve) => {
      Reflect.apply(addon.useBatchMemory, addon, [makeMemory]);
      const connection = Reflect.construct(addon.Connection, [
        {
          ...{ address: bus.address, transport: transportKind(), poller: pollerKind() },
          ...{
            onBatch: () => 0,
            onDrain() {},
            onRefused() {},
            onOpen: () => connection.send(HELLO, HELLO.length, undefined),
          },
          limits: { messageSize: 1000, decodedSize: 1000 },
          onClose: (errno: number, phase: string) => resolve([errno, phase]),
        },
      ]) as InstanceType<typeof addon.Connection>;
      assert.is(connection.start(), 0);
    });
  for (const changed of [
    ...[{ arena: new ArrayBuffer(8) }, { arena: new Uint8Array(8192) }, { rows: new Int32Array(15) }],
    ...[{ rows: new Uint32Array(64) }, { strings: undefined }, { fds: [] }],
  ]) {
    assert.equal(await endWith(() => ({ ...memory, ...changed })), [constants.errno.ENOMEM, 'open']);
  }
  for (const nothing of [undefined, null, 5]) {
    assert.equal(await endWith(() => nothing), [constants.errno.ENOMEM, 'open']);
  }
  const throwing = () => {
    throw new RangeError('Array buffer allocation failed');
  };
  assert.equal(await endWith(throwing), [constants.errno.ENOMEM, 'open']);
});

test('send refuses arguments that are not memory', async () => {
  const client = await connect();
  const send = (...args: unknown[]) => Reflect.apply(client.native.send, client.native, args) as unknown;
  for (const args of [[], [new Uint8Array(8), 9], [new Uint16Array(8), 8], [HELLO, HELLO.length, new Uint8Array(1)]]) {
    assert.throws(
      () => send(...args),
      (error: unknown) => error instanceof TypeError,
    );
  }
  await client.close();
});

test('descriptors can be duplicated and closed, and errors are negative errnos', () => {
  const fd = openSync('/dev/null', 'r');
  const copy = addon.duplicateFd(fd);
  assert.ok(copy > 2 && copy !== fd);
  assert.is(addon.closeFd(copy), 0);
  assert.is(addon.closeFd(copy), -9);
  assert.is(addon.duplicateFd(copy), -9);
  closeSync(fd);
});

test.run();
