// Callers of handlers: their credentials, and what is released when they leave.
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  CallerLeftError,
  ConnectionClosedError,
  connect,
  defineInterface,
  type Handle,
  InvalidArgumentError,
  implement,
  type MessageBus,
  sessionBus,
} from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { collectProblems } from '../helpers/problems.js';
import { bringBack, connectAgain } from '../helpers/reconnecting.js';
import { rejection } from '../helpers/rejection.js';
import { rulesAtBus } from '../helpers/rules-at-bus.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const NAME = 'org.example.Callers';
const Callers = defineInterface(NAME, {
  methods: { Take: {}, Wait: {} },
  properties: { Level: { type: 'u' } },
});

/** A service that keeps the context of each call; `Wait` answers when it is told. */
function callersObject() {
  const contexts: CallContext[] = [];
  let finish = () => {};
  const object = implement(Callers, {
    Take: (context) => void contexts.push(context),
    Wait(context) {
      contexts.push(context);
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    },
    Level: 0,
  });
  return { object, contexts, finish: () => finish() };
}

async function serve(address: string, service?: MessageBus) {
  const bus = service ?? (await connect({ address }));
  const { object, contexts, finish } = callersObject();
  bus.export('/', object);
  /** The caller, as the service sees it, of a new connection that has called. */
  const newCaller = async () => {
    const client = await connect({ address });
    await client.proxy(Callers, bus.uniqueName, '/').call.Take();
    return { client, caller: (contexts.at(-1) as CallContext).caller };
  };
  return { bus, contexts, finish, newCaller };
}

const daemons = ['dbus-daemon', 'dbus-broker'] satisfies Daemon[];

for (const daemon of daemons) {
  const test = suite(`callers on ${daemon}`);
  const missing = PrivateBus.missing({ daemon });
  const onBus = (title: string, run: (server: PrivateBus) => Promise<void>) =>
    testUnless(missing, test, title, async () => {
      await using server = await PrivateBus.start({ daemon });
      await run(server);
    });

  onBus('a cleanup runs once when its caller leaves, long after the answer', async ({ address }) => {
    const { bus, newCaller } = await serve(address);
    const { client, caller } = await newCaller();
    const { client: other, caller: otherCaller } = await newCaller();
    assert.is(caller.name, client.uniqueName);
    const reasons: unknown[] = [];
    caller.track((reason) => reasons.push(reason));
    caller.track((reason) => reasons.push(reason));
    otherCaller.track((reason) => reasons.push(reason));
    assert.is(bus.stats().followedCallers, 2);
    await client.close();
    await until(() => reasons.length > 0);
    await bus.listNames();
    assert.is(reasons.length, 2);
    assert.instance(reasons[0], CallerLeftError);
    assert.is(reasons[0], reasons[1]);
    assert.is(bus.stats().followedCallers, 1);
    await bus.close();
    assert.is(reasons.length, 3);
    assert.instance(reasons[2], ConnectionClosedError);
    assert.is(bus.stats().followedCallers, 0);
    await other.close();
  });

  onBus('a handle that is ended never runs its cleanup', async ({ address }) => {
    const { bus, newCaller } = await serve(address);
    const { client, caller } = await newCaller();
    const ran: string[] = [];
    const ended = caller.track(() => ran.push('ended'));
    ended.end();
    ended.end();
    {
      using _disposed = caller.track(() => ran.push('disposed'));
    }
    assert.is(bus.stats().followedCallers, 0);
    // Ended by another cleanup of the same caller.
    const handles: Handle[] = [];
    caller.track(() => {
      ran.push('first');
      for (const handle of handles) handle.end();
    });
    handles.push(caller.track(() => ran.push('second')));
    await client.close();
    await until(() => ran.length > 0);
    await bus.listNames();
    assert.equal(ran, ['first']);
    await bus.close();
    assert.equal(ran, ['first']);
  });

  onBus('for a caller that has left, the cleanup runs soon', async ({ address }) => {
    const { bus, newCaller } = await serve(address);
    const { client, caller } = await newCaller();
    await client.close();
    await until(() => client.state === 'closed');
    await delay(20);
    const reasons: unknown[] = [];
    let isSynchronous = true;
    caller.track((reason) => reasons.push([reason, isSynchronous]));
    const { left } = caller;
    isSynchronous = false;
    await until(() => left.aborted);
    assert.equal(reasons, [[left.reason, false]]);
    assert.instance(left.reason, CallerLeftError);
    // And again, when that is known.
    caller.track(() => reasons.push('again'));
    const ended = caller.track(() => reasons.push('never'));
    ended.end();
    assert.is(reasons.length, 1);
    await delay(0);
    assert.is(reasons[1], 'again');
    assert.is(reasons.length, 2);
    assert.is(bus.stats().followedCallers, 0);
    await bus.close();
  });

  onBus('left lives longer than the signal of the call, and tells which of the two ends came', async ({ address }) => {
    const { bus, contexts, finish, newCaller } = await serve(address);
    const { client } = await newCaller();
    const wait = client.proxy(Callers, bus.uniqueName, '/').call.Wait();
    await until(() => contexts.length === 2);
    const { signal, caller } = contexts[1] as CallContext;
    const { left } = caller;
    assert.is(caller.left, left);
    assert.is((contexts[0] as CallContext).caller.left, left, 'one signal for all calls of a caller');
    finish();
    await wait;
    await client.close();
    await until(() => left.aborted);
    assert.instance(left.reason, CallerLeftError);
    assert.match(left.reason.message, `${caller.name} left the bus`);
    assert.not(signal.aborted);
    const { client: second, caller: secondCaller } = await newCaller();
    const { left: closed } = secondCaller;
    await bus.close();
    assert.instance(closed.reason, ConnectionClosedError);
    await second.close();
  });

  onBus('the signal of a call that is being answered tells which of the two ends came', async (server) => {
    const { address } = server;
    const { bus, contexts, newCaller } = await serve(address);
    void bus.disconnected;
    const { client } = await newCaller();
    client
      .proxy(Callers, bus.uniqueName, '/')
      .call.Wait()
      .catch(() => {});
    await until(() => contexts.length === 2);
    const { signal } = contexts[1] as CallContext;
    assert.not(signal.aborted);
    assert.is(bus.stats().callsInProgress, 1);
    await client.close({ drain: 0 });
    await until(() => signal.aborted);
    assert.instance(signal.reason, CallerLeftError);
    assert.equal([bus.stats().callsInProgress, bus.stats().followedCallers], [0, 0]);
    const { client: second } = await newCaller();
    void second.disconnected;
    second
      .proxy(Callers, bus.uniqueName, '/')
      .call.Wait()
      .catch(() => {});
    await until(() => contexts.length === 4);
    const { signal: lost } = contexts[3] as CallContext;
    assert.not(lost.aborted);
    await server.kill();
    await until(() => lost.aborted);
    assert.instance(lost.reason, ConnectionClosedError);
    assert.instance((lost.reason as Error).cause, Error);
  });

  onBus('a loss ends all callers, and those of the next connection are others', async (server) => {
    const bus = await connectAgain(server);
    const { newCaller } = await serve(server.address, bus);
    const { client, caller } = await newCaller();
    void client.disconnected;
    const reasons: unknown[] = [];
    caller.track((reason) => reasons.push(reason));
    const { left } = caller;
    await bringBack(server, bus);
    assert.is(reasons.length, 1);
    assert.instance(reasons[0], ConnectionClosedError);
    assert.instance((reasons[0] as Error).cause, Error);
    assert.is(left.reason, reasons[0]);
    assert.is(bus.stats().followedCallers, 0);
    // The name may be that of another connection now.
    caller.track((reason) => reasons.push(reason));
    await delay(0);
    assert.is(reasons.length, 2);
    assert.instance(await rejection(caller.credentials()), ConnectionClosedError);
    assert.is(bus.stats().followedCallers, 0);
    const { client: next, caller: nextCaller } = await newCaller();
    nextCaller.track((reason) => reasons.push(reason));
    await next.close();
    await until(() => reasons.length === 3);
    assert.instance(reasons[2], CallerLeftError);
    await bus.close();
  });

  onBus('errors of a cleanup are reported, and stop no other one', async ({ address }) => {
    const { bus, newCaller } = await serve(address);
    const { client, caller } = await newCaller();
    const ran: string[] = [];
    using problems = collectProblems();
    caller.track(() => {
      ran.push('throws');
      throw new Error('thrown');
    });
    caller.track(async () => {
      ran.push('rejects');
      throw new Error('rejected');
    });
    caller.track(() => {
      ran.push('thenable');
      // biome-ignore lint/suspicious/noThenProperty: a promise of another library.
      return { then: (_: unknown, reject: (error: Error) => void) => reject(new Error('of a thenable')) };
    });
    caller.track(() => ran.push('last'));
    await client.close();
    await until(() => ran.length === 4 && problems.all.length === 3);
    assert.equal(ran, ['throws', 'rejects', 'thenable', 'last']);
    const what = `the cleanup of ${caller.name} failed`;
    assert.equal(
      problems.all.map(({ kind, message, error, connection }) => [kind, message, (error as Error).message, connection]),
      ['thrown', 'rejected', 'of a thenable'].map((text) => ['handler', what, text, bus.stats().connection]),
    );
    await bus.close();
  });

  onBus('a handler that ends with its caller has not failed', async ({ address }) => {
    const Endless = defineInterface('org.example.Endless', {
      methods: { Left: {}, Tracked: {}, Signal: {}, Fail: {} },
    });
    const bus = await connect({ address });
    let begun = 0;
    bus.export(
      '/',
      implement(Endless, {
        Left({ caller }) {
          begun++;
          return delay(100_000, undefined, { signal: caller.left, ref: false });
        },
        Tracked({ caller }) {
          begun++;
          return new Promise<void>((_, reject) => caller.track(reject));
        },
        Signal({ signal }) {
          begun++;
          return delay(100_000, undefined, { signal, ref: false });
        },
        async Fail({ caller }) {
          begun++;
          await delay(100_000, undefined, { signal: caller.left, ref: false }).catch(() => {});
          throw new Error('a failure of its own');
        },
      }),
    );
    const client = await connect({ address });
    const { call } = client.proxy(Endless, bus.uniqueName, '/');
    for (const method of [call.Left, call.Tracked, call.Signal, call.Fail]) method().catch(() => {});
    await until(() => begun === 4);
    using problems = collectProblems();
    await client.close({ drain: 0 });
    await until(() => bus.stats().callsInProgress === 0);
    await bus.listNames();
    assert.equal(
      problems.all.map(({ error }) => (error as Error).message),
      ['a failure of its own'],
    );
    await bus.close();
  });

  onBus('a caller and its handles show what they are, and a wrong cleanup is refused', async ({ address }) => {
    const { bus, newCaller } = await serve(address);
    const { client, caller } = await newCaller();
    assert.is(inspect(caller), `Caller { ${client.uniqueName} }`);
    using handle = caller.track(() => {});
    assert.is(inspect(handle), `tracked caller { ${client.uniqueName} }`);
    for (const wrong of [undefined, null, {}, 'text']) {
      assert.throws(
        () => caller.track(wrong as never),
        (error: unknown) => error instanceof InvalidArgumentError,
      );
    }
    assert.is(bus.stats().followedCallers, 1);
    await client.close();
    await bus.close();
  });

  onBus('a share ends the callers of its own exports when it closes', async ({ address }) => {
    const before = process.env.DBUS_SESSION_BUS_ADDRESS;
    process.env.DBUS_SESSION_BUS_ADDRESS = address;
    const [one, two] = await Promise.all([sessionBus(), sessionBus()]);
    process.env.DBUS_SESSION_BUS_ADDRESS = before;
    const objects = [callersObject(), callersObject()] as const;
    one.export('/one', objects[0].object);
    two.export('/two', objects[1].object);
    const client = await connect({ address });
    const ran: unknown[][] = [[], []];
    for (const [index, path] of ['/one', '/two'].entries()) {
      await client.proxy(Callers, one.uniqueName, path).call.Take();
      objects[index]?.contexts[0]?.caller.track((reason) => ran[index]?.push(reason));
    }
    const lefts = objects.map(({ contexts: [first] }) => (first as CallContext).caller.left);
    assert.is(two.stats().followedCallers, 2);
    await one.close();
    assert.instance(ran[0]?.[0], ConnectionClosedError);
    assert.equal(
      lefts.map(({ aborted }) => aborted),
      [true, false],
    );
    assert.is(ran[1]?.length, 0);
    assert.is(two.stats().followedCallers, 1);
    // Also for a share that is closed already.
    objects[0].contexts[0]?.caller.track(() => ran[0]?.push('again'));
    await until(() => ran[0]?.length === 2);
    await client.close();
    await until(() => ran[1]?.length === 1);
    assert.instance(ran[1]?.[0], CallerLeftError);
    assert.is(two.stats().followedCallers, 0);
    await two.close();
  });

  onBus('a service that calls itself is its own caller, until its connection ends', async ({ address }) => {
    const { bus, contexts } = await serve(address);
    await bus.proxy(Callers, bus.uniqueName, '/').call.Take();
    const { caller } = contexts[0] as CallContext;
    assert.is(caller.name, bus.uniqueName);
    const reasons: unknown[] = [];
    caller.track((reason) => reasons.push(reason));
    await bus.listNames();
    assert.is((await caller.credentials()).pid, process.pid);
    await bus.close();
    assert.instance(reasons[0], ConnectionClosedError);
  });

  test.run();
}

const daemonOnly = suite('callers and match rules');

daemonOnly('64 callers have a match rule each, all others share one, and all are removed', async () => {
  await using server = await PrivateBus.start({ daemon: 'dbus-daemon' });
  const { bus, contexts } = await serve(server.address);
  const clients = await Promise.all(Array.from({ length: 80 }, () => connect({ address: server.address })));
  for (const client of clients) await client.proxy(Callers, bus.uniqueName, '/').call.Take();
  const base = await rulesAtBus(bus);
  const left: (string | undefined)[] = [];
  const handles = contexts.map(({ caller }) => caller.track(() => left.push(caller.name)));
  assert.is(bus.stats().followedCallers, 80);
  assert.is((await rulesAtBus(bus)) - base, 65);
  assert.is(bus.stats().matchRules, 0);
  // The last ones share a rule; a new caller gets a rule of its own when there is room.
  for (const handle of handles.slice(0, 20)) handle.end();
  assert.is((await rulesAtBus(bus)) - base, 45);
  for (const index of [79, 30]) await clients[index]?.close();
  await until(() => left.length === 2);
  assert.equal(
    left,
    [79, 30].map((index) => contexts[index]?.sender),
  );
  for (const { caller } of contexts.slice(0, 20)) caller.track(() => {});
  assert.is((await rulesAtBus(bus)) - base, 65 - 1);
  await Promise.all(clients.map((client) => client.close()));
  await until(() => bus.stats().followedCallers === 0);
  assert.is(left.length, 60);
  assert.is(await rulesAtBus(bus), base);
  await bus.close();
});

daemonOnly.run();
