// time limit: 180 s
// The daemon is killed, by its process id, in every state of a connection: each pending operation gets one error with the
// reason.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  ConnectError,
  ConnectionClosedError,
  connect,
  defineInterface,
  implement,
  type MessageBus,
  type Problem,
} from '../../src/index.js';
import { count, Ledger } from '../helpers/ledger.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { patience } from '../helpers/patience.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { skip } from '../helpers/skip.js';
import { StreamProxy } from '../helpers/stream-proxy.js';

const NAME = 'org.example.Faults';
const Faults = defineInterface(NAME, {
  methods: { Never: {}, Take: { in: 'ay' }, Give: { out: 'ay' } },
  signals: { Tick: { args: 'u' } },
});
/** The methods of a service that are not called, or never answer. */
const silent = { Never: () => new Promise<void>(() => {}), Take: () => {}, Give: () => new Uint8Array() };

const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => void unhandled.push(reason));

/** How often a connection reports its end, in each of the ways. */
class Ends {
  readonly reasons: unknown[] = [];

  constructor(bus: MessageBus) {
    void bus.disconnected.then((reason) => this.reasons.push(reason));
  }

  async assertOnce(bus: MessageBus): Promise<void> {
    const reason = await bus.disconnected;
    assert.instance(reason, ConnectionClosedError);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(this.reasons, [reason]);
    assert.is(bus.state, 'closed');
    const { pendingCalls, queuedBytes } = bus.stats();
    assert.equal({ pendingCalls, queuedBytes }, { pendingCalls: 0, queuedBytes: 0 });
    assert.instance(await rejection(bus.listNames()), ConnectionClosedError);
    await bus.close();
  }
}

const test = suite('faults: daemon');

// Waiting for an end that does not happen here keeps no process alive.
const alive = setInterval(() => {}, 1000);
test.after(() => clearInterval(alive));

for (const kind of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const missing = PrivateBus.missing({ daemon: kind }) ?? StreamProxy.missing();
  if (missing === undefined) addTests(kind);
  else skip(test, kind, missing);
}

function addTests(kind: Daemon): void {
  /** Runs a test on a bus that ends in it; afterwards no descriptor of it is left, and the bus can start again. */
  const atDaemon = (name: string, run: (daemon: PrivateBus, ledger: Ledger) => Promise<void>) =>
    test(`${kind}: ${name}`, async () => {
      await using daemon = await PrivateBus.start({ daemon: kind });
      const ledger = new Ledger();
      const before = openFds();
      await run(daemon, ledger);
      await ledger.outcomes();
      assert.not(daemon.running);
      await assertNoFdsLeft(before);
      await daemon.restart();
      await using again = await connect({ address: daemon.address });
      assert.ok((await again.listNames()).includes(again.uniqueName as string));
      count({ killsSurvived: 1 });
    });

  /** As {@link atDaemon}, with a proxy that limits how far a stream gets. */
  const withProxy = (name: string, run: (daemon: PrivateBus, proxy: StreamProxy, ledger: Ledger) => Promise<void>) =>
    atDaemon(name, async (daemon, ledger) => {
      await using proxy = await StreamProxy.start(daemon.address);
      await run(daemon, proxy, ledger);
    });

  atDaemon('stopped before its first byte, then killed', async (daemon) => {
    await daemon.kill('SIGSTOP');
    const attempts = Array.from({ length: 20 }, () =>
      rejection(connect({ address: daemon.address, timeout: 10_000 * patience })),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    await daemon.kill();
    for (const error of await Promise.all(attempts)) {
      assert.instance(error, ConnectError);
      assert.match(error.message, /ECONNRESET|EPIPE|ENOTCONN/);
    }
  });

  for (const direction of ['up', 'down'] as const) {
    withProxy(`killed at eight points of the stream ${direction} while a client connects`, async (daemon, proxy) => {
      await (await connect({ address: proxy.address })).close();
      const whole = (await proxy.ended())[direction];
      const phases = new Set<string>();
      for (let point = 0; point < 8; point++) {
        await daemon.restart();
        await proxy.plan({ [direction]: { cut: Math.floor((whole * point) / 8), hold: true } });
        const attempt = connect({ address: proxy.address, timeout: 10_000 * patience }).catch((error: Error) => error);
        await proxy.held();
        await daemon.kill();
        const outcome = await attempt;
        if (outcome instanceof Error) {
          assert.instance(outcome, ConnectError);
          assert.not.match(outcome.message, /ETIMEDOUT|in time/, `point ${point}`);
          phases.add(/while trying to (\w+)/.exec(outcome.message)?.[1] ?? 'greet');
        } else {
          // NameAcquired follows the reply to Hello, and is as long as everything before it.
          assert.is(direction, 'down');
          assert.ok(point > 3, `point ${point}`);
          assert.instance(await outcome.disconnected, ConnectionClosedError);
        }
      }
      assert.equal([...phases], ['authenticate', 'greet']);
    });
  }

  atDaemon('killed while idle', async (daemon) => {
    const bus = await connect({ address: daemon.address });
    const ends = new Ends(bus);
    await daemon.kill();
    await ends.assertOnce(bus);
  });

  atDaemon('killed while calls, subscriptions, names and iterators wait', async (daemon, ledger) => {
    const bus = await connect({ address: daemon.address });
    const ends = new Ends(bus);
    bus.export('/faults', implement(Faults, silent));
    await bus.requestName(NAME);
    const remote = bus.proxy(Faults, NAME, '/faults');
    for (let call = 0; call < 100; call++) ledger.call(remote.call.Never());
    const subscription = remote.on.Tick(() => {});
    await subscription.ready;
    const late = remote.on.Tick(() => {});
    ledger.call(bus.requestName('org.example.Late'));
    ledger.call(late.ready);
    await daemon.kill();
    await ends.assertOnce(bus);
    const outcomes = await ledger.outcomes();
    assert.ok((outcomes.ConnectionClosedError ?? 0) >= 100, JSON.stringify(outcomes));
    late.end();
    subscription.end();
  });

  atDaemon('killed while a large message is written', async (daemon, ledger) => {
    const bus = await connect({ address: daemon.address });
    const ends = new Ends(bus);
    // A daemon that does not read leaves the message in the queue.
    await daemon.kill('SIGSTOP');
    const remote = bus.proxy(Faults, bus.uniqueName as string, '/faults');
    ledger.call(remote.call.Take(new Uint8Array(20_000_000)));
    const flushed = bus.flush().catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(bus.stats().queuedBytes > 1_000_000);
    await daemon.kill();
    assert.instance(await flushed, ConnectionClosedError);
    await ends.assertOnce(bus);
    assert.equal(await ledger.outcomes(), { ConnectionClosedError: 1 });
  });

  withProxy('killed while a large message is received', async (daemon, proxy, ledger) => {
    const size = 10_000_000;
    const service = await connect({ address: daemon.address });
    service.export('/faults', implement(Faults, { ...silent, Give: () => new Uint8Array(size) }));
    const bus = await connect({ address: proxy.address });
    const ends = new Ends(bus);
    const remote = bus.proxy(Faults, service.uniqueName as string, '/faults');
    await proxy.arm({ down: { cut: size / 2, hold: true } });
    ledger.call(remote.call.Give());
    ledger.call(remote.call.Give());
    await proxy.held();
    assert.is(bus.stats().pendingCalls, 2);
    await daemon.kill();
    await ends.assertOnce(bus);
    assert.instance(await service.disconnected, ConnectionClosedError);
    assert.equal(await ledger.outcomes(), { ConnectionClosedError: 2 });
    assert.ok(bus.stats().bodyBytesReceived < size, 'none of the two had come');
  });

  atDaemon('killed while the handler of a service runs, which then answers', async (daemon, ledger) => {
    const bus = await connect({ address: daemon.address });
    const client = await connect({ address: daemon.address });
    const ends = new Ends(bus);
    const problems: Problem[] = [];
    const listener = (problem: unknown) => void problems.push(problem as Problem);
    let aborted = 0;
    const finish: (() => void)[] = [];
    const handler = ({ signal }: CallContext) =>
      new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => aborted++);
        finish.push(finish.length % 2 === 0 ? resolve : () => reject(new Error('too late')));
      });
    bus.export('/faults', implement(Faults, { ...silent, Never: handler }));
    const remote = client.proxy(Faults, bus.uniqueName as string, '/faults');
    for (let call = 0; call < 10; call++) ledger.call(remote.call.Never());
    while (finish.length < 10) await new Promise((resolve) => setTimeout(resolve, 1));
    await daemon.kill();
    await ends.assertOnce(bus);
    assert.equal(await ledger.outcomes(), { ConnectionClosedError: 10 });
    assert.is(aborted, 10, 'the AbortSignal of every handler fires');
    subscribe('busbar:problem', listener);
    for (const answer of finish) answer();
    await new Promise((resolve) => setTimeout(resolve, 10));
    unsubscribe('busbar:problem', listener);
    assert.equal(unhandled, []);
    // The failed ones are reported; those that answered a caller that has left are not at fault.
    assert.equal(
      problems.map(({ kind }) => kind),
      Array(5).fill('handler'),
    );
  });

  atDaemon('killed while many signals are received', async (daemon, ledger) => {
    const bus = await connect({ address: daemon.address });
    const sender = await connect({ address: daemon.address });
    const ends = new Ends(bus);
    const faults = implement(Faults, silent);
    sender.export('/faults', faults);
    let enough = () => {};
    const flooded = new Promise<void>((resolve) => {
      enough = resolve;
    });
    await bus.proxy(Faults, sender.uniqueName as string, '/faults').on.Tick((number) => {
      ledger.arrive(number);
      if (ledger.arrived === 1000) enough();
    }).ready;
    for (let number = 0; number < 20_000; number++) {
      ledger.emit(number, faults.emit.Tick);
    }
    await flooded;
    await daemon.kill();
    await ends.assertOnce(bus);
    assert.instance(await sender.disconnected, ConnectionClosedError);
    ledger.assertBeginningArrived();
  });

  atDaemon('killed while closing', async (daemon, ledger) => {
    const bus = await connect({ address: daemon.address });
    const reasons: unknown[] = [];
    void bus.disconnected.then((reason) => reasons.push(reason));
    await daemon.kill('SIGSTOP');
    const remote = bus.proxy(Faults, bus.uniqueName as string, '/faults');
    ledger.call(remote.call.Take(new Uint8Array(5_000_000)));
    const closed = bus.close();
    assert.is(bus.state, 'closing');
    await daemon.kill();
    await closed;
    assert.is(reasons.length, 1);
    assert.equal(await ledger.outcomes(), { ConnectionClosedError: 1 });
  });
}

test.run();
