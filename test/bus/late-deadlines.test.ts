// Deadlines that expire while the event loop is blocked: messages that arrived meanwhile are read before an operation
// rejects.
// time limit: 240 s
import { createConnection, createServer, type Server } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CUT_BATCH } from '../../src/connection/receiving/backlog.js';
import { Deadlines, Expiring } from '../../src/connection/sending/deadlines.js';
import { connect, defineInterface, implement, listen, TimeoutError } from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { arrivals } from '../helpers/arrivals.js';
import { blockLoop, blockLoopBeforeTimers } from '../helpers/block-loop.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { patience } from '../helpers/patience.js';
import { folder, PATH } from '../helpers/peers.js';
import { pollerKinds } from '../helpers/poller-kinds.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const NAME = 'org.example.Late';
const Late = defineInterface(NAME, {
  methods: { Answer: { in: 'u', out: 'u' }, Never: {} },
  signals: { Said: { args: 'u' } },
});
const test = suite('late deadlines');

/** A separate process that answers at once, on a bus or as a peer, with signals before each answer. */
function service(where: string, signals: number): Program {
  return Program.start(
    process.execPath,
    moduleArguments(`
      import { connect, defineInterface, implement } from ${JSON.stringify(libraryEntry)};
      const Late = defineInterface(${JSON.stringify(NAME)}, {
        methods: { Answer: { in: 'u', out: 'u' }, Never: {} },
        signals: { Said: { args: 'u' } },
      });
      const bus = await connect(${where});
      const late = implement(Late, {
        Answer(value) {
          for (let i = 0; i < ${signals}; i++) late.emit.Said(i);
          return value;
        },
        Never: () => new Promise(() => {}),
      });
      bus.export(${JSON.stringify(PATH)}, late);
      if (bus.uniqueName !== undefined) await bus.requestName(${JSON.stringify(NAME)});
      console.log('ready');
    `),
    { timeLimit: 60_000 },
  );
}

for (const poller of pollerKinds) {
  // Many more signals would not fit into a socket at once, so that the reply would not have arrived. dbus-broker writes 16
  // at a time.
  for (const signals of [0, 60]) {
    test(`a reply that arrived while the loop was blocked is taken, with ${signals} signals before it (${poller})`, async () => {
      await using daemon = await PrivateBus.start();
      await using program = service(`{ address: ${JSON.stringify(daemon.address)} }`, signals);
      await program.line('ready');
      await using bus = await connect({ address: daemon.address, poller });
      const proxy = bus.proxy(Late, NAME, PATH);
      let heard = 0;
      proxy.on.Said(() => void heard++);
      await proxy.call.Answer(0);
      await until(() => heard === signals);
      for (let round = 1; round <= 2; round++) {
        // The process must have answered by then, even on a slow machine; awaiting the call would not block the loop.
        const answers = [
          proxy.with({ timeout: 30 }).call.Answer(round),
          proxy.with({ timeout: 300 }).call.Answer(round),
        ];
        // Messages of a tick are sent at its end.
        await new Promise(process.nextTick);
        blockLoop(900 * patience);
        assert.equal(await Promise.all(answers), [round, round]);
      }
      // A call without a reply expires as usual.
      const before = performance.now();
      assert.instance(await rejection(proxy.with({ timeout: 50 }).call.Never()), TimeoutError);
      assert.ok(performance.now() - before >= 49);
    });
  }

  test(`a message that arrives just as a call expires is delivered at once, not with the next message (${poller})`, async () => {
    await using daemon = await PrivateBus.start();
    await using program = service(`{ address: ${JSON.stringify(daemon.address)} }`, 0);
    await program.line('ready');
    await using bus = await connect({ address: daemon.address, poller });
    const proxy = bus.proxy(Late, NAME, PATH);
    for (let round = 0; round < 300; round++) {
      // An answer takes about as long as the shortest time limit.
      const expired = Array.from({ length: 3 }, () => rejection(proxy.with({ timeout: 1 }).call.Never()));
      for (let i = 0; i < 5; i++) assert.is(await proxy.with({ timeout: 15_000 }).call.Answer(i), i);
      await Promise.all(expired);
    }
  });

  test(`the last line of a handshake also counts if the loop was blocked meanwhile (${poller})`, async () => {
    await using daemon = await PrivateBus.start();
    // The handshake takes several rounds of the loop, all of them after the limit.
    const connecting = connect({ address: daemon.address, poller, timeout: 500 * patience });
    await blockLoopBeforeTimers(1500 * patience);
    await using bus = await connecting;
    assert.is(bus.state, 'open');
  });

  testUnless(
    transportKind() === 'sd-bus' ? 'sd-bus has no second try' : undefined,
    test,
    `a second attempt has its own time if the loop was blocked during the first (${poller})`,
    async () => {
      await using daemon = await PrivateBus.start();
      await using proxy = await LineProxy.start(daemon.address);
      const connecting = connect({ address: proxy.address, poller, timeout: 500 * patience });
      await blockLoopBeforeTimers(1500 * patience);
      await using bus = await connecting;
      assert.is(bus.state, 'open');
      assert.is(proxy.clients, 2);
    },
  );

  test(`the same holds between peers with both ends in one thread (${poller})`, async () => {
    await using server = await listen({
      address: `unix:tmpdir=${folder}`,
      poller,
      onConnection: (bus) =>
        void bus.export(PATH, implement(Late, { Answer: (value) => value, Never: () => new Promise<void>(() => {}) })),
    });
    await using peer = await connect({ address: server.address, peer: true, poller });
    const proxy = peer.proxy(Late, PATH).with({ timeout: 300 });
    assert.is(await proxy.call.Answer(1), 1);
    assert.instance(await rejection(proxy.with({ timeout: 20 }).call.Never()), TimeoutError);
  });
}

/**
 * A server that hangs up on a client that sends all lines at once, as sd-bus does; other clients get the bus's answers line
 * by line, with delays.
 */
class LineProxy implements AsyncDisposable {
  readonly address: string;
  clients = 0;
  readonly #server: Server;

  /** @param address that of a bus, which is a path */
  static async start(address: string): Promise<LineProxy> {
    const path = address.replace('unix:path=', '');
    const proxy = new LineProxy(path, `${path}-lines`);
    await new Promise<void>((resolve) => proxy.#server.listen(`${path}-lines`, resolve));
    return proxy;
  }

  private constructor(path: string, own: string) {
    this.address = `unix:path=${own}`;
    this.#server = createServer((client) => {
      this.clients++;
      client.once('data', (first) => {
        if (first.includes('BEGIN')) {
          client.destroy();
          return;
        }
        const bus = createConnection(path);
        for (const socket of [bus, client]) socket.on('error', () => {});
        const pass = (data: Buffer) => setTimeout(() => bus.write(data), 10);
        pass(first);
        client.on('data', pass).on('close', () => bus.destroy());
        bus.pipe(client);
      });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

class Noted extends Expiring {
  expiredAt: number | undefined;
  expire(): void {
    this.expiredAt = performance.now();
  }
}

test('an expired deadline waits for unread messages, but for a bounded time if they never end', async () => {
  let unread = 20;
  const deadlines = new Deadlines(arrivals(() => unread-- > 0));
  const entry = new Noted();
  const keepAlive = setInterval(() => {}, 1000);
  deadlines.add(5, entry);
  await until(() => entry.expiredAt !== undefined);
  assert.ok(unread < 0, `${unread}`);

  const flooded = new Deadlines(arrivals(() => true));
  const late = new Noted();
  const begun = performance.now();
  flooded.add(5, late);
  await until(() => late.expiredAt !== undefined);
  assert.ok((late.expiredAt as number) - begun >= 100, `${late.expiredAt}`);
  clearInterval(keepAlive);
});

test('an expired deadline waits for the messages behind an interrupted batch, read in batches or one by one', async () => {
  const received = { messages: 0, cutAt: Number.NEGATIVE_INFINITY };
  const deadlines = new Deadlines(arrivals(() => false, received));
  const entry = new Noted();
  const keepAlive = setInterval(() => {}, 1000);
  // These are read before the deadline looks for unread messages.
  const read = (messages: number) => {
    received.messages += messages;
    if (messages >= CUT_BATCH) received.cutAt = performance.now();
  };
  const portions = [16, 16, 1, 2, 16, 1];
  let portion = 0;
  const readOn = () => {
    if (entry.expiredAt !== undefined || portion === portions.length) return;
    read(portions[portion++] as number);
    // Some rounds of the loop later: the other side first has to notice that there is room.
    setTimeout(() => setTimeout(readOn, 1), 1);
  };
  deadlines.add(5, entry);
  await blockLoopBeforeTimers(10);
  readOn();
  await until(() => entry.expiredAt !== undefined);
  assert.is(portion, portions.length);
  assert.is(received.messages, 52);

  // If unread messages never end, the wait is bounded; and without an interrupted batch there is no wait.
  for (const messages of [1, CUT_BATCH]) {
    const late = new Noted();
    const flood = setInterval(() => read(messages), 1);
    read(messages);
    received.cutAt = messages === 1 ? Number.NEGATIVE_INFINITY : received.cutAt;
    deadlines.add(5, late);
    await until(() => late.expiredAt !== undefined);
    clearInterval(flood);
  }
  clearInterval(keepAlive);
});

test.run();
