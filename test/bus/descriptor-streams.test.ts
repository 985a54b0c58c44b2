// Streams of descriptors: bytes through pipes and sockets that were passed over a bus, and who closes them.

import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  defineInterface,
  FileDescriptor,
  InvalidArgumentError,
  implement,
  NotSupportedError,
  pipe,
} from '../../src/index.js';
import { duplicateFd } from '../../src/native/descriptors.js';
import { loadAddon } from '../../src/native/load.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { skip } from '../helpers/skip.js';

const Streams = defineInterface('org.example.Streams', {
  methods: {
    /** Writes the text to the pipe. */
    WriteTo: { in: ['end:h', 'text:s'] },
    /** Reads all of the pipe. */
    ReadFrom: { in: ['end:h'], out: ['text:s'] },
    /** Answers what it reads from the socket in capitals. */
    Serve: { in: ['socket:h'] },
  },
});

const { client, service, stop } = await startClientAndService();
const test = suite('descriptor streams');

test.after(stop);

const { bun, deno } = process.versions;
const canStream = deno === undefined;
const canSocket = canStream && bun === undefined;

/** A test of streams, or of sockets, where the runtime can make them of a descriptor. Elsewhere the error is tested. */
function streamTest(name: string, run: () => Promise<void>, can = canStream): void {
  if (can) test(name, run);
  else skip(test, name, 'the runtime makes no streams of such descriptors');
}
const socketTest = (name: string, run: () => Promise<void>) => streamTest(name, run, canSocket);

service.export(
  '/streams',
  implement(Streams, {
    WriteTo(end, text) {
      end.toWritable().end(text);
    },
    ReadFrom: (end) => textOf(end.toReadable()),
    Serve(end) {
      const socket = end.toSocket();
      socket.on('data', (chunk) => socket.write(chunk.toString().toUpperCase()));
      socket.on('end', () => socket.end());
    },
  }),
);
const streams = client.proxy(Streams, service.uniqueName as string, '/streams');

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Two connected sockets. */
function sockets(): [FileDescriptor, FileDescriptor] {
  const fds = loadAddon().socketPair() as readonly [number, number];
  return [FileDescriptor.adopt(fds[0]), FileDescriptor.adopt(fds[1])];
}

/** Runs a step, after which no descriptor is left that was opened in it. */
async function closing(step: () => Promise<void>): Promise<void> {
  const before = openFds();
  await step();
  await assertNoFdsLeft(before);
}

test('a pipe has an end to read from and an end to write to, which started programs do not inherit', async () => {
  await closing(async () => {
    const [read, write] = await pipe();
    const flags = (fd: number) =>
      Number.parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '', 8);
    for (const end of [read, write]) assert.ok((flags(end.fd) & 0o2000000) !== 0, 'close-on-exec');
    assert.is(flags(read.fd) & 3, constants.O_RDONLY);
    assert.is(flags(write.fd) & 3, constants.O_WRONLY);
    assert.is(readlinkSync(`/proc/self/fd/${read.fd}`), readlinkSync(`/proc/self/fd/${write.fd}`));
    read.close();
    write.close();
  });
});

streamTest('what a service writes to a pipe is read by the client', async () => {
  await closing(async () => {
    const [read, write] = await pipe();
    const text = textOf(read.toReadable());
    assert.ok(read.closed);
    // It ends when the last writing end is closed: this one.
    await streams.call.WriteTo(write.handOver(), 'from the service');
    assert.is(await text, 'from the service');
  });
});

streamTest('what the client writes to a pipe is read by a service, whatever its size', async () => {
  for (const size of [0, 1, 65_535, 65_536, 65_537, 300_000]) {
    await closing(async () => {
      const [read, write] = await pipe();
      const answer = streams.call.ReadFrom(read.handOver());
      const writable = write.toWritable();
      writable.end('x'.repeat(size));
      assert.is((await answer).length, size);
    });
  }
});

socketTest('a pair of sockets is a stream in both directions', async () => {
  await closing(async () => {
    const [own, other] = sockets();
    const socket: Socket = own.toSocket();
    assert.ok(own.closed);
    await streams.call.Serve(other.handOver());
    socket.end('hello');
    assert.is(await textOf(socket), 'HELLO');
  });
});

socketTest('a socket can be only read, or only written', async () => {
  await closing(async () => {
    const [one, other] = sockets();
    const text = textOf(one.toReadable());
    other.toWritable().end('half');
    assert.is(await text, 'half');
  });
});

streamTest('files are read and written from their present position', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'streams-'));
  const file = join(folder, 'note');
  writeFileSync(file, 'before ');
  await closing(async () => {
    const writable = FileDescriptor.adopt(openSync(file, 'a')).toWritable();
    writable.end('after');
    await finished(writable);
    assert.is(await textOf(FileDescriptor.adopt(openSync(file, 'r')).toReadable()), 'before after');
  });
  rmSync(folder, { recursive: true });
});

streamTest('destroying a stream closes its descriptor once, and no other one that gets its number', async () => {
  await closing(async () => {
    const [read, write] = await pipe();
    const number = read.fd;
    const readable = read.toReadable();
    readable.destroy();
    await new Promise((resolve) => readable.once('close', resolve));
    // The number is free, so the next descriptor may get it.
    const others = Array.from({ length: 5 }, () => openSync('/dev/null', 'r'));
    read.close();
    readable.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    for (const fd of others) assert.is(readlinkSync(`/proc/self/fd/${fd}`), '/dev/null', `${fd}, after ${number}`);
    for (const fd of others) closeSync(fd);
    write.close();
  });
});

streamTest('a stream is its own owner: the FileDescriptor is empty, and a second stream is refused', async () => {
  await closing(async () => {
    const [read, write] = await pipe();
    read.toReadable().destroy();
    assert.throws(
      () => read.toReadable(),
      (error: unknown) => error instanceof InvalidArgumentError,
    );
    assert.throws(
      () => read.fd,
      (error: unknown) => error instanceof InvalidArgumentError,
    );
    write.close();
  });
});

streamTest('a descriptor that cannot be a stream stays with its owner', async () => {
  await closing(async () => {
    const folder = FileDescriptor.adopt(openSync('/', 'r'));
    assert.throws(
      () => folder.toReadable(),
      new RegExp(`descriptor ${folder.fd} is a directory, which cannot be a stream`),
    );
    assert.not(folder.closed);
    folder.close();
    const server = createServer().listen(join(tmpdir(), `streams-${process.pid}`));
    await once(server, 'listening');
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const listening = FileDescriptor.adopt(duplicateFd(fd));
    assert.throws(() => listening.toSocket(), /is a socket that listens, which cannot be a stream/);
    assert.not(listening.closed);
    listening.close();
    server.close();
    await once(server, 'close');
    const [read, write] = await pipe();
    assert.throws(() => read.toSocket(), /is not a socket: use toReadable\(\) or toWritable\(\)/);
    assert.not(read.closed);
    read.close();
    write.close();
  });
});

if (!canSocket) {
  test('where the runtime cannot make a socket, the error says so, and the descriptor stays with its owner', async () => {
    const [one, other] = sockets();
    const isRefusal = (error: unknown) => error instanceof NotSupportedError && /cannot make a s/.test(error.message);
    for (const make of [() => one.toSocket(), () => one.toReadable(), () => one.toWritable()])
      assert.throws(make, isRefusal);
    assert.not(one.closed);
    one.close();
    other.close();
  });
}

test.run();
