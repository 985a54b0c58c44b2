// Descriptors that were handed over to a message that is not sent: those that the program does not have are closed at once.
import { subscribe } from 'node:diagnostics_channel';
import { openSync } from 'node:fs';
import { setImmediate as nextRound } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineInterface, FileDescriptor, implement, listen, type MessageBus, Variant } from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { folder, PATH, peers } from '../helpers/peers.js';
import { BEGIN_EXTERNAL, RawPeer } from '../helpers/raw-peer.js';
import { until } from '../helpers/until.js';

const test = suite('descriptors that are not sent');

// A subscriber keeps the intended reports from being printed.
subscribe('busbar:problem', () => {});

const NAME = 'org.example.Files';
const Files = defineInterface(NAME, {
  methods: { Open: { out: 'h' } },
  signals: { Opened: { args: 'h' } },
  properties: { File: { type: 'h', access: 'read' }, Pair: { type: 'a{sh}', access: 'read' } },
});

const made: FileDescriptor[] = [];

function openOne(): FileDescriptor {
  const file = FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
  made.push(file);
  return file;
}

/** Asserts that this many were opened since the last call, and that all of them are closed. */
function assertClosed(what: string, count: number): void {
  const states = made.splice(0).map(({ closed }) => closed);
  assert.equal(states, new Array(count).fill(true), what);
}

const fileObject = () =>
  implement(Files, {
    Open: openOne,
    File: { get: openOne },
    Pair: { get: () => ({ one: openOne(), two: openOne() }) },
  });

/** The server's end of a connection to a peer that takes no descriptors, and has taken part in nothing yet. */
async function withoutDescriptors(): Promise<AsyncDisposable & { readonly bus: MessageBus }> {
  const ends: MessageBus[] = [];
  const server = await listen({ address: `unix:tmpdir=${folder}`, onConnection: (bus) => void ends.push(bus) });
  const peer = await RawPeer.connect(server.address);
  peer.write(BEGIN_EXTERNAL);
  await until(() => ends.length === 1);
  const [bus] = ends as [MessageBus];
  assert.is(bus.canSendFileDescriptors, false);
  return {
    bus,
    async [Symbol.asyncDispose]() {
      peer.close();
      await server.close();
    },
  };
}

test('a peer that takes none costs none, in an announcement, a change or a signal', async () => {
  await using peer = await withoutDescriptors();
  const { bus } = peer;
  const object = fileObject();
  bus.exportObjectManager('/');
  bus.export('/files', object);
  await nextRound();
  assertClosed('an announcement', 3);
  object.emitPropertiesChanged(['File']);
  await nextRound();
  assertClosed('a change', 1);
  object.emit.Opened(openOne());
  assertClosed('a signal', 1);
  bus.exportObjectManager('/files');
  bus.export('/files/below', object);
  await nextRound();
  assertClosed('an announcement by two', 3);
});

test('an announcement by two has them twice, and closes them', async () => {
  await using both = await peers();
  const { accepted, client } = both;
  const told: unknown[] = [];
  client.subscribe({ member: 'InterfacesAdded' }, ({ path, body: [, interfaces] }) => {
    const { File, Pair } = (interfaces as Record<string, Record<string, unknown>>)[NAME] ?? {};
    told.push([path, File instanceof FileDescriptor, Object.keys(Pair as object)]);
  });
  accepted.exportObjectManager('/');
  accepted.exportObjectManager('/files');
  accepted.export('/files/below', fileObject());
  await until(() => told.length === 2);
  assert.equal(told, [
    ['/files', true, ['one', 'two']],
    ['/', true, ['one', 'two']],
  ]);
  assertClosed('the announcement', 3);
});

test('a connection that is ended because nothing is read leaves none open', async () => {
  const ends: MessageBus[] = [];
  await using server = await listen({
    address: `unix:tmpdir=${folder}`,
    limits: { queuedBytes: 1000 },
    onConnection: (bus) => void ends.push(bus),
  });
  const peer = await RawPeer.connect(server.address);
  peer.write(BEGIN_EXTERNAL.replace('BEGIN', 'NEGOTIATE_UNIX_FD\r\nBEGIN'));
  await until(() => ends.length === 1);
  const [bus] = ends as [MessageBus];
  const object = fileObject();
  bus.export('/files', object);
  // Together they are more than the kernel takes before the next round of the loop.
  while (bus.stats().queuedBytes <= 1000) {
    bus.emit({ path: PATH, interface: NAME, member: 'Much', signature: 'ay', body: [new Uint8Array(1 << 20)] });
  }
  object.emit.Opened(openOne());
  assertClosed('the signal', 1);
  await bus.disconnected;
  peer.close();
});

test('a message that is refused closes those that getters made, and none that the program has', async () => {
  await using both = await peers();
  const opening = {
    get file() {
      return openOne();
    },
  };
  using own = openOne();
  made.length = 0;
  const shown = { file: own };
  const attached = { fileDescriptors: [own] };
  for (const [signature, body, count] of [
    ['ha{sh}u', [own, opening, 'no number'], 1],
    ['a{sh}va{su}', [shown, new Variant('a{sh}', opening), { one: own }], 1],
    ['aa{sh}h', [[shown, opening, opening], 'no descriptor'], 2],
    ['ha{oh}', [own, new Map([['no path', own]])], 0],
    ['(ha{sh})y', [[own, opening], -1], 1],
  ] as const) {
    const signal = { path: PATH, interface: NAME, member: 'Odd', signature, body: body as readonly unknown[] };
    assert.throws(() => both.client.emit(signal));
    assertClosed(signature, count);
    const call = both.client.call({ ...signal, ...(transportKind() === 'socket' ? attached : {}) });
    await call.then(
      () => assert.unreachable('it is refused'),
      () => {},
    );
    assertClosed(`a call of ${signature}`, count);
    assert.is(own.closed, false, signature);
  }
});

test('a signal of an object that is refused at every path, or exported nowhere, leaves its own to the emitter', async () => {
  await using both = await peers();
  const Pairs = defineInterface(NAME, { signals: { Pair: { args: ['h', 'u'] } } });
  const object = implement(Pairs, {});
  using own = openOne();
  const refuse = (where: string) => {
    assert.throws(() => object.emit.Pair(own, 'no number' as never));
    assert.is(own.closed, false, where);
    assert.is(own.handedOver, true, where);
  };
  refuse('exported nowhere');
  using _one = both.accepted.export('/one', object);
  refuse('one path');
  using _two = both.accepted.export('/two', object);
  refuse('two paths');
  // The message that is sent becomes the owner.
  object.emit.Pair(own, 1);
  assert.is(own.closed, true);
  made.length = 0;
});

test('a property that is refused closes those that getters made', async () => {
  await using both = await peers();
  const odd = {
    get file() {
      return openOne();
    },
    other: 'no descriptor',
  };
  both.accepted.export(
    '/files',
    implement(Files, { Open: openOne, File: { get: openOne }, Pair: { get: () => odd as never } }),
  );
  const { File } = await both.client.proxy(Files, '/files').getAll();
  File?.close();
  assert.is(made.length, 2, 'each was read once');
  assertClosed('all properties', made.length);
});

test.run();
