// A bus that reconnects: after the bus was killed and started again, everything that was declared works, and nothing that
// was in progress is done twice. On both daemons.
import diagnosticsChannel from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  ConnectError,
  ConnectionClosedError,
  type ConnectionEvent,
  connect,
  DBusError,
  defineInterface,
  InvalidArgumentError,
  implement,
  type Message,
  type MessageBus,
  MessageType,
  NameReleasedError,
  standard,
  TimeoutError,
} from '../../src/index.js';
import { patience } from '../helpers/patience.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { bringBack, connectAgain, held, lose, QUICK, restoredOf } from '../helpers/reconnecting.js';
import { rejection } from '../helpers/rejection.js';
import { skip } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const NAME = 'org.example.Lasting';
const Lamp = defineInterface(NAME, {
  methods: { Add: { in: 'uu', out: 'u' }, Wait: { out: 's' } },
  signals: { Switched: { args: 'u' } },
  properties: { Level: { type: 'u' } },
});

const isClosed = (error: unknown) => error instanceof ConnectionClosedError;

// These tests own names without exporting objects, which causes a warning.
process.removeAllListeners('warning');

for (const kind of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const test = suite(`reconnecting to ${kind}`);
  const missing = PrivateBus.missing({ daemon: kind });
  if (missing !== undefined) {
    skip(test, `reconnecting to ${kind}`, missing);
    test.run();
    continue;
  }

  /** A private bus, with connections that reconnect. */
  async function setting<const Names extends number>(count: Names) {
    const daemon = await PrivateBus.start({ daemon: kind });
    const buses: MessageBus[] = [];
    for (let i = 0; i < count; i++) buses.push(await connectAgain(daemon));
    return {
      daemon,
      buses,
      async [Symbol.asyncDispose]() {
        await Promise.all(buses.map((bus) => bus.close()));
        await daemon.stop();
      },
    };
  }

  test('exports, names, subscriptions, watchers and live views work again, and nothing more is held', async () => {
    await using set = await setting(2);
    const [service, client] = set.buses as [MessageBus, MessageBus];
    const lamp = implement(Lamp, { Add: (a, b) => a + b, Wait: async () => '', Level: 1 });
    service.export('/lamp', lamp);
    service.exportObjectManager('/');
    const owned = await service.requestName(NAME);
    const proxy = client.proxy(Lamp, NAME, '/lamp');
    assert.is(await proxy.call.Add(1, 2), 3);
    const events: unknown[] = [];
    await proxy.on.Switched((which) => void events.push(which)).ready;
    const everything = client.subscribe({ path: '/lamp', member: 'Switched' }, ({ body }) => void events.push(body));
    await everything.ready;
    const names: string[] = [];
    client.watchName(NAME, { appeared: () => void names.push('here'), vanished: () => void names.push('gone') });
    client.watchNames('org.example', {
      appeared: (name) => void names.push(`+${name}`),
      vanished: (name) => void names.push(`-${name}`),
    });
    const view = client.objects(NAME);
    await view.ready;
    const cached = await client.cached(Lamp, NAME, '/lamp');
    await until(() => names.length === 2);
    assert.equal(names.splice(0).sort(), [`+${NAME}`, 'here']);
    const before = [held(service), held(client)];
    const uniqueNames = set.buses.map(({ uniqueName }) => uniqueName);
    await lose(set.daemon, service, client);
    assert.equal([service.state, client.state, owned.state, view.size], ['away', 'away', 'queued', 0]);
    assert.equal([service.uniqueName, client.uniqueName, cached.values], [undefined, undefined, {}]);
    assert.equal(names.splice(0).sort(), [`-${NAME}`, 'gone']);
    lamp.properties.Level = 7;
    await bringBack(set.daemon, service, client);
    await until(() => names.length === 2);
    await until(() => cached.values.Level === 7 && view.of(Lamp).size === 1);
    assert.equal(names.sort(), [`+${NAME}`, 'here']);
    assert.is(owned.state, 'owned');
    lamp.emit.Switched(5);
    await until(() => events.length === 2);
    assert.equal(events, [5, [5]]);
    assert.is(await proxy.call.Add(2, 3), 5);
    lamp.properties.Level = 8;
    await until(() => cached.values.Level === 8);
    assert.equal([held(service), held(client)], before);
    assert.is(new Set([...uniqueNames, service.uniqueName, client.uniqueName]).has(undefined), false);
    // The bus has what it had before, too.
    everything.end();
    view.end();
    cached.end();
    await owned.release();
    assert.is(held(client).subscriptions, 3);
    assert.is(held(service).ownedNames, 0);
  });

  test('calls in flight reject and are not sent again, and the answer of a handler is not sent over the next connection', async () => {
    await using set = await setting(2);
    const [service, client] = set.buses as [MessageBus, MessageBus];
    const contexts: CallContext[] = [];
    let finish: (text: string) => void = () => {};
    const Wait = (context: CallContext) => {
      contexts.push(context);
      return new Promise<string>((resolve) => {
        finish = resolve;
      });
    };
    service.export('/', implement(Lamp, { Add: () => 0, Wait, Level: 1 }));
    await service.requestName(NAME);
    const proxy = client.proxy(Lamp, NAME, '/');
    const reason = rejection(proxy.call.Wait());
    await until(() => contexts.length === 1);
    const [context] = contexts as [CallContext];
    const { signal } = context;
    const sent: unknown[] = [];
    await lose(set.daemon, service, client);
    assert.instance(await reason, ConnectionClosedError);
    assert.ok(signal.aborted && signal.reason instanceof ConnectionClosedError);
    assert.is(service.stats().callsInProgress, 0);
    await bringBack(set.daemon, service, client);
    const isReply = ({ type }: Message) => type === MessageType.MethodReturn || type === MessageType.Error;
    client.addMessageHandler((message) => void (isReply(message) && sent.push(message.type)), { replies: true });
    const before = service.stats().messagesSent;
    finish('late');
    await delay(5);
    await client.listNames();
    assert.is(service.stats().messagesSent, before);
    assert.equal(sent, [2]);
    assert.is(contexts.length, 1);
    // The caller's name may be that of another connection now.
    assert.instance(await rejection(context.caller.credentials()), ConnectionClosedError);
    assert.is(client.stats().unexpectedReplies, 0);
  });

  test('calls made while away are sent in order, within their own time limits', async () => {
    await using set = await setting(2);
    const [service, client] = set.buses as [MessageBus, MessageBus];
    const added: number[] = [];
    const Add = (a: number, b: number) => {
      added.push(a);
      return a + b;
    };
    service.export('/', implement(Lamp, { Add, Wait: async () => '', Level: 1 }));
    await service.requestName(NAME);
    const proxy = client.proxy(Lamp, NAME, '/').with({ wait: true });
    await lose(set.daemon, service, client);
    const controller = new AbortController();
    const late = rejection(proxy.with({ timeout: 30 }).call.Add(1, 0));
    const aborted = rejection(client.proxy(Lamp, NAME, '/').with({ signal: controller.signal }).call.Add(2, 0));
    const values = [1];
    const bus = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus' };
    const call = { ...bus, interface: 'org.freedesktop.DBus', member: 'GetNameOwner', signature: 's' };
    const names = ['org.freedesktop.DBus'];
    const answers = Promise.all([client.call({ ...call, body: names }), client.call({ ...call, body: names })]);
    answers.catch(() => {});
    // What is sent are the values of the call.
    names[0] = 'org.example.Nobody';
    assert.instance(await rejection(client.call({ ...call, body: [5] })), InvalidArgumentError);
    const unanswered = client.call({ ...call, body: ['a.b'] }, { noReply: true });
    const emitted: unknown[] = [];
    const onProblem = (problem: unknown) => void emitted.push((problem as { message: string }).message);
    diagnosticsChannel.subscribe('busbar:problem', onProblem);
    client.emit({ path: '/', interface: 'a.b', member: 'Gone' });
    diagnosticsChannel.unsubscribe('busbar:problem', onProblem);
    assert.equal(emitted, ['a.b.Gone was not sent: there is no connection']);
    assert.throws(() => client.send({ type: 4, path: '/', interface: 'a.b', member: 'Gone' }), isClosed);
    assert.instance(
      await rejection(client.call({ ...call, body: values, serial: client.reserveSerial() } as never)),
      DBusError,
    );
    // The next bus gives unique names to others.
    assert.instance(
      await rejection(client.call({ ...call, destination: ':1.1', body: ['a.b'] })),
      ConnectionClosedError,
    );
    assert.is(client.stats().pendingCalls, 4);
    controller.abort(new Error('enough'));
    assert.is((await aborted).message, 'enough');
    assert.instance(await late, TimeoutError);
    const kept = proxy.with({ timeout: 10_000 }).call.Add(3, 4);
    await bringBack(set.daemon, service, client);
    assert.equal(await answers, [['org.freedesktop.DBus'], ['org.freedesktop.DBus']]);
    assert.equal(await unanswered, []);
    assert.is(await kept, 7);
    assert.equal(added, [3]);
    assert.is(client.stats().pendingCalls, 0);
  });

  test('names are requested with their options; one that was taken says so through its handle', async () => {
    await using set = await setting(2);
    const [first, second] = set.buses as [MessageBus, MessageBus];
    const kept = await first.requestName(`${NAME}.Kept`, { allowReplacement: true });
    const taken = await first.requestName(`${NAME}.Taken`);
    const queued = await first.requestName(`${NAME}.Queued`, { queue: true });
    const losses = [kept.lost, taken.lost, queued.lost];
    await set.daemon.kill();
    await until(() => first.state === 'away');
    assert.equal(await Promise.all(losses), ['disconnected', 'disconnected', 'disconnected']);
    assert.equal([kept.state, taken.state, queued.state], ['queued', 'queued', 'queued']);
    await second.close();
    const again = restoredOf(first);
    await set.daemon.restart();
    // `first` may be quicker: then it loses the names to this one as the specification has it.
    const thief = await connect({ address: set.daemon.address });
    await Promise.allSettled([thief.requestName(`${NAME}.Taken`), thief.requestName(`${NAME}.Queued`)]);
    await again;
    const isQuicker = (await thief.nameOwner(`${NAME}.Taken`)) === first.uniqueName;
    if (!isQuicker) {
      assert.is(taken.state, 'lost');
      assert.is(await taken.lost, 'replaced');
      assert.instance(await rejection(taken.acquired), NameReleasedError);
    }
    assert.is(kept.state, 'owned');
    assert.is(queued.state, (await thief.nameOwner(`${NAME}.Queued`)) === first.uniqueName ? 'owned' : 'queued');
    await thief.requestName(`${NAME}.Kept`, { replace: true });
    assert.is(await kept.lost, 'replaced');
    await thief.close();
    await queued.acquired;
    assert.is(queued.state, 'owned');
  });

  test('close ends a bus at once while it is away', async () => {
    await using set = await setting(1);
    const [bus] = set.buses as [MessageBus];
    const told: string[] = [];
    bus.watchConnection({ lost: () => void told.push('lost'), gaveUp: () => void told.push('gave up') });
    const owned = await bus.requestName(NAME);
    const subscription = bus.subscribe({ member: 'Any' }, () => {});
    await lose(set.daemon, bus);
    const call = rejection(bus.listNames());
    const ready = rejection(bus.subscribe({ member: 'Other' }, () => {}).ready);
    const start = performance.now();
    await bus.close();
    assert.ok(performance.now() - start < 2000 * patience, 'it waits neither for the bus nor for the calls');
    assert.instance(await call, ConnectionClosedError);
    assert.instance(await ready, ConnectionClosedError);
    assert.instance(await rejection(owned.acquired), ConnectionClosedError);
    assert.is(await bus.disconnected, undefined);
    assert.equal([bus.state, owned.state, told], ['closed', 'lost', ['lost']]);
    assert.equal([bus.stats().pendingCalls, bus.stats().subscriptions, bus.stats().matchRules], [0, 0, 0]);
    assert.throws(() => bus.subscribe({ member: 'Any' }, () => {}), isClosed);
    subscription.end();
  });

  test('after the last attempt the bus is closed, with the reason of the loss', async () => {
    const daemon = await PrivateBus.start({ daemon: kind });
    const bus = await connectAgain(daemon, { reconnect: { ...QUICK, attempts: 3 } });
    // Otherwise nothing would keep this process alive.
    bus.ref();
    const failures: string[] = [];
    const onEvent = (event: unknown) => {
      if ((event as ConnectionEvent).failure !== undefined) failures.push((event as ConnectionEvent).state);
    };
    diagnosticsChannel.subscribe('busbar:connection', onEvent);
    const told: unknown[] = [];
    const gaveUp = new Promise((resolve) => {
      bus.watchConnection({
        lost: (reason) => void told.push(reason),
        restored: () => void told.push(1),
        gaveUp: resolve,
      });
    });
    let isOver = false;
    void bus.disconnected.then(() => {
      isOver = true;
    });
    const failure = gaveUp.then((error) => {
      assert.not.ok(isOver);
      return error;
    });
    await daemon.kill();
    assert.instance(await failure, ConnectError);
    diagnosticsChannel.unsubscribe('busbar:connection', onEvent);
    assert.ok(failures.length >= 3);
    const reason = await bus.disconnected;
    assert.is(reason, told[0]);
    assert.is(told.length, 1);
    assert.instance(await rejection(bus.listNames()), ConnectionClosedError);
    await daemon.stop();
  });

  test('declarations that are made while away are in force at the next connection', async () => {
    await using set = await setting(2);
    const [service, client] = set.buses as [MessageBus, MessageBus];
    await lose(set.daemon, service, client);
    const lamp = implement(Lamp, { Add: (a, b) => a + b, Wait: async () => '', Level: 4 });
    service.export('/', lamp);
    service.exportObjectManager('/');
    const requested = service.requestName(NAME);
    const proxy = client.proxy(Lamp, NAME, '/');
    const got: unknown[] = [];
    const subscription = proxy.on.Switched((which) => void got.push(which));
    const ended = client.subscribe({ member: 'Ended' }, () => {});
    ended.end();
    const view = client.objects(NAME, '/');
    const cached = client.cached(Lamp, NAME, '/');
    const waited = client.waitForName(NAME);
    const names: string[] = [];
    client.watchNames(NAME, { appeared: (name) => void names.push(name) });
    await bringBack(set.daemon, service, client);
    await subscription.ready;
    assert.is((await requested).state, 'owned');
    assert.is(await waited, service.uniqueName);
    await until(() => names.length === 1);
    await until(() => view.of(Lamp).size === 0);
    const values = await cached;
    await until(() => values.values.Level === 4);
    lamp.emit.Switched(3);
    await until(() => got.length === 1);
    assert.equal(names, [NAME]);
  });

  test('a rule for the own unique name has the new one', async () => {
    await using set = await setting(2);
    const [bus, other] = set.buses as [MessageBus, MessageBus];
    const got: unknown[] = [];
    const rule = { destination: bus.uniqueName as string, member: 'To' };
    await bus.subscribe(rule, ({ body }) => void got.push(body[0])).ready;
    await lose(set.daemon, bus, other);
    // Names of the earlier bus are given to other connections.
    await set.daemon.restart();
    const early = await connect({ address: set.daemon.address });
    const more = await Promise.all([1, 2, 3].map(() => connect({ address: set.daemon.address })));
    await until(() => bus.state === 'open' && other.state === 'open');
    await bus.listNames();
    const signal = { path: '/', interface: NAME, member: 'To', signature: 's' };
    other.emit({ ...signal, destination: bus.uniqueName, body: ['new'] });
    await until(() => got.length > 0);
    assert.equal(got, ['new']);
    await Promise.all([early, ...more].map((each) => each.close()));
  });

  test('a message handler cannot answer a call of a lost connection', async () => {
    await using set = await setting(2);
    const [service, client] = set.buses as [MessageBus, MessageBus];
    const calls: Message[] = [];
    service.addMessageHandler((message) => message.type === 1 && calls.push(message) > 0);
    const owned = await service.requestName(NAME);
    const call = { destination: NAME, path: '/', interface: NAME, member: 'Ask' };
    const reason = rejection(client.call(call));
    await until(() => calls.length === 1);
    await lose(set.daemon, service, client);
    assert.instance(await reason, ConnectionClosedError);
    await bringBack(set.daemon, service, client);
    const answer = ({ sender: destination, serial: replySerial }: Message) => ({
      type: MessageType.MethodReturn,
      destination,
      replySerial,
    });
    assert.throws(() => service.send(answer(calls[0] as Message)), isClosed);
    const again = client.call(call);
    await until(() => calls.length === 2);
    service.send(answer(calls[1] as Message));
    assert.equal(await again, []);
    await owned.release();
  });

  test('a thousand subscriptions are in force again', async () => {
    await using set = await setting(2);
    const [bus, other] = set.buses as [MessageBus, MessageBus];
    const got = new Set<unknown>();
    const count = kind === 'dbus-daemon' ? 1000 : 400;
    const all = Array.from({ length: count }, (_, index) =>
      bus.subscribe({ path: `/${index}`, member: 'Many' }, ({ path }) => void got.add(path)),
    );
    await Promise.all(all.map(({ ready }) => ready));
    for (let round = 0; round < 3; round++) {
      got.clear();
      await lose(set.daemon, bus, other);
      await bringBack(set.daemon, bus, other);
      for (let index = 0; index < count; index++) other.emit({ path: `/${index}`, interface: NAME, member: 'Many' });
      await until(() => got.size === count);
    }
    for (const each of all) each.end();
    await bus.listNames();
    assert.is(bus.stats().matchRules, 0);
  });

  test('reserved serials stay valid', async () => {
    await using set = await setting(1);
    const [bus] = set.buses as [MessageBus];
    const serial = bus.reserveSerial();
    await lose(set.daemon, bus);
    await bringBack(set.daemon, bus);
    const call = { destination: 'org.freedesktop.DBus', path: '/', interface: 'org.freedesktop.DBus', member: 'GetId' };
    const { replySerial } = await bus.call({ ...call, serial, reply: 'message' });
    assert.is(replySerial, serial);
  });

  test('a monitor is an ordinary connection after the loss, until it becomes a monitor again', async () => {
    await using set = await setting(2);
    const [monitor, other] = set.buses as [MessageBus, MessageBus];
    other.export('/', implement(Lamp, { Add: (a, b) => a + b, Wait: () => '', Level: 0 }));
    const seen: string[] = [];
    monitor.addMessageHandler(({ member, sender }) => {
      if (sender === other.uniqueName) seen.push(`${member}`);
    });
    const heard: number[] = [];
    monitor.proxy(Lamp, NAME, '/').on.Switched((which) => void heard.push(which));
    await other.requestName(NAME);
    const become = () =>
      monitor.proxy(standard.Monitoring, 'org.freedesktop.DBus', '/org/freedesktop/DBus').call.BecomeMonitor([], 0);
    const ask = () => other.proxy(Lamp, NAME, '/').call.Add(1, 2);
    await become();
    await ask();
    await until(() => seen.includes('Add'));
    await lose(set.daemon, monitor, other);
    seen.length = 0;
    await bringBack(set.daemon, monitor, other);
    await ask();
    other.emit({ path: '/', interface: NAME, member: 'Switched', signature: 'u', body: [1] });
    // Its rules are in force, and it sees nothing else.
    await until(() => heard.length === 1);
    await monitor.listNames();
    assert.equal([heard, seen.includes('Add')], [[1], false]);
    await become();
    await ask();
    await until(() => seen.includes('Add'));
  });

  test.run();
}
