// A connection that is lost, or closed here: pending operations settle, watchers and subscriptions are told, and each has
// the reason. On both daemons.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectionClosedError,
  connect,
  DBusError,
  defineInterface,
  implement,
  type MessageBus,
  NameHasNoOwnerError,
  ServiceLeftError,
  ServiceUnknownError,
  TimeoutError,
} from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { skip } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const NAME = 'org.example.Losing';
const Losing = defineInterface(NAME, { methods: { Never: {}, Quit: {} }, signals: { Said: { args: 'u' } } });

// These tests own names without exporting objects, which causes a warning.
process.removeAllListeners('warning');

for (const kind of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const test = suite(`losing a connection to ${kind}`);
  const missing = PrivateBus.missing({ daemon: kind });
  if (missing !== undefined) {
    skip(test, `losing a connection to ${kind}`, missing);
    test.run();
    continue;
  }

  /** A private bus, with connections that a test may kill. */
  async function setting<const Names extends number>(count: Names) {
    const daemon = await PrivateBus.start({ daemon: kind });
    const buses: MessageBus[] = [];
    for (let i = 0; i < count; i++) buses.push(await connect({ address: daemon.address }));
    return {
      daemon,
      buses,
      async [Symbol.asyncDispose]() {
        await Promise.all(buses.map((bus) => bus.close()));
        await daemon.stop();
      },
    };
  }

  for (const end of ['loss', 'close'] as const) {
    test(`names, watchers and iterators are told of a ${end}`, async () => {
      await using set = await setting(2);
      const [bus, other] = set.buses as [MessageBus, MessageBus];
      await other.requestName(`${NAME}.Taken`);
      const owned = await bus.requestName(`${NAME}.Owned`);
      const queued = await bus.requestName(`${NAME}.Taken`, { queue: true });
      const events: string[] = [];
      const watcher = (name: string) => ({
        appeared: () => void events.push(`${name} appeared`),
        vanished: () => void events.push(`${name} vanished`),
      });
      bus.watchName(`${NAME}.Taken`, watcher('taken'));
      bus.watchName(`${NAME}.Free`, watcher('free'));
      bus.watchName(`${NAME}.Ended`, watcher('ended'))[Symbol.dispose]();
      await until(() => events.length === 2);
      assert.equal(events.splice(0).sort(), ['free vanished', 'taken appeared']);
      const proxy = bus.proxy(Losing, `${NAME}.Owned`, '/');
      bus.export('/', implement(Losing, { Never: () => new Promise(() => {}), Quit() {} }));
      const watched = proxy.watch.Said();
      const waiting = watched.next().then(
        ({ done }) => done,
        (error: unknown) => error,
      );
      const call = rejection(proxy.call.Never());
      const once = rejection(proxy.once.Said());
      await bus.listNames();
      if (end === 'loss') await set.daemon.kill();
      else await bus.close();

      const reason = await bus.disconnected;
      assert.is(reason instanceof ConnectionClosedError, end === 'loss');
      assert.equal(events, end === 'loss' ? ['taken vanished'] : []);
      for (const handle of [owned, queued]) {
        assert.is(await handle.lost, end === 'loss' ? 'disconnected' : 'closed');
        assert.is(handle.state, 'lost');
        await handle.release();
      }
      const failures = { call: await call, once: await once, acquired: await rejection(queued.acquired) };
      for (const [what, failure] of Object.entries(failures)) {
        assert.instance(failure, ConnectionClosedError, what);
        assert.is((failure as Error).cause, reason, what);
        if (reason !== undefined) assert.ok((failure as Error).message.includes(reason.message), what);
      }
      if (end === 'close') assert.is(await waiting, true);
      else assert.is(((await waiting) as Error).cause, reason);
      // It is reported once; an iterator that continues has ended.
      assert.is((await watched.next()).done, true);
      const late = await rejection(bus.listNames());
      assert.instance(late, ConnectionClosedError);
      assert.is((late as Error).cause, reason);
    });
  }

  test('an iterator gets the signals that came before the loss, and then throws; break, abort and close end it', async () => {
    await using set = await setting(1);
    const [bus] = set.buses as [MessageBus];
    const proxy = bus.proxy(Losing, bus.uniqueName, '/');
    const exported = implement(Losing, { Never() {}, Quit() {} });
    bus.export('/', exported);
    const seen: number[] = [];
    const loop = async (signal?: AbortSignal, leaveAfter = Number.POSITIVE_INFINITY) => {
      for await (const [value] of proxy.watch.Said({ signal })) {
        seen.push(value as number);
        if (value >= leaveAfter) break;
      }
      return 'ended';
    };
    const controller = new AbortController();
    const [broken, aborted, lost] = [loop(undefined, 1), loop(controller.signal), rejection(loop())];
    await bus.listNames();
    exported.emit.Said(1);
    assert.is(await broken, 'ended');
    controller.abort();
    assert.is(await aborted, 'ended');
    using queue = proxy.watch.Said();
    await bus.listNames();
    exported.emit.Said(2);
    exported.emit.Said(3);
    await bus.listNames();
    await set.daemon.kill();
    assert.instance(await lost, ConnectionClosedError);
    assert.equal((await queue.next()).value, [2]);
    assert.equal((await queue.next()).value, [3]);
    assert.instance(await rejection(queue.next()), ConnectionClosedError);
    assert.is((await queue.next()).done, true);
  });

  test('a name cannot be watched or requested on a connection that is over', async () => {
    await using set = await setting(2);
    const [lost, closed] = set.buses as [MessageBus, MessageBus];
    lost.watchName('org.freedesktop.DBus', {});
    await lost.listNames();
    await closed.close();
    await set.daemon.kill();
    const reason = await lost.disconnected;
    for (const [bus, cause] of [
      [lost, reason],
      [closed, undefined],
    ] as const) {
      const events: unknown[] = [];
      const watcher = { appeared: () => events.push('appeared'), vanished: () => events.push('vanished') };
      let thrown: unknown;
      try {
        bus.watchName('org.freedesktop.DBus', watcher);
      } catch (error) {
        thrown = error;
      }
      assert.instance(thrown, ConnectionClosedError);
      assert.is((thrown as Error).cause, cause);
      assert.instance(await rejection(bus.requestName(NAME)), ConnectionClosedError);
      assert.equal(events, []);
    }
  });

  test('a service that leaves before it answers has another error than a slow one and an absent one', async () => {
    await using set = await setting(2);
    const [bus, service] = set.buses as [MessageBus, MessageBus];
    service.export(
      '/',
      implement(Losing, { Never: () => new Promise(() => {}), Quit: () => void service.close({ drain: 0 }) }),
    );
    await service.requestName(NAME);
    const { call } = bus.proxy(Losing, NAME, '/');
    const late = await rejection(bus.proxy(Losing, NAME, '/').with({ timeout: 20 }).call.Never());
    assert.instance(late, TimeoutError);
    const waiting = rejection(call.Never());
    await bus.listNames();
    const left = await rejection(call.Quit());
    for (const error of [left, await waiting]) {
      assert.instance(error, ServiceLeftError);
      assert.not.instance(error, TimeoutError);
      assert.is((error as DBusError).code, 'ERR_DBUS_SERVICE_LEFT');
    }
    // The text of the bus may differ.
    for (const autoStart of [true, false]) {
      const absent = await rejection(bus.proxy(Losing, NAME, '/').with({ autoStart }).call.Never());
      assert.instance(absent, ServiceUnknownError);
    }
    const asked = await rejection(bus.nameOwner(NAME));
    assert.instance(asked, NameHasNoOwnerError);
    assert.instance(asked, ServiceUnknownError);
    assert.instance(asked, DBusError);
  });

  test.run();
}
