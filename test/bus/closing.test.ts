// Leaving: names are given back, what was delivered is answered, running handlers are waited for, and then the connection closes.
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CallerLeftError,
  ConnectionClosedError,
  connect,
  defineInterface,
  InvalidArgumentError,
  implement,
  type MessageBus,
  NameHasNoOwnerError,
  ServiceLeftError,
  ServiceUnknownError,
} from '../../src/index.js';
import { PATH, peers } from '../helpers/peers.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { skip } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const NAME = 'org.example.Closing';
const Closing = defineInterface(NAME, {
  methods: {
    Wait: { in: 'u', out: 'u' },
    Now: { in: 'u', out: 'u' },
    Never: {},
    Ask: { out: 's' },
    Make: { out: 'o' },
  },
  signals: { Said: { args: 'u' } },
});

for (const kind of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const test = suite(`closing a connection to ${kind}`);
  const missing = PrivateBus.missing({ daemon: kind });
  if (missing !== undefined) {
    skip(test, `closing a connection to ${kind}`, missing);
    test.run();
    continue;
  }

  let daemon: PrivateBus;
  let client: MessageBus;
  test.before(async () => {
    daemon = await PrivateBus.start({ daemon: kind });
    client = await connect({ address: daemon.address });
  });
  test.after(async () => {
    await client.close();
    await daemon.stop();
  });

  interface Served {
    readonly bus: MessageBus;
    readonly aborted: unknown[];
    readonly finish: () => void;
  }

  async function serve(): Promise<Served> {
    const bus = await connect({ address: daemon.address });
    const aborted: unknown[] = [];
    let finish!: () => void;
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const object = implement(Closing, {
      Wait: async (value) => {
        await gate;
        return value;
      },
      Now: (value) => value,
      Never: ({ signal }) =>
        new Promise<void>(() => signal.addEventListener('abort', () => void aborted.push(signal.reason))),
      // What a handler needs for its answer, it gets.
      Ask: async () => {
        await gate;
        return bus.nameOwner('org.freedesktop.DBus');
      },
      Make: async () => {
        await gate;
        return bus.export('/made', implement(defineInterface('org.example.Made', {}), {})).path;
      },
    });
    bus.export(PATH, object);
    await bus.requestName(NAME);
    return { bus, aborted, finish };
  }

  const proxyOf = () => client.proxy(Closing, NAME, PATH);

  test('what was delivered is answered before a connection closes, and callers go elsewhere meanwhile', async () => {
    const { bus, finish } = await serve();
    const proxy = proxyOf();
    const answers = [proxy.call.Wait(1), proxy.call.Now(2), proxy.call.Ask(), proxy.call.Make()];
    await until(() => bus.stats().callsInProgress === 3);
    // These are on their way when it closes.
    const more = Array.from({ length: 100 }, (_, i) => proxy.call.Now(i));
    const closing = bus.close({ drain: 60_000 });
    assert.is(bus.state, 'closing');
    assert.instance(await rejection(bus.requestName(`${NAME}.Other`)), ConnectionClosedError);
    const outcomes = await Promise.allSettled(more);
    // Those that the bus did not route here any more reached no service.
    for (const each of outcomes) if (each.status === 'rejected') assert.instance(each.reason, ServiceUnknownError);
    await until(() => bus.stats().ownedNames === 0);
    assert.instance(await rejection(client.nameOwner(NAME)), NameHasNoOwnerError);
    assert.is(bus.state, 'closing');
    finish();
    assert.equal(await Promise.all(answers), [1, 2, 'org.freedesktop.DBus', '/made']);
    await closing;
    assert.is(bus.state, 'closed');
    assert.is(await bus.disconnected, undefined);
  });

  test('handlers are waited for within the limit, which a second close makes shorter', async () => {
    for (const shorten of [false, true]) {
      const { bus, aborted } = await serve();
      const waiting = rejection(proxyOf().call.Never());
      await until(() => bus.stats().callsInProgress === 1);
      const closing = bus.close({ drain: shorten ? 60_000 : 30 });
      if (shorten) await bus.close({ drain: 0 });
      await closing;
      assert.instance(await waiting, ServiceLeftError);
      assert.is(aborted.length, 1);
      assert.instance(aborted[0], ConnectionClosedError);
      assert.match((aborted[0] as Error).message, 'closed');
    }
  });

  test('the signal of a call tells that the caller left, and is silent when the call has been answered', async () => {
    const { bus, aborted } = await serve();
    const signals: AbortSignal[] = [];
    bus.export(
      '/noted',
      implement(Closing, {
        Wait(value, { signal }) {
          signals.push(signal);
          return value;
        },
        Now: (value) => value,
        Never() {},
        Ask: () => '',
        Make: () => '/',
      }),
    );
    const caller = await connect({ address: daemon.address });
    const name = caller.uniqueName as string;
    assert.is(await caller.proxy(Closing, NAME, '/noted').call.Wait(5), 5);
    void caller
      .proxy(Closing, NAME, PATH)
      .call.Never()
      .catch(() => {});
    await until(() => bus.stats().callsInProgress === 1);
    await caller.close();
    await until(() => aborted.length === 1);
    assert.instance(aborted[0], CallerLeftError);
    assert.match((aborted[0] as Error).message, name);
    await bus.close();
    assert.equal(
      signals.map(({ aborted: isAborted }) => isAborted),
      [false],
    );
  });

  test('a connection that answers nothing closes at once, and listeners hear nothing after close', async () => {
    const bus = await connect({ address: daemon.address });
    let heard = 0;
    bus.subscribe({ interface: NAME, member: 'Said' }, () => {
      heard++;
      void bus.close();
    });
    await bus.listNames();
    for (let i = 0; i < 50; i++)
      client.emit({ path: PATH, interface: NAME, member: 'Said', signature: 'u', body: [i] });
    await bus.disconnected;
    assert.is(heard, 1);
  });

  test('a loss while it closes ends it', async () => {
    const own = await PrivateBus.start({ daemon: kind });
    const bus = await connect({ address: own.address });
    bus.export(
      PATH,
      implement(Closing, {
        Wait: (value) => value,
        Now: (value) => value,
        Never: () => new Promise<void>(() => {}),
        Ask: () => '',
        Make: () => '/',
      }),
    );
    void bus
      .proxy(Closing, bus.uniqueName, PATH)
      .call.Never()
      .catch(() => {});
    await until(() => bus.stats().callsInProgress === 1);
    const closing = bus.close({ drain: Number.POSITIVE_INFINITY });
    await own.kill();
    await closing;
    assert.is(bus.state, 'closed');
    await own.stop();
  });

  test('options that make no sense close nothing', async () => {
    await using bus = await connect({ address: daemon.address });
    for (const options of [{ drain: -1 }, { drain: '5' }, { drain: Number.NaN }, null, 5] as never[]) {
      assert.instance(await rejection(bus.close(options)), InvalidArgumentError);
      assert.is(bus.state, 'open');
    }
  });

  test.run();
}

const between = suite('closing between peers');

between('what lies in the socket is answered, whoever closes in the first of many handlers', async () => {
  await using both = await peers();
  const { accepted, client } = both;
  let calls = 0;
  const exported = implement(Closing, {
    Wait: (value) => delay(20).then(() => value),
    Now(value) {
      calls++;
      void accepted.close();
      return value;
    },
    Never: () => new Promise<void>(() => {}),
    Ask: () => '',
    Make: () => '/',
  });
  accepted.export(PATH, exported);
  const proxy = client.proxy(Closing, PATH);
  const answers = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? proxy.call.Now(i) : proxy.call.Wait(i)));
  assert.equal(
    await Promise.all(answers),
    Array.from({ length: 60 }, (_, i) => i),
  );
  assert.is(calls, 30);
  assert.is(await accepted.disconnected, undefined);
});

between('a server that closes drains its connections', async () => {
  await using both = await peers();
  const { server, client, accepted } = both;
  accepted.export(
    PATH,
    implement(Closing, {
      Wait: (value) => delay(100).then(() => value),
      Now: (value) => value,
      Never() {},
      Ask: () => '',
      Make: () => '/',
    }),
  );
  const answer = client.proxy(Closing, PATH).call.Wait(7);
  await until(() => accepted.stats().callsInProgress === 1);
  await server.close({ drain: 30_000 });
  assert.is(await answer, 7);
});

between.run();
