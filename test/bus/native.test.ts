/**
 * The addon through the seam itself: bytes written by hand, a bus of its own, and the ways in which a connection and
 * its environment can end. Everything above the seam is tested elsewhere.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Column, type ConnectionPhase, type NativeConnection, ROW_LENGTH } from '../../src/native/binding.js';
import { loadAddon } from '../../src/native/load.js';

const addon = loadAddon();
const test = suite('native');

// ── The bus ─────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Bus {
  readonly address: string;
  readonly process: ChildProcess;
}

const folder = mkdtempSync(join(tmpdir(), 'busbar-native-'));

async function startBus(): Promise<Bus> {
  const args = ['--session', '--nofork', '--nopidfile', '--print-address=1', `--address=unix:tmpdir=${folder}`];
  const daemon = spawn('dbus-daemon', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(daemon.stdout, 'data')) as [Buffer];
  return { address: line.toString().trim(), process: daemon };
}

async function stopBus({ process: daemon }: Bus): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  daemon.kill();
  await once(daemon, 'exit');
}

let bus: Bus;
test.before(async () => {
  bus = await startBus();
});
test.after(async () => {
  await stopBus(bus);
  rmSync(folder, { recursive: true, force: true });
});

// ── Messages as bytes ───────────────────────────────────────────────────────────────────────────────────────────────

/** Bytes with the alignment of D-Bus, little-endian. */
class Bytes {
  readonly #bytes: number[] = [];

  align(alignment: number): this {
    while (this.#bytes.length % alignment !== 0) this.#bytes.push(0);
    return this;
  }
  u8(...values: number[]): this {
    this.#bytes.push(...values);
    return this;
  }
  u16(value: number): this {
    return this.align(2).u8(value & 255, (value >> 8) & 255);
  }
  u32(value: number): this {
    return this.align(4).u8(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
  }
  u64(value: bigint): this {
    this.align(8);
    for (let i = 0n; i < 8n; i++) this.u8(Number((value >> (i * 8n)) & 255n));
    return this;
  }
  string(text: string): this {
    const bytes = Buffer.from(text);
    return this.u32(bytes.length).u8(...bytes, 0);
  }
  signature(text: string): this {
    return this.u8(text.length, ...Buffer.from(text), 0);
  }
  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

interface Fields {
  readonly type: number;
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly destination?: string;
  readonly signature?: string;
  readonly fds?: number;
  readonly body?: Uint8Array;
}

function message(fields: Fields): Uint8Array {
  const body = fields.body ?? new Uint8Array();
  const header = new Bytes();
  const field = (code: number, type: string, text: string | undefined) => {
    if (text === undefined) return;
    header.align(8).u8(code).signature(type);
    if (type === 'g') header.signature(text);
    else header.string(text);
  };
  field(1, 'o', fields.path);
  field(2, 's', fields.interface);
  field(3, 's', fields.member);
  field(6, 's', fields.destination);
  field(8, 'g', fields.signature);
  if (fields.fds !== undefined) header.align(8).u8(9).signature('u').u32(fields.fds);
  const { length } = header.bytes;
  header.align(8);
  const fixed = new Bytes().u8(0x6c, fields.type, 0, 1).u32(body.length).u32(fields.serial).u32(length);
  return Buffer.concat([fixed.bytes, header.bytes, body]);
}

const HELLO = message({
  type: 1,
  serial: 1,
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
  destination: 'org.freedesktop.DBus',
});

// ── A connection ────────────────────────────────────────────────────────────────────────────────────────────────────

interface Received {
  readonly type: number;
  readonly member: string | undefined;
  readonly signature: string | undefined;
  readonly body: Uint8Array;
  readonly fds: readonly number[];
}

interface Sizes {
  readonly arena?: number;
  readonly rows?: number;
}

/** A raw connection that collects what comes. */
class Client {
  readonly native: NativeConnection;
  readonly refused: [number, number][] = [];
  readonly calls: string[] = [];
  readonly received: Received[] = [];
  uniqueName = '';
  drained = 0;
  /** Called for every row, before it is collected. */
  onMessage: (received: Received) => void = () => {};
  /** How many rows one call of onBatch takes. */
  rowsPerCall = Number.POSITIVE_INFINITY;
  readonly opened: Promise<boolean>;
  readonly closed: Promise<[number, ConnectionPhase]>;
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  constructor(address: string, sizes: Sizes = {}) {
    const arena = new ArrayBuffer(sizes.arena ?? 256 * 1024);
    const rows = new Int32Array((sizes.rows ?? 256) * ROW_LENGTH);
    const strings = new Int32Array(2048 * 3);
    const fds = new Int32Array(1024);
    const known: string[] = [];
    let opened: (canSendFds: boolean) => void;
    let closed: (reason: [number, ConnectionPhase]) => void;
    this.opened = new Promise((resolve) => {
      opened = resolve;
    });
    this.closed = new Promise((resolve) => {
      closed = resolve;
    });
    this.native = new addon.Connection({
      ...{ address, arena, rows, strings, fds, transport: 'sd-bus', poller: 'uv' },
      onOpen: (canSendFds) => {
        this.calls.push('open');
        opened(canSendFds);
      },
      onBatch: (from, count, newStrings, large) => {
        this.calls.push('batch');
        for (let i = 0; i < newStrings; i++) {
          const [id, offset, length] = strings.subarray(i * 3, i * 3 + 3) as unknown as [number, number, number];
          known[id] = Buffer.from(arena, offset, length).toString();
        }
        const end = Math.min(count, from + this.rowsPerCall);
        for (let row = from; row < end; row++) {
          const at = (column: number) => rows[row * ROW_LENGTH + column] as number;
          const received = {
            type: at(Column.Type),
            member: known[at(Column.Member)],
            signature: known[at(Column.Signature)],
            body: Uint8Array.from(new Uint8Array(large ?? arena, at(Column.BodyOffset), at(Column.BodyLength))),
            fds: [...fds.subarray(at(Column.FdOffset), at(Column.FdOffset) + at(Column.FdCount))],
          };
          rows[row * ROW_LENGTH + Column.Type] = 0;
          this.received.push(received);
          this.onMessage(received);
        }
        for (const { count: wanted, resolve } of this.#waiting) if (this.received.length >= wanted) resolve();
        return end;
      },
      onDrain: () => {
        this.drained++;
      },
      onRefused: (serial, errno) => {
        this.refused.push([serial, errno]);
      },
      onClose: (errno, phase) => {
        this.calls.push('close');
        closed([errno, phase]);
      },
    });
  }

  /** Connects, says Hello, and waits until the bus has answered. */
  static async connect(address = bus.address, sizes?: Sizes): Promise<Client> {
    const client = new Client(address, sizes);
    assert.is(client.native.start(), 0);
    assert.ok(await client.opened);
    assert.is(client.send(HELLO), 0);
    // The reply, and NameAcquired.
    await client.until(2);
    client.uniqueName = Buffer.from(client.received[0]?.body ?? [])
      .toString('latin1', 4)
      .replace(/\0$/, '');
    client.received.length = 0;
    return client;
  }

  send(bytes: Uint8Array, fds?: Int32Array): number {
    return this.native.send(bytes, bytes.length, fds);
  }

  /** Sends a signal to this connection itself. */
  signal(serial: number, signature: string, body: Uint8Array, fds?: Int32Array): number {
    const fields = { type: 4, serial, path: '/a', interface: 'a.b', member: 'C', destination: this.uniqueName };
    const counted = fds === undefined ? {} : { fds: fds.length };
    return this.send(message({ ...fields, signature, body, ...counted }), fds);
  }

  async until(count: number): Promise<void> {
    if (this.received.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  async close(): Promise<void> {
    this.native.close();
    await this.closed;
  }
}

const u32 = (value: number) => new Bytes().u32(value).bytes;

// ── Messages ────────────────────────────────────────────────────────────────────────────────────────────────────────

test('names the sd-bus library that it found', () => {
  assert.match(addon.sdbusLibrary() ?? '', /^lib(systemd|elogind|basu)\.so\.0$/);
});

test('says Hello and gets a unique name', async () => {
  const client = await Client.connect();
  assert.match(client.uniqueName, /^:1\.\d+$/);
  await client.close();
});

test('a signal with every basic type comes back as it was sent', async () => {
  const client = await Client.connect();
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
  const client = await Client.connect();
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

test('descriptors cross in both directions, and stay the sender’s own', async () => {
  const client = await Client.connect();
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

test('a body of 10 MB crosses, in a buffer of its own', async () => {
  const client = await Client.connect();
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

test('batches smaller than the messages of a moment lose nothing', async () => {
  const client = await Client.connect(bus.address, { arena: 4096, rows: 3 });
  const text = 'x'.repeat(1500);
  for (let serial = 2; serial < 42; serial++) client.signal(serial, 'us', new Bytes().u32(serial).string(text).bytes);
  await client.until(40);
  assert.equal(
    client.received.map(({ body }) => Buffer.from(body).readUInt32LE()),
    Array.from({ length: 40 }, (_, i) => i + 2),
  );
  await client.close();
});

test('a refused message is named by its serial, and the next is sent', async () => {
  const client = await Client.connect();
  client.signal(2, 's', new Bytes().string('\uffff').bytes);
  client.signal(3, 'h', u32(5));
  client.signal(4, 'u', u32(1));
  await client.until(1);
  assert.equal(
    client.refused.map(([serial]) => serial),
    [2, 3],
  );
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

test('what the kernel does not take is counted, and drains', async () => {
  const own = await startBus();
  const client = await Client.connect(own.address);
  own.process.kill('SIGSTOP');
  const pending = sendTooMuch(client);
  assert.ok(pending > 1 << 20 && pending < 33 << 20);
  client.native.flush(20);
  assert.is(client.drained, 0);
  own.process.kill('SIGCONT');
  await client.until(32);
  assert.is(client.drained, 1);
  assert.is(client.signal(100, 'u', u32(1)), 0);
  await client.close();
  await stopBus(own);
});

test('flush writes what is queued before it returns', async () => {
  const own = await startBus();
  const client = await Client.connect(own.address);
  own.process.kill('SIGSTOP');
  assert.ok(sendTooMuch(client) > 0);
  own.process.kill('SIGCONT');
  client.native.flush(20_000);
  assert.is(client.signal(100, 'u', u32(1)), 0);
  await client.until(33);
  await client.close();
  await stopBus(own);
});

// ── Callbacks ───────────────────────────────────────────────────────────────────────────────────────────────────────

test('microtasks run between the calls of a batch that is taken in parts', async () => {
  const client = await Client.connect();
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

test('an exception in a callback is uncaught, and costs no other message', async () => {
  const client = await Client.connect();
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
  const client = await Client.connect();
  client.onMessage = ({ body }) => {
    const value = Buffer.from(body).readUInt32LE();
    if (value < 50) client.signal(value + 1, 'u', u32(value + 1));
  };
  client.signal(2, 'u', u32(2));
  await client.until(49);
  await client.close();
});

test('closing from within a batch ends it, and closes the descriptors of what was left', async () => {
  const client = await Client.connect();
  // Those of the process that name the pipe's file.
  const path = join(folder, 'left');
  const fd = openSync(path, 'w+');
  const { ino } = fstatSync(fd);
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
    return fstatSync(fd).ino;
  } catch {
    // It was open only while the folder was read.
    return undefined;
  }
}

// ── Ends ────────────────────────────────────────────────────────────────────────────────────────────────────────────

test('close reports once, before it returns, and may be called again', async () => {
  const client = await Client.connect();
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

test('close before the connection is open tells how far it had come', async () => {
  const client = new Client(bus.address);
  assert.is(client.native.start(), 0);
  client.native.close();
  assert.equal(await client.closed, [0, 'authenticate']);
  assert.equal(client.calls, ['close']);
});

test('what was sent right before close arrives', async () => {
  const receiver = await Client.connect();
  const sender = await Client.connect();
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
  client.signal(2, 'u', u32(1));
  client.native.close();
});

test('a missing socket fails in start, and nothing is called', () => {
  const client = new Client('unix:path=/nonexistent/socket');
  assert.is(client.native.start(), 2);
  client.native.close();
  assert.equal(client.calls, []);
});

test('a server that hangs up while authenticating is a loss in that phase', async () => {
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

test('options that make no sense are refused', () => {
  const options = {
    ...{ address: 'unix:path=/x', transport: 'sd-bus', poller: 'uv', arena: new ArrayBuffer(4096) },
    ...{ rows: new Int32Array(ROW_LENGTH), strings: new Int32Array(21), fds: new Int32Array(1) },
    ...{ onOpen() {}, onBatch: () => 0, onDrain() {}, onRefused() {}, onClose() {} },
  };
  const construct = (changed: object) => () => Reflect.construct(addon.Connection, [{ ...options, ...changed }]);
  construct({})();
  const notBuilt = (kind: string) => (error: unknown) => error instanceof TypeError && error.message.includes(kind);
  assert.throws(construct({ transport: 'pigeon' }), notBuilt('transport'));
  assert.throws(construct({ poller: 'oracle' }), notBuilt('poller'));
  for (const changed of [
    ...[{ arena: new ArrayBuffer(8) }, { arena: new Uint8Array(8192) }, { rows: new Int32Array(15) }],
    ...[{ rows: new Uint32Array(64) }, { strings: undefined }, { fds: [] }, { onBatch: undefined }, { address: 5 }],
  ]) {
    assert.throws(construct(changed), (error: unknown) => error instanceof TypeError);
  }
  assert.throws(
    () => Reflect.construct(addon.Connection, []),
    (error: unknown) => error instanceof TypeError,
  );
});

test('send refuses what is no memory', async () => {
  const client = await Client.connect();
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

// ── Processes and workers ───────────────────────────────────────────────────────────────────────────────────────────

/** A program that connects with the raw addon, for other threads and processes; `connection` and `HELLO` are its own. */
function program(address: string, rest: string): string {
  return `
    const addon = require('node-gyp-build')(${JSON.stringify(join(import.meta.dirname, '../..'))});
    const address = ${JSON.stringify(address)};
    const HELLO = Uint8Array.from(${JSON.stringify([...HELLO])});
    const connect = (events = {}) => {
      const memory = { arena: new ArrayBuffer(65536), rows: new Int32Array(4096), strings: new Int32Array(1024), fds: new Int32Array(64) };
      const connection = new addon.Connection({
        address, transport: 'sd-bus', poller: 'uv', ...memory, onOpen() { connection.send(HELLO, HELLO.length); },
        onBatch: (from, count) => count, onDrain() {}, onRefused() {}, onClose() {}, ...events,
      });
      connection.start();
      return connection;
    };
    ${rest}`;
}

async function runProgram(rest: string): Promise<{ code: number | null; output: string }> {
  const root = join(import.meta.dirname, '../..');
  const child = spawn(process.execPath, ['--expose-gc', '-e', program(bus.address, rest)], { cwd: root });
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
    const connection = connect({ onBatch(from, count) { connection.unref(); return count; } });`);
  assert.equal(result, { code: 0, output: '' });
});

test('a process may exit at any point of a connection', async () => {
  for (const moment of ['', 'connection.close();', 'connection.flush(10);']) {
    const result = await runProgram(`const connection = connect(); ${moment} process.exit(7);`);
    assert.equal(result, { code: 7, output: '' });
  }
  const inside = await runProgram(`connect({ onBatch: () => process.exit(8) });`);
  assert.equal(inside, { code: 8, output: '' });
});

test('an uncaught exception of a callback ends the process as any other', async () => {
  const { code, output } = await runProgram(`connect({ onBatch() { throw new Error('nobody catches this'); } });`);
  assert.is(code, 1);
  assert.match(output, /Error: nobody catches this/);
});

test('closed connections are collected', async () => {
  const result = await runProgram(`
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    const one = () => new Promise((resolve) => {
      const connection = connect({ onBatch(from, count) { connection.close(); return count; }, onClose: resolve });
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
         onBatch(from, count) { flood(connection); return from + 1; },
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
  const source = program(bus.address, `const c = connect({ onBatch(from, count) { c.unref(); return count; } });`);
  const sockets = () => readdirSync('/proc/self/fd').length;
  const run = () => once(new Worker(source, { eval: true }), 'exit');
  await run();
  const before = sockets();
  for (let i = 0; i < 10; i++) await run();
  assert.ok(sockets() <= before);
});

test.run();
