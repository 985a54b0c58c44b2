// Shares of a connection: the subscriptions, calls and exports of a share belong to it, end with its `close`, and are
// independent of other shares. Small cases, and random steps against a model.
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectionClosedError,
  connect,
  DBusError,
  defineInterface,
  type Export,
  implement,
  type Message,
  type MessageBus,
  MessageType,
  type OwnedName,
  sessionBus,
  UnknownObjectError,
} from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';

const NAME = 'org.example.Share';
const Shared = defineInterface(NAME, {
  methods: { Echo: { in: 'u', out: 'u' }, Slow: { in: 'u', out: 'u' } },
  signals: { Said: { args: 'u' } },
});
const object = () => implement(Shared, { Echo: (value) => value, Slow: (value) => delay(150).then(() => value) });

const test = suite('shares');
const daemon = await PrivateBus.start();
const other = await connect({ address: daemon.address });
const before = process.env.DBUS_SESSION_BUS_ADDRESS;
process.env.DBUS_SESSION_BUS_ADDRESS = daemon.address;
process.removeAllListeners('warning');
test.after(async () => {
  if (before === undefined) delete process.env.DBUS_SESSION_BUS_ADDRESS;
  else process.env.DBUS_SESSION_BUS_ADDRESS = before;
  await other.close();
  await daemon.stop();
});

const say = (value: number) =>
  other.emit({ path: '/', interface: NAME, member: 'Said', signature: 'u', body: [value] });

test('closing a share ends all that it made, and nothing of another share', async () => {
  const [mine, theirs] = await Promise.all([sessionBus(), sessionBus()]);
  assert.is(mine.uniqueName, theirs.uniqueName);
  const heard: string[] = [];
  for (const [share, who] of [
    [mine, 'mine'],
    [theirs, 'theirs'],
  ] as const) {
    share.subscribe({ interface: NAME, member: 'Said' }, () => void heard.push(`${who} listener`));
    share.proxy(Shared, other.uniqueName, '/').on.Said(() => void heard.push(`${who} proxy`));
    share.addMessageHandler(({ member }) => void (member === 'Said' && heard.push(`${who} handler`)));
    share.watchName(`${NAME}.Watched`, { appeared: () => void heard.push(`${who} watcher`) });
    share.export(`/${who}`, object());
    await share.requestName(`${NAME}.${who}`);
    await share.requestName(`${NAME}.both`);
  }
  const loop = mine.proxy(Shared, other.uniqueName, '/').watch.Said();
  const once = rejection(mine.proxy(Shared, other.uniqueName, '/').once.Said());
  const next = loop.next();
  const slow = other.proxy(Shared, `${NAME}.mine`, '/mine').call.Slow(4);
  await until(() => theirs.stats().callsInProgress === 1);
  const { disconnected } = mine;
  const closing = mine.close();
  assert.equal([mine.state, theirs.state], ['closing', 'open']);
  await closing;
  assert.equal([mine.state, theirs.state], ['closed', 'open']);
  assert.is(await disconnected, undefined);
  assert.is((await next).done, true);
  assert.instance(await once, ConnectionClosedError);
  assert.is(await slow, 4);
  say(1);
  await using _watched = await other.requestName(`${NAME}.Watched`);
  await until(() => heard.includes('theirs watcher'));
  await other.listNames();
  assert.equal(heard.sort(), ['theirs handler', 'theirs listener', 'theirs proxy', 'theirs watcher']);
  const at = (who: string) => other.proxy(Shared, theirs.uniqueName, `/${who}`).call.Echo(5);
  assert.instance(await rejection(at('mine')), UnknownObjectError);
  assert.is(await at('theirs'), 5);
  const names = await other.listNames();
  assert.equal(
    ['mine', 'theirs', 'both'].map((name) => names.includes(`${NAME}.${name}`)),
    [false, true, true],
  );
  await theirs.close();
  assert.not((await other.listNames()).includes(`${NAME}.both`));
  assert.is(theirs.state, 'closed');
});

test('the last shares wait for handlers, which can call, emit and change properties until they end', async () => {
  const name = 'org.example.LastShare';
  const Last = defineInterface(name, {
    methods: { Work: { out: 's' } },
    signals: { Said: { args: 'u' } },
    properties: { Level: { type: 'u' } },
  });
  for (const count of [1, 2]) {
    const shares = await Promise.all(Array.from({ length: count }, () => sessionBus()));
    const [first] = shares as [MessageBus];
    let atWork = () => {};
    const isAtWork = new Promise<void>((resolve) => {
      atWork = resolve;
    });
    const last = implement(Last, {
      async Work() {
        atWork();
        await until(() => first.state === 'closing');
        // The names are released, and delivered calls answered, long before this.
        await delay(50);
        last.emit.Said(7);
        last.properties.Level = 8;
        return (await first.listNames()).includes(other.uniqueName as string) ? 'done' : 'not';
      },
      Level: 0,
    });
    first.export('/last', last);
    const heard: unknown[] = [];
    const listening = other.subscribe({ sender: first.uniqueName as string }, ({ member }) => void heard.push(member));
    await listening.ready;
    const work = other.proxy(Last, first.uniqueName, '/last').call.Work();
    await isAtWork;
    await Promise.all(shares.map((share) => share.close({ drain: 10_000 })));
    assert.is(await work, 'done', `${count} shares`);
    assert.equal(heard, ['Said', 'PropertiesChanged']);
    assert.equal(
      shares.map(({ state }) => state),
      shares.map(() => 'closed'),
    );
    listening.end();
  }
});

test('a share waits for the handlers of its own exports only, while another share stays', async () => {
  const name = 'org.example.EarlyShare';
  const Early = defineInterface(name, {
    methods: { Work: { out: 's' }, Never: {} },
    signals: { Said: { args: 'u' } },
    properties: { Level: { type: 'u' }, Slow: { type: 'u', access: 'read' } },
  });
  const Beside = defineInterface(`${name}.Beside`, { methods: { Never: {} } });
  for (const drain of [60_000, 100]) {
    const [mine, theirs] = await Promise.all([sessionBus(), sessionBus()]);
    let begun = 0;
    let finish!: () => void;
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const never = () => {
      begun++;
      return new Promise<void>(() => {});
    };
    const early = implement(Early, {
      async Work() {
        begun++;
        await gate;
        early.emit.Said(7);
        early.properties.Level = 8;
        return (await mine.listNames()).includes(other.uniqueName as string) ? 'done' : 'not';
      },
      Never: never,
      Level: 0,
      Slow: {
        get: () => {
          begun++;
          return gate.then(() => 9);
        },
      },
    });
    mine.export('/early', early);
    theirs.export('/early', implement(Beside, { Never: never }));
    const taken: Message[] = [];
    mine.addMessageHandler((message) => message.member === 'Taken' && taken.push(message) > 0);
    theirs.addMessageHandler(({ member }) => member === 'NotMine' && ++begun > 0);
    const heard: unknown[] = [];
    const listening = other.subscribe({ sender: mine.uniqueName as string }, ({ member }) => void heard.push(member));
    await listening.ready;
    const proxy = other.proxy(Early, mine.uniqueName, '/early');
    const work = proxy.call.Work();
    const slow = proxy.get.Slow();
    const call = { destination: mine.uniqueName, path: '/', interface: name };
    const answered = other.call({ ...call, member: 'Taken' });
    // Those of the other share.
    const ignored = [
      other.proxy(Beside, mine.uniqueName, '/early').call.Never(),
      other.call({ ...call, member: 'NotMine' }),
    ];
    for (const each of ignored) each.catch(() => {});
    await until(() => begun === 4 && taken.length === 1);
    const closing = mine.close({ drain });
    if (drain === 100) {
      // Slower handlers can still answer.
      await closing;
      assert.equal([mine.state, theirs.state], ['closed', 'open']);
      finish();
      assert.instance(await rejection(work), DBusError);
    } else {
      await delay(80);
      assert.equal([mine.state, theirs.state], ['closing', 'open']);
      finish();
      assert.equal(await Promise.all([work, slow]), ['done', 9]);
      assert.is(mine.state, 'closing');
      const [{ sender: destination, serial: replySerial }] = taken as [Message];
      mine.send({ type: MessageType.MethodReturn, destination, replySerial, signature: 's', body: ['taken'] });
      assert.equal(await answered, ['taken']);
      await closing;
      await other.listNames();
      assert.equal(heard, ['Said', 'PropertiesChanged']);
      assert.equal([mine.state, theirs.state], ['closed', 'open']);
    }
    answered.catch(() => {});
    listening.end();
    await theirs.close({ drain: 0 });
  }
});

test('message handlers of a share that closes get no more signals, while another share stays', async () => {
  const [mine, theirs] = await Promise.all([sessionBus(), sessionBus()]);
  const heard: string[] = [];
  theirs.subscribe({ interface: NAME, member: 'Said' }, () => void heard.push('theirs'));
  mine.addMessageHandler(({ member }) => void (member === 'Said' && heard.push('mine')));
  let begun = 0;
  mine.addMessageHandler(({ member }) => member === 'Taken' && ++begun > 0);
  const call = { destination: mine.uniqueName, path: '/', interface: NAME, member: 'Taken' };
  void other.call(call).catch(() => {});
  await until(() => begun === 1);
  say(1);
  await until(() => heard.length === 2);
  const closing = mine.close({ drain: 60_000 });
  say(2);
  await until(() => heard.length === 3);
  await mine.close({ drain: 0 });
  await closing;
  assert.equal(heard.sort(), ['mine', 'theirs', 'theirs']);
  await theirs.close({ drain: 0 });
});

test('a name that is requested while its share closes is not kept by the connection', async () => {
  const name = 'org.example.InFlight';
  for (const drain of [undefined, 0]) {
    const [closing, staying] = await Promise.all([sessionBus(), sessionBus()]);
    closing.export('/inflight', object());
    const requested = closing.requestName(name);
    const closed = closing.close({ drain });
    assert.instance(await rejection(requested), ConnectionClosedError);
    await closed;
    assert.not(await staying.hasName(name));
    assert.is(staying.stats().ownedNames, 0);
    // Another share can acquire it again.
    staying.export('/inflight', object());
    await (await staying.requestName(name)).release();
    await staying.close();
  }
});

test('a closed share can do nothing, while the connection stays open', async () => {
  const [mine, theirs] = await Promise.all([sessionBus(), sessionBus()]);
  const proxy = mine.proxy(Shared, theirs.uniqueName, '/');
  theirs.export('/', object());
  assert.is(await proxy.call.Echo(1), 1);
  await mine.close();
  const attempts: Record<string, () => unknown> = {
    call: () => mine.call({ destination: 'org.freedesktop.DBus', path: '/', member: 'GetId' }),
    proxy: () => proxy.call.Echo(1),
    emit: () => mine.emit({ path: '/', interface: NAME, member: 'Said' }),
    send: () => mine.send({ type: 4, path: '/', interface: NAME, member: 'Said' }),
    subscribe: () => mine.subscribe({ member: 'Said' }, () => {}),
    on: () => proxy.on.Said(() => {}),
    once: () => proxy.once.Said(),
    export: () => mine.export('/late', object()),
    exportObjectManager: () => mine.exportObjectManager('/late'),
    addMessageHandler: () => mine.addMessageHandler(() => {}),
    watchName: () => mine.watchName(NAME, {}),
    requestName: () => mine.requestName(NAME),
    releaseName: () => mine.releaseName(NAME),
    listNames: () => mine.listNames(),
    nameOwner: () => mine.nameOwner('org.freedesktop.DBus'),
    hasName: () => mine.hasName(NAME),
    object: () => mine.object(theirs.uniqueName, '/'),
  };
  for (const [what, attempt] of Object.entries(attempts)) {
    const error = await rejection((async () => attempt())());
    assert.instance(error, ConnectionClosedError, what);
  }
  assert.is(await other.proxy(Shared, theirs.uniqueName, '/').call.Echo(2), 2);
  await theirs.close();
});

test('operations that a share waits for end with its close, while calls of other shares continue', async () => {
  const [mine, theirs] = await Promise.all([sessionBus(), sessionBus()]);
  let calls = 0;
  const answers: (() => void)[] = [];
  const Waits = defineInterface(`${NAME}.Waits`, { methods: { Never: {} } });
  const waits = () =>
    new Promise<void>((resolve) => {
      calls++;
      answers.push(resolve);
    });
  const exported = other.export('/waits', implement(Waits, { Never: waits }));
  const of = (bus: MessageBus) =>
    bus.proxy(Waits, other.uniqueName, '/waits').with({ timeout: Number.POSITIVE_INFINITY });
  const call = { destination: other.uniqueName, path: '/waits', interface: `${NAME}.Waits`, member: 'Never' };
  const reserved = mine.reserveSerial();
  const settled: string[] = [];
  const note = (what: string, promise: Promise<unknown>) =>
    promise.then(
      () => settled.push(`${what} resolved`),
      (error: Error) => settled.push(`${what} ${error.constructor.name}`),
    );
  const ends = [
    note('call', mine.call({ ...call, timeout: 1_000_000 })),
    note('serial', mine.call({ ...call, serial: reserved })),
    note('method', of(mine).call.Never()),
    note('signal', of(mine).with({ signal: new AbortController().signal }).call.Never()),
  ];
  const stays = note('theirs', of(theirs).call.Never());
  await until(() => calls === 5);
  await mine.close({ drain: 0 });
  await Promise.all(ends);
  assert.equal(
    settled.sort(),
    ['call', 'method', 'serial', 'signal'].map((what) => `${what} ConnectionClosedError`),
  );
  assert.is(theirs.stats().pendingCalls, 1);
  // Their late answers are ignored.
  for (const answer of answers) answer();
  await stays;
  assert.is(settled.at(-1), 'theirs resolved');
  exported.end();
  await theirs.close();
});

test('requests of a share that the bus does not answer end with its close', async () => {
  const stopped = await PrivateBus.start();
  process.env.DBUS_SESSION_BUS_ADDRESS = stopped.address;
  const [mine, theirs] = await Promise.all([sessionBus(), sessionBus()]);
  process.env.DBUS_SESSION_BUS_ADDRESS = daemon.address;
  await stopped.kill('SIGSTOP');
  const asked = [
    mine.listNames(),
    mine.listActivatableNames(),
    mine.nameOwner(NAME),
    mine.hasName(NAME),
    mine.startService(NAME),
    mine.credentials(NAME),
    mine.object(NAME, '/'),
  ].map((each) => rejection(each));
  const theirsAsked = theirs.listNames();
  await mine.close({ drain: 0 });
  for (const error of await Promise.all(asked)) assert.instance(error, ConnectionClosedError);
  await stopped.kill('SIGCONT');
  assert.ok((await theirsAsked).includes(theirs.uniqueName as string));
  await theirs.close();
  await stopped.stop();
});

test('the loss of the connection is the loss of every share', async () => {
  const doomed = await PrivateBus.start();
  process.env.DBUS_SESSION_BUS_ADDRESS = doomed.address;
  const [mine, theirs] = await Promise.all([sessionBus(), sessionBus()]);
  process.env.DBUS_SESSION_BUS_ADDRESS = daemon.address;
  mine.ref();
  await doomed.kill();
  const [first, second] = await Promise.all([mine.disconnected, theirs.disconnected]);
  assert.instance(first, ConnectionClosedError);
  assert.is(first, second);
  assert.is(((await rejection(theirs.listNames())) as Error).cause, first);
  await doomed.stop();
});

/** The state of a share in the model. */
interface Share {
  readonly bus: MessageBus;
  readonly listeners: Set<() => void>;
  readonly names: Map<OwnedName, string>;
  readonly exports: Map<string, Export>;
}

test('random steps of several shares end as in the model', async () => {
  const step = fc.record({
    what: fc.constantFrom('open', 'close', 'listen', 'unlisten', 'name', 'release', 'export', 'unexport', 'check'),
    share: fc.nat(20),
    which: fc.nat(3),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const shares: Share[] = [];
      let heard = 0;
      try {
        for (const { what, share: index, which } of steps) {
          const share = shares[index % Math.max(1, shares.length)];
          const path = `/path${which}`;
          const name = `${NAME}.Model${which}`;
          if (what === 'open' || share === undefined) {
            shares.push({ bus: await sessionBus(), listeners: new Set(), names: new Map(), exports: new Map() });
          } else if (what === 'close') {
            shares.splice(shares.indexOf(share), 1);
            await share.bus.close();
            assert.is(share.bus.state, 'closed');
            for (const owned of share.names.keys()) assert.is(owned.state, 'lost');
          } else if (what === 'listen') {
            const subscription = share.bus.subscribe({ interface: NAME, member: 'Said' }, () => void heard++);
            share.listeners.add(() => subscription.end());
          } else if (what === 'unlisten') {
            const [unsubscribe] = share.listeners;
            unsubscribe?.();
            if (unsubscribe !== undefined) share.listeners.delete(unsubscribe);
          } else if (what === 'name') {
            share.names.set(await share.bus.requestName(name), name);
          } else if (what === 'release') {
            const [owned] = share.names.keys();
            await owned?.release();
            if (owned !== undefined) share.names.delete(owned);
          } else if (what === 'export') {
            if (!shares.some(({ exports }) => exports.has(path)))
              share.exports.set(path, share.bus.export(path, object()));
          } else if (what === 'unexport') {
            share.exports.get(path)?.end();
            share.exports.delete(path);
          } else {
            await check();
          }
        }
        await check();
      } finally {
        await Promise.all(shares.map(({ bus }) => bus.close()));
      }

      async function check(): Promise<void> {
        const [first] = shares;
        if (first === undefined) return;
        for (const { bus } of shares) assert.is(bus.state, 'open');
        await first.bus.listNames();
        heard = 0;
        say(1);
        await other.listNames();
        await first.bus.listNames();
        assert.is(
          heard,
          shares.reduce((sum, { listeners }) => sum + listeners.size, 0),
        );
        const names = (await other.listNames()).filter((each) => each.startsWith(`${NAME}.Model`));
        const owned = new Set(shares.flatMap((share) => [...share.names.values()]));
        assert.equal(names.sort(), [...owned].sort());
        for (let which = 0; which < 4; which++) {
          const path = `/path${which}`;
          const answer = other.proxy(Shared, first.bus.uniqueName, path).call.Echo(which);
          if (shares.some(({ exports }) => exports.has(path))) assert.is(await answer, which);
          else assert.instance(await rejection(answer), UnknownObjectError);
        }
      }
    }),
    { numRuns: 25, endOnFailure: true },
  );
});

test.run();
