/** Memory for messages is released: by idle connections once a message was handled, and by closed ones completely. */
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement, listen, type MessageBus } from '../../src/index.js';
import { folder, type Peers, peers } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';

const test = suite('released memory');

const MIB = 1024 * 1024;
const LARGE = 60 * MIB;
/** How much of the memory of large messages may remain, in JavaScript and in the whole process. */
const LEFT = 5 * MIB;

const Sink = defineInterface('org.example.Sink', {
  methods: { Take: { in: 'ay', out: 'u' }, Give: { in: 'u', out: 'ay' } },
  signals: { Came: { args: 'ay' } },
});
const PATH = '/sink';

/** The memory of JavaScript outside of its heap after a garbage collection, and that of the process. */
async function memory(): Promise<{ readonly external: number; readonly resident: number }> {
  if (gc === undefined) throw new Error('run with --expose-gc');
  for (let round = 0; round < 3; round++) {
    gc();
    // A thread of the runtime frees buffers.
    await sleep(20);
  }
  const { external, rss } = process.memoryUsage();
  return { external, resident: rss };
}

async function sinks(): Promise<Peers> {
  const pair = await peers();
  pair.accepted.export(
    PATH,
    implement(Sink, {
      Take: (bytes) => bytes.length,
      Give: (length) => Buffer.alloc(length),
    }),
  );
  return pair;
}

test('connections that are closed one after the other keep nothing, even before a garbage collection', async () => {
  await using daemon = await PrivateBus.start();
  const come = async (count: number) => {
    for (let i = 0; i < count; i++) await (await connect({ address: daemon.address })).close();
  };
  await come(20);
  const before = await memory();
  await come(150);
  // Memory that only a garbage collection frees would still be there.
  const { external } = process.memoryUsage();
  assert.ok(external - before.external < 4 * MIB, `${mib(external - before.external)} more are there at once`);
  const after = await memory();
  assert.ok(after.external - before.external < 64 * 1024, `${after.external - before.external} bytes are left`);
});

test('idle connections have no memory for messages, whatever they did before', async () => {
  await using daemon = await PrivateBus.start();
  const clients: MessageBus[] = [];
  const open = async () => {
    const client = await connect({ address: daemon.address });
    clients.push(client);
    return client;
  };
  const service = await open();
  service.export(PATH, implement(Sink, { Take: (bytes) => bytes.length, Give: (length) => Buffer.alloc(length) }));
  const use = async (client: MessageBus) => {
    const proxy = client.proxy(Sink, service.uniqueName as string, PATH);
    for (const length of [10, 100_000, MIB]) {
      assert.is(await proxy.call.Take(Buffer.alloc(length, 1)), length);
      assert.is((await proxy.call.Give(length)).length, length);
    }
  };
  // The memory that all of them share.
  for (let i = 0; i < 3; i++) await use(await open());
  const before = await memory();
  for (let i = 0; i < 40; i++) await use(await open());
  const after = await memory();
  const each = (after.external - before.external) / 40;
  assert.ok(each < 1024, `${Math.round(each)} bytes each`);
  for (const client of clients) await client.close();
});

test('four idle peers that received 60 MiB each have released them', async () => {
  const pairs = await Promise.all([sinks(), sinks(), sinks(), sinks()]);
  const bytes = Buffer.alloc(LARGE, 1);
  const before = await memory();
  for (const { client } of pairs) assert.is(await client.proxy(Sink, PATH).call.Take(bytes), LARGE);
  const after = await memory();
  assert.ok(after.external - before.external < LEFT, `${mib(after.external - before.external)} are left`);
  assert.ok(after.resident - before.resident < LEFT, `${mib(after.resident - before.resident)} are resident`);
  for (const pair of pairs) await pair[Symbol.asyncDispose]();
});

test('values of a large message that the program keeps stay readable', async () => {
  await using pair = await sinks();
  const before = await memory();
  let kept: { readonly body: readonly unknown[] } | undefined;
  pair.accepted.addMessageHandler((message) => {
    if (message.member === 'Take') kept = message;
    return false;
  });
  await pair.client.proxy(Sink, PATH).call.Take(Buffer.alloc(LARGE, 2));
  const during = await memory();
  assert.ok(during.external - before.external > LARGE - LEFT);
  assert.is(lengthOf(kept), LARGE);
  kept = undefined;
  const after = await memory();
  assert.ok(after.external - before.external < LEFT, `${mib(after.external - before.external)} are left`);
});

function lengthOf(message: { readonly body: readonly unknown[] } | undefined): number | undefined {
  return (message?.body[0] as Buffer | undefined)?.length;
}

/** In a separate function, whose frame would keep the reply. */
async function lengthOfGiven(client: MessageBus): Promise<number> {
  return (await client.proxy(Sink, PATH).call.Give(LARGE)).length;
}

test('a reply of 60 MiB that was dropped is not kept, before close() and after it', async () => {
  const pair = await sinks();
  const before = await memory();
  assert.is(await lengthOfGiven(pair.client), LARGE);
  const idle = await memory();
  assert.ok(idle.external - before.external < LEFT, `${mib(idle.external - before.external)} are left`);
  assert.ok(idle.resident - before.resident < LEFT, `${mib(idle.resident - before.resident)} are resident`);
  await pair[Symbol.asyncDispose]();
  const closed = await memory();
  assert.ok(closed.external - before.external < LEFT, `${mib(closed.external - before.external)} are left`);
  assert.is(pair.client.state, 'closed');
});

test('closed connections that the program still references keep no memory for messages', async () => {
  const COUNT = 40;
  const accepted: MessageBus[] = [];
  const server = await listen({ address: `unix:tmpdir=${folder}`, onConnection: (peer) => void accepted.push(peer) });
  // Loads and makes everything that is made once.
  await (await connect({ address: server.address, peer: true })).close();
  const before = await memory();
  const clients: MessageBus[] = [];
  for (let index = 0; index < COUNT; index++) {
    const client = await connect({ address: server.address, peer: true });
    clients.push(client);
    await client.call({ path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
    await client.close();
  }
  while (accepted.some((peer) => peer.state !== 'closed')) await sleep(10);
  const after = await memory();
  const each = (after.external - before.external) / (2 * COUNT);
  assert.ok(each < 16 * 1024, `${Math.round(each)} bytes each`);
  assert.is(clients.length, COUNT);
  await server.close();
});

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}

test.run();
