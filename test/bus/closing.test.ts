// Closing a connection: names are released, delivered calls are answered, running handlers are awaited, and then the
// connection closes.
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CallerLeftError,
  ConnectionClosedError,
  connect,
  type DBusError,
  defineInterface,
  InvalidArgumentError,
  implement,
  type Message,
  type MessageBus,
  MessageType,
  NameHasNoOwnerError,
  ServiceLeftError,
  ServiceUnknownError,
} from '../../src/index.js';
import { blockLoopBeforeTimers } from '../helpers/block-loop.js';
import { patience } from '../helpers/patience.js';
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
      // While closing, a handler can still make the calls that it needs for its answer.
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

  test('delivered calls are answered before a connection closes, and new calls reach the next owner meanwhile', async () => {
    const { bus, finish } = await serve();
    const proxy = proxyOf();
    const answers = [proxy.call.Wait(1), proxy.call.Now(2), proxy.call.Ask(), proxy.call.Make()];
    await until(() => bus.stats().callsInProgress === 3);
    // These calls are on their way when the connection closes.
    const more = Array.from({ length: 100 }, (_, i) => proxy.call.Now(i));
    const closing = bus.close({ drain: 60_000 });
    assert.is(bus.state, 'closing');
    assert.instance(await rejection(bus.requestName(`${NAME}.Other`)), ConnectionClosedError);
    const outcomes = await Promise.allSettled(more);
    // Calls that the bus did not route to this connection any more reached no service.
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

  test('handlers get answers that came while the event loop was blocked beyond the limit', async () => {
    const { bus, finish } = await serve();
    const proxy = proxyOf();
    const answers = Array.from({ length: 20 }, () => proxy.call.Ask());
    await until(() => bus.stats().callsInProgress === 20);
    const closing = bus.close({ drain: 500 * patience });
    finish();
    await blockLoopBeforeTimers(1500 * patience);
    await closing;
    assert.equal(await Promise.all(answers), Array(20).fill('org.freedesktop.DBus'));
  });

  test('handlers are awaited within the limit, which a second close makes shorter', async () => {
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

  test('the AbortSignal of a call fires when the caller leaves, but not once the call has been answered', async () => {
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

  test('a connection without running handlers closes at once, and listeners get nothing after close', async () => {
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

  test('a loss during close ends it', async () => {
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

  test('close waits for a call that a message handler took until it is answered or its caller has left', async () => {
    const call = { path: PATH, interface: NAME, member: 'Taken' };
    for (const how of ['answer', 'error', 'leave', 'noReply', 'none']) {
      const bus = await connect({ address: daemon.address });
      const caller = await connect({ address: daemon.address });
      const taken: Message[] = [];
      bus.addMessageHandler((message) => {
        if (message.member !== 'Taken') return false;
        taken.push(message);
        return true;
      });
      const destination = bus.uniqueName as string;
      const noReply = how === 'noReply';
      const answers = [1, 2].map(() => caller.call({ ...call, destination, noReply }).catch((error: unknown) => error));
      await until(() => taken.length === 2);
      let isClosed = false;
      const drain = how === 'none' ? 30 : 60_000;
      const closing = bus.close({ drain }).then(() => {
        isClosed = true;
      });
      const answer = ({ sender, serial }: Message) => {
        const head = { destination: sender, replySerial: serial };
        if (how === 'error') bus.send({ ...head, type: MessageType.Error, errorName: `${NAME}.No` });
        else bus.send({ ...head, type: MessageType.MethodReturn, signature: 'u', body: [5] });
      };
      if (how === 'answer' || how === 'error') {
        await delay(80);
        assert.is(isClosed, false, how);
        answer(taken[0] as Message);
        // An answer to another call, or to another caller, does not count.
        bus.send({ type: MessageType.MethodReturn, destination: client.uniqueName, replySerial: taken[1]?.serial });
        await delay(80);
        assert.is(isClosed, false, how);
        answer(taken[1] as Message);
        const outcomes = await Promise.all(answers);
        for (const each of outcomes) {
          if (how === 'answer') assert.equal(each, [5]);
          else assert.is((each as DBusError).dbusName, `${NAME}.No`);
        }
      } else if (how === 'leave') {
        await delay(80);
        assert.is(isClosed, false, how);
        await caller.close();
      }
      await closing;
      assert.is(bus.state, 'closed', how);
      if (how === 'none') for (const each of await Promise.all(answers)) assert.instance(each, ServiceLeftError);
      await caller.close();
    }
  });

  test('close does not wait for a caller that left before, nor for a call that comes while it closes', async () => {
    const bus = await connect({ address: daemon.address });
    const early = await connect({ address: daemon.address });
    const late = await connect({ address: daemon.address });
    const call = { destination: bus.uniqueName, path: PATH, interface: NAME, member: 'Taken' };
    let taken = 0;
    bus.addMessageHandler(({ member }) => member === 'Taken' && ++taken > 0);
    void early.call(call).catch(() => {});
    await until(() => taken === 1);
    await early.close();
    await bus.listNames();
    void client.call(call).catch(() => {});
    await until(() => taken === 2);
    const closing = bus.close({ drain: 60_000 });
    // The name is owned by `client`; this call comes meanwhile.
    await bus.listNames();
    void late.call(call).catch(() => {});
    await until(() => taken === 3);
    await late.close();
    const other = await connect({ address: daemon.address });
    const last = other.call(call).catch((error: unknown) => error);
    await until(() => taken === 4);
    assert.is(bus.state, 'closing');
    await bus.close({ drain: 0 });
    await closing;
    assert.instance(await last, ServiceLeftError);
    await other.close();
  });

  test('close waits for the promise of a message handler', async () => {
    const bus = await connect({ address: daemon.address });
    let finish!: () => void;
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let begun = 0;
    const done: string[] = [];
    const handler = async ({ member }: Message) => {
      if (member !== 'Taken') return false;
      begun++;
      await gate;
      done.push(await bus.nameOwner('org.freedesktop.DBus'));
      return true;
    };
    bus.addMessageHandler(handler as unknown as (message: Message) => boolean);
    const call = { destination: bus.uniqueName, path: PATH, interface: NAME, member: 'Taken' };
    void client.call(call).catch(() => {});
    await until(() => begun === 1);
    const closing = bus.close({ drain: 60_000 });
    await delay(80);
    assert.is(bus.state, 'closing');
    finish();
    await closing;
    assert.equal(done, ['org.freedesktop.DBus']);
  });

  test('invalid options do not close the connection', async () => {
    await using bus = await connect({ address: daemon.address });
    for (const options of [{ drain: -1 }, { drain: '5' }, { drain: Number.NaN }, null, 5] as never[]) {
      assert.instance(await rejection(bus.close(options)), InvalidArgumentError);
      assert.is(bus.state, 'open');
    }
  });

  test.run();
}

const between = suite('closing between peers');

between(
  'calls in the receive buffer are answered, even if the first of many handlers closes the connection',
  async () => {
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
  },
);

between('close waits for a call that a message handler took', async () => {
  await using both = await peers();
  const { client, accepted } = both;
  const taken: Message[] = [];
  accepted.addMessageHandler((message) => taken.push(message) > 0);
  const answer = client.call({ path: PATH, interface: NAME, member: 'Taken' });
  await until(() => taken.length === 1);
  const closing = accepted.close({ drain: 60_000 });
  await delay(80);
  assert.is(accepted.state, 'closing');
  accepted.send({ type: MessageType.MethodReturn, replySerial: taken[0]?.serial, signature: 'u', body: [6] });
  assert.equal(await answer, [6]);
  await closing;
});

between('closing a server drains its connections', async () => {
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
