// A peer that does not read affects only itself: its messages arrive or are refused to their sender, and other peers get
// theirs.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BackpressureError,
  connect,
  defineInterface,
  implement,
  LimitsExceededError,
  listen,
  type MessageBus,
  type PeerServer,
  type Problem,
} from '../../src/index.js';
import { nextRound } from '../helpers/next-round.js';
import { folder, PATH } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { BEGIN_EXTERNAL, RawPeer } from '../helpers/raw-peer.js';
import { testUnless } from '../helpers/skip.js';
import { StoppedReader } from '../helpers/stopped-reader.js';
import { until } from '../helpers/until.js';

const test = suite('stopped readers');
const NAME = 'org.example.Told';

const Told = defineInterface(NAME, {
  methods: {},
  signals: { Said: { args: 'uay' }, Gave: { args: 'h' } },
  properties: { Text: { type: 's' } },
});

/** The problems that were reported during the test, of one connection or of all. */
class Problems implements Disposable {
  readonly all: Problem[] = [];
  readonly #hear = (problem: unknown) => void this.all.push(problem as Problem);

  constructor() {
    subscribe('busbar:problem', this.#hear);
  }

  of(bus: MessageBus): Problem[] {
    return this.all.filter(({ connection }) => connection === bus.stats().connection);
  }

  [Symbol.dispose](): void {
    unsubscribe('busbar:problem', this.#hear);
  }
}

async function nextOf(server: PeerServer): Promise<MessageBus> {
  const { value } = await server[Symbol.asyncIterator]().next();
  return value as MessageBus;
}

test('600 000 small signals to a stopped reader are delivered in order, or refused to their sender', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}` });
  await using reader = await StoppedReader.start(server.address, [NAME, 'Said']);
  const bus = await nextOf(server);
  const signal = { path: PATH, interface: NAME, signature: 'u' };
  let accepted = 0;
  let refused = 0;
  for (let number = 0; number < 600_000; number++) {
    try {
      bus.emit({ ...signal, member: 'Said', body: [accepted] });
      accepted++;
    } catch (error) {
      assert.instance(error, BackpressureError);
      refused++;
    }
  }
  assert.is(accepted + refused, 600_000);
  assert.ok(accepted > 390_000, 'more than sd-bus queues by itself');
  const heard = reader.goOn();
  await bus.flush();
  bus.emit({ ...signal, member: 'End', body: [0] });
  assert.equal(await heard, { signals: accepted, inOrder: true });
});

/** A server that exports an object to all connections, a peer that does not read, and two that read. */
async function audience(limit: number) {
  const object = implement(Told, { Text: '' });
  const ends: MessageBus[] = [];
  const server = await listen({
    address: `unix:tmpdir=${folder}`,
    limits: { queuedBytes: limit },
    onConnection: (bus) => {
      bus.export(PATH, object);
      bus.exportObjectManager('/');
      ends.push(bus);
    },
  });
  const reader = await StoppedReader.start(server.address, [NAME, 'Said']);
  const clients = await Promise.all([0, 1].map(() => connect({ address: server.address, peer: true })));
  return { object, server, reader, clients, ends, slow: ends[0] as MessageBus };
}

const bytes = new Uint8Array(64 * 1024);

for (const limit of [16 * 1024 * 1024, 300_000]) {
  test(`a peer that does not read is disconnected without an effect on other peers: ${limit} bytes`, async () => {
    using problems = new Problems();
    const { object, server, reader, clients, slow, ends } = await audience(limit);
    const heard = clients.map((client) => {
      const numbers: number[] = [];
      client.subscribe(
        { interface: NAME, member: 'Said' },
        ({ body: [number] }) => void numbers.push(number as number),
      );
      return numbers;
    });
    let emitted = 0;
    const most = (2 * limit) / bytes.length + 1000;
    while (slow.state === 'open' && emitted < most) {
      object.emit.Said(emitted++, bytes);
      // The others read: otherwise they would be disconnected, too.
      await until(() => heard.every((numbers) => numbers.length === emitted));
    }
    const reason = await slow.disconnected;
    assert.instance(reason, LimitsExceededError);
    assert.match((reason as Error).message, /does not read/);
    assert.ok(problems.of(slow).some(({ kind, error }) => kind === 'send' && error === reason));
    object.emit.Said(emitted++, bytes);
    await until(() => heard.every((numbers) => numbers.length === emitted));
    for (const numbers of heard)
      assert.equal(
        numbers,
        Array.from({ length: emitted }, (_, number) => number),
      );
    assert.equal(
      ends.slice(1).map(({ state }) => state),
      ['open', 'open'],
    );
    await using _ = reader;
    for (const client of clients) await client.close();
    await server.close();
  });
}

test('an assignment, an export and an unexport never throw because a peer does not read', async () => {
  for (const tell of ['assign', 'export'] as const) {
    const { object, server, reader, clients, slow } = await audience(200_000);
    const text = 'x'.repeat(50_000);
    const changes: unknown[] = [];
    clients[0]?.subscribe({ member: tell === 'assign' ? 'PropertiesChanged' : 'InterfacesAdded' }, ({ body }) =>
      changes.push(body),
    );
    let told = 0;
    while (slow.state === 'open' && told < 1000) {
      if (tell === 'assign') object.properties.Text = `${told} ${text}`;
      else for (const bus of server.connections) bus.export(`${PATH}/${told}`, implement(Told, { Text: text }));
      told++;
      // This client reads: otherwise it would be disconnected, too.
      await until(() => changes.length === told);
    }
    assert.instance(await slow.disconnected, LimitsExceededError);
    assert.is(changes.length, told);
    await using _ = reader;
    for (const client of clients) await client.close();
    await server.close();
  }
});

test('emitting on one connection throws if it does not read', async () => {
  await using server = await listen({ address: `unix:tmpdir=${folder}`, limits: { queuedBytes: 100_000 } });
  await using _reader = await StoppedReader.start(server.address, [NAME, 'Said']);
  const bus = await nextOf(server);
  const emit = () => bus.emit({ path: PATH, interface: NAME, member: 'Said', signature: 'uay', body: [0, bytes] });
  assert.throws(
    () => {
      for (let i = 0; i < 1000; i++) emit();
    },
    (error: unknown) => error instanceof BackpressureError,
  );
  assert.is(bus.state, 'open');
});

test('a peer that cannot receive file descriptors does not get a signal with one, and other peers do', async () => {
  using problems = new Problems();
  const { object, server, reader, clients, ends } = await audience(1 << 20);
  const plain = await RawPeer.connect(server.address);
  plain.write(BEGIN_EXTERNAL);
  while (ends.length < 4) await nextRound();
  const without = ends[3] as MessageBus;
  assert.is(without.canSendFileDescriptors, false);
  const got = clients.map(
    (client) =>
      new Promise<number>((resolve) =>
        client.subscribe({ interface: NAME, member: 'Gave' }, ({ body: [fd] }) => {
          using given = fd as Disposable & { readonly fd: number };
          resolve(given.fd);
        }),
      ),
  );
  object.emit.Gave(0);
  for (const fd of await Promise.all(got)) assert.ok(fd > 0);
  assert.match(problems.of(without)[0]?.message ?? '', /was not sent to this peer/);
  await using _ = reader;
  for (const client of clients) await client.close();
  await server.close();
});

testUnless(
  PrivateBus.missing(),
  test,
  'a signal to a bus that does not read is refused to its emitter, after all others got it; an announcement far beyond the limit ends the connection',
  async () => {
    await using daemon = await PrivateBus.start();
    await using server = await listen({ address: `unix:tmpdir=${folder}` });
    await using peer = await connect({ address: server.address, peer: true });
    const accepted = await nextOf(server);
    const bus = await connect({ address: daemon.address, limits: { queuedBytes: 100_000 } });
    const object = implement(Told, { Text: '' });
    bus.export(PATH, object);
    accepted.export(PATH, object);
    let heard = 0;
    peer.subscribe({ interface: NAME, member: 'Said' }, () => void heard++);
    await daemon.kill('SIGSTOP');
    let emitted = 0;
    try {
      assert.throws(
        () => {
          for (; emitted < 1000; emitted++) object.emit.Said(emitted, bytes);
        },
        (error: unknown) => error instanceof BackpressureError,
      );
      await until(() => heard === emitted + 1);
      assert.is(bus.state, 'open');
      for (let i = 0; bus.state === 'open' && i < 1000; i++) {
        object.properties.Text = `${i} ${'x'.repeat(50_000)}`;
        await nextRound();
      }
      assert.instance(await bus.disconnected, LimitsExceededError);
    } finally {
      await daemon.kill('SIGCONT');
    }
  },
);

test.run();
