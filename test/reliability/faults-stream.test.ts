// A stream to a real bus, or between peers, that is split, merged, delayed, or cut at any byte in either direction.
import { openSync, readSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectError,
  ConnectionClosedError,
  connect,
  defineInterface,
  FileDescriptor,
  implement,
  listen,
  type MessageBus,
  TimeoutError,
} from '../../src/index.js';
import { count, Ledger } from '../helpers/ledger.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { patience } from '../helpers/patience.js';
import { Example, exampleObject, folder, PATH } from '../helpers/peers.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { skip } from '../helpers/skip.js';
import { type Passed, type ProxyPlan, StreamProxy } from '../helpers/stream-proxy.js';

const NAME = 'org.example.Faults';
const Faults = defineInterface(NAME, {
  methods: { Echo: { in: 's', out: 's' }, Pass: { in: 'h', out: 'h' } },
  signals: { Tick: { args: 'u' } },
});

const test = suite('faults: stream');
const missing = PrivateBus.missing() ?? StreamProxy.missing();
if (missing !== undefined) skip(test, 'all', missing);
else addTests(await PrivateBus.start());

function addTests(daemon: PrivateBus): void {
  // Waiting for an end that does not happen here keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  test.after(() => {
    clearInterval(alive);
    return daemon.stop();
  });

  /** A service that is connected directly. */
  async function served(): Promise<MessageBus> {
    const service = await connect({ address: daemon.address });
    service.export('/faults', implement(Faults, { Echo: (text) => text, Pass: (fd) => fd.handOver() }));
    await service.requestName(NAME);
    return service;
  }

  /** The bytes from opening a connection to its close. */
  async function measured(proxy: StreamProxy): Promise<Passed> {
    await proxy.plan({});
    const bus = await connect({ address: proxy.address });
    await bus.close();
    return proxy.ended();
  }

  for (const direction of ['up', 'down'] as const) {
    test(`connecting rejects wherever the stream is cut ${direction}`, async () => {
      await using proxy = await StreamProxy.start(daemon.address);
      const whole = (await measured(proxy))[direction];
      const before = openFds();
      const phases = new Set<string>();
      let connected = 0;
      for (let cut = 0; cut < whole; cut++) {
        await proxy.plan({ [direction]: { cut } });
        const outcome = await connect({ address: proxy.address, timeout: 3000 * patience }).catch(
          (error: Error) => error,
        );
        if (outcome instanceof Error) {
          assert.instance(outcome, ConnectError, `cut at ${cut}`);
          assert.not.match(outcome.message, /ETIMEDOUT|in time/, `cut at ${cut}`);
          phases.add(/while trying to (\w+)/.exec(outcome.message)?.[1] ?? 'greet');
        } else {
          // NameAcquired follows the reply to Hello: a client that is cut off there was connected, and gets the end.
          connected++;
          assert.is(direction, 'down');
          assert.instance(await outcome.disconnected, ConnectionClosedError);
        }
      }
      assert.ok(phases.has('authenticate') && phases.has('greet'), [...phases].join());
      // NameAcquired is somewhat longer than everything before it.
      assert.ok(connected < whole * 0.8, `${connected} of ${whole}`);
      await assertNoFdsLeft(before);
      count({ cutPoints: whole });
    });

    test(`a call rejects wherever the stream is cut ${direction}`, async () => {
      await using proxy = await StreamProxy.start(daemon.address);
      await using _service = await served();
      const before = openFds();
      const ledger = new Ledger();
      const call = (bus: MessageBus) => bus.proxy(Faults, NAME, '/faults').call.Echo('text');
      let cut = 0;
      for (let whole = false; !whole; cut++) {
        await proxy.plan({});
        const bus = await connect({ address: proxy.address });
        await bus.listNames();
        await proxy.arm({ [direction]: { cut } });
        const asked = call(bus);
        ledger.call(asked);
        const answer = await asked.catch((error: Error) => error);
        whole = answer === 'text';
        if (!whole) assert.instance(answer, ConnectionClosedError, `cut at ${cut}`);
        if (!whole) assert.instance(await bus.disconnected, ConnectionClosedError, `cut at ${cut}`);
        await bus.close();
        assert.ok(cut < 1000, 'a call is shorter than that');
      }
      const outcomes = await ledger.outcomes();
      assert.is(outcomes.ConnectionClosedError, cut - 1);
      assert.ok(cut > 50);
      await assertNoFdsLeft(before);
      count({ cutPoints: cut });
    });
  }

  const plans: Readonly<Record<string, ProxyPlan>> = {
    'byte by byte': { up: { portion: 1 }, down: { portion: 1 } },
    'in portions of seven bytes': { up: { portion: 7 }, down: { portion: 7 } },
    'read byte by byte': { up: { read: 1 }, down: { read: 1 } },
    'late and merged': { up: { merge: 5 }, down: { merge: 5 } },
    'with a delay before all that is sent': { up: { delay: 5 }, down: { delay: 5 } },
    'in portions that come late': { up: { portion: 50, delay: 1 }, down: { portion: 50, delay: 1 } },
  };
  for (const [how, plan] of Object.entries(plans)) {
    test(`everything works ${how}, including descriptors`, async () => {
      await using proxy = await StreamProxy.start(daemon.address);
      await using service = await served();
      const before = openFds();
      await proxy.plan(plan);
      const bus = await connect({ address: proxy.address });
      const remote = bus.proxy(Faults, NAME, '/faults');
      const ledger = new Ledger();
      const ticks = remote.on.Tick((number) => ledger.arrive(number));
      await ticks.ready;
      for (let number = 0; number < 20; number++) {
        ledger.emit(number, () =>
          service.emit({ path: '/faults', interface: NAME, member: 'Tick', signature: 'u', body: [number] }),
        );
        ledger.call(remote.call.Echo('x'.repeat(number)));
        ledger.call(passed(remote));
      }
      assert.equal(await ledger.outcomes(), { fulfilled: 40 });
      await bus.listNames();
      ledger.assertArrived();
      await bus.close();
      assert.ok((await proxy.ended()).fds >= 40);
      await assertNoFdsLeft(before);
    });
  }

  /** Passes a descriptor back and forth, and compares what it reads. */
  async function passed(remote: { call: { Pass(fd: FileDescriptor): Promise<FileDescriptor> } }): Promise<void> {
    using back = await remote.call.Pass(FileDescriptor.adopt(openSync('/proc/self/comm', 'r')).handOver());
    const text = Buffer.alloc(4);
    assert.ok(readSync(back.fd, text, 0, 4, 0) > 0);
  }

  test('replies that come after the timeout of their calls have no effect, and their descriptors are closed', async () => {
    await using proxy = await StreamProxy.start(daemon.address);
    await using _service = await served();
    await using bus = await connect({ address: proxy.address });
    const remote = bus.proxy(Faults, NAME, '/faults');
    // The rule and the query that the first call by a name sends before it are answered here.
    assert.is(await remote.call.Echo('at once'), 'at once');
    const before = openFds();
    const impatient = remote.with({ timeout: 50 }).call;
    for (let late = 2; late <= 6; late += 2) {
      // The replies stay in the proxy until both calls have timed out, however long that takes.
      await proxy.arm({ down: { stop: true } });
      const given = FileDescriptor.adopt(openSync('/proc/self/comm', 'r')).handOver();
      const calls = [impatient.Echo('late'), impatient.Pass(given)];
      for (const error of await Promise.all(calls.map(rejection))) assert.instance(error, TimeoutError);
      assert.is(bus.stats().unexpectedReplies, late - 2, 'the replies are still on their way');
      // It waits behind the late ones, and gets its own reply.
      const inTime = remote.call.Echo(`in time ${late}`);
      await proxy.arm({});
      assert.is(await inTime, `in time ${late}`);
      assert.is(bus.stats().unexpectedReplies, late);
      assert.is(bus.stats().pendingCalls, 0);
      await assertNoFdsLeft(before);
    }
    await passed(remote);
    count({ lateReplies: 6 });
  });

  test('a peer that is cut off at any byte rejects pending operations on both ends', async () => {
    const accepted: MessageBus[] = [];
    const onConnection = (peer: MessageBus) => {
      accepted.push(peer);
      peer.export(PATH, exampleObject());
    };
    const server = await listen({ address: `unix:tmpdir=${folder}`, onConnection });
    await using proxy = await StreamProxy.start(server.address);
    const before = openFds();
    let points = 0;
    const ledger = new Ledger();
    for (const direction of ['up', 'down'] as const) {
      for (let cut = 0, whole = false; !whole; cut++, points++) {
        await proxy.plan({ [direction]: { cut } });
        const client = await connect({ address: proxy.address, peer: true, timeout: 3000 * patience }).catch(
          (error: Error) => error,
        );
        if (client instanceof Error) {
          assert.instance(client, ConnectError, `${direction}, cut at ${cut}`);
          assert.not.match(client.message, /ETIMEDOUT/, `${direction}, cut at ${cut}`);
          continue;
        }
        const echo = client.proxy(Example, PATH).call.Echo('text');
        ledger.call(echo);
        whole = (await echo.catch(() => undefined)) === 'text';
        if (!whole) assert.instance(await rejection(echo), ConnectionClosedError, `${direction}, cut at ${cut}`);
        await client.close();
        assert.ok(cut < 1000, 'an exchange is shorter than that');
      }
    }
    await ledger.outcomes();
    for (const peer of accepted) await peer.disconnected;
    await assertNoFdsLeft(before);
    await server.close();
    count({ cutPoints: points });
  });
}

test.run();
