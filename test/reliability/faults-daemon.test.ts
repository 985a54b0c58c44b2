// The daemon is killed, by its process id, in every state of a connection: whatever waits is told, once, and why.
import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectError,
  ConnectionClosedError,
  connect,
  defineInterface,
  implement,
  type MessageBus,
} from '../../src/index.js';
import { count, Ledger } from '../helpers/ledger.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { skip } from '../helpers/skip.js';

const NAME = 'org.example.Faults';
const Faults = defineInterface(NAME, {
  methods: { Never: {}, Take: { in: 'ay' } },
  signals: { Tick: { args: 'u' } },
});

const openFds = () => readdirSync('/proc/self/fd').length;

/** How often a connection says that it is over: all the ways there are to hear of it. */
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

// Waiting for an end that nobody causes here keeps no process alive.
const alive = setInterval(() => {}, 1000);
test.after(() => clearInterval(alive));

for (const kind of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const missing = PrivateBus.missing({ daemon: kind });
  if (missing === undefined) addTests(kind);
  else skip(test, kind, missing);
}

function addTests(kind: Daemon): void {
  /** Runs what happens on a bus that ends in it; afterwards no descriptor of it is left, and the bus can come back. */
  const atDaemon = (name: string, run: (daemon: PrivateBus, ledger: Ledger) => Promise<void>) =>
    test(`${kind}: ${name}`, async () => {
      await using daemon = await PrivateBus.start({ daemon: kind });
      const ledger = new Ledger();
      const before = openFds();
      await run(daemon, ledger);
      await ledger.outcomes();
      assert.not(daemon.running);
      // The pipes of the daemon's own process are gone too.
      assert.ok(openFds() <= before, 'no descriptor is left');
      await daemon.restart();
      await using again = await connect({ address: daemon.address });
      assert.ok((await again.listNames()).includes(again.uniqueName as string));
      count({ killsSurvived: 1 });
    });

  for (const milliseconds of [0, 1, 2, 3, 5, 8]) {
    atDaemon(`killed ${milliseconds} ms into connecting and greeting`, async (daemon) => {
      const attempts = Array.from({ length: 20 }, () =>
        connect({ address: daemon.address, timeout: 3000 }).catch((error: Error) => error),
      );
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      await daemon.kill();
      for (const outcome of await Promise.all(attempts)) {
        if (outcome instanceof Error) {
          assert.instance(outcome, ConnectError);
          assert.not.match(outcome.message, /ETIMEDOUT/);
        } else assert.instance(await outcome.disconnected, ConnectionClosedError);
      }
    });
  }

  atDaemon('stopped while greeting, then killed', async (daemon) => {
    await daemon.kill('SIGSTOP');
    const attempt = rejection(connect({ address: daemon.address, timeout: 10_000 }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await daemon.kill();
    assert.instance(await attempt, ConnectError);
  });

  atDaemon('killed while idle', async (daemon) => {
    const bus = await connect({ address: daemon.address });
    const ends = new Ends(bus);
    await daemon.kill();
    await ends.assertOnce(bus);
  });

  atDaemon('killed while calls, subscriptions, names and iterations wait', async (daemon, ledger) => {
    const bus = await connect({ address: daemon.address });
    const ends = new Ends(bus);
    bus.export('/faults', implement(Faults, { Never: () => new Promise(() => {}), Take: () => {} }));
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
    late.unsubscribe();
    subscription.unsubscribe();
  });

  atDaemon('killed while a large message is written', async (daemon, ledger) => {
    const bus = await connect({ address: daemon.address });
    const ends = new Ends(bus);
    // A daemon that does not read keeps the message where it is.
    await daemon.kill('SIGSTOP');
    const remote = bus.proxy(Faults, bus.uniqueName as string, '/faults');
    ledger.call(remote.call.Take(new Uint8Array(20_000_000)));
    const flushed = bus.flush();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(bus.stats().queuedBytes > 1_000_000);
    await daemon.kill();
    await flushed;
    await ends.assertOnce(bus);
    assert.equal(await ledger.outcomes(), { ConnectionClosedError: 1 });
  });

  atDaemon('killed while a flood is received', async (daemon, ledger) => {
    const bus = await connect({ address: daemon.address });
    const sender = await connect({ address: daemon.address });
    const ends = new Ends(bus);
    const faults = implement(Faults, { Never: () => {}, Take: () => {} });
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
