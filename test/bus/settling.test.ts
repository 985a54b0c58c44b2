// Every promise and iterator that busbar returns settles when the connection ends. The public members are found by walking
// the objects, so that a new member that this test does not know makes it fail.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CachedObject,
  type CallContext,
  type ConnectOptions,
  connect,
  defineInterface,
  implement,
  type MessageBus,
  type OwnedName,
  sessionBus,
} from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { allSettle, publicMembers } from '../helpers/settling.js';
import { skip } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const NAME = 'org.example.Settling';
const Settling = defineInterface(NAME, {
  methods: { Never: {} },
  signals: { Said: { args: 'u' } },
  properties: { Level: { type: 'u', access: 'readwrite' } },
});

process.removeAllListeners('warning');

/** The objects of a test after the bus has stopped answering. */
interface World {
  readonly bus: MessageBus;
  readonly owned: OwnedName;
  readonly queued: OwnedName;
  readonly cached: CachedObject<typeof Settling>;
  /** The context of a call whose handler is running. */
  readonly context: CallContext;
  /** The caller of that call. */
  readonly caller: MessageBus;
}

const proxyOf = ({ bus }: World) => bus.proxy(Settling, `${NAME}.Other`, '/');
const never = { destination: 'org.freedesktop.DBus', path: '/', member: 'Never', timeout: Number.POSITIVE_INFINITY };
/** Members that return nothing that has to settle. */
const plain = 'plain';
type Makers = Readonly<Record<string, typeof plain | ((world: World) => Promise<unknown>)>>;

const ofBus: Makers = {
  addMessageHandler: plain,
  cached: ({ bus }) => bus.cached(Settling, `${NAME}.Other`, '/', { timeout: Number.POSITIVE_INFINITY }),
  call: ({ bus }) => bus.call(never),
  canSendFileDescriptors: plain,
  close: async ({ bus }) => bus.close({ drain: 50 }),
  conforms: ({ bus }) => bus.conforms(Settling, `${NAME}.Other`, '/'),
  credentials: ({ bus }) => bus.credentials(NAME),
  disconnected: ({ bus }) => bus.disconnected,
  emit: plain,
  export: plain,
  exportObjectManager: plain,
  exportTree: plain,
  // More than the kernel takes for a bus that does not read.
  flush({ bus }) {
    const signal = { path: '/', interface: NAME, member: 'Said', signature: 'ay', body: [Buffer.alloc(4_000_000)] };
    bus.emit(signal);
    return bus.flush();
  },
  hasName: ({ bus }) => bus.hasName(NAME),
  listActivatableNames: ({ bus }) => bus.listActivatableNames(),
  listNames: ({ bus }) => bus.listNames(),
  monitor: async ({ bus }) => bus.monitor().ready,
  nameOwner: ({ bus }) => bus.nameOwner(NAME),
  object: ({ bus }) => bus.object(`${NAME}.Other`, '/'),
  objects: plain,
  peerCredentials: plain,
  proxy: plain,
  ref: plain,
  releaseName: ({ bus }) => bus.releaseName(`${NAME}.Free`),
  requestName: ({ bus }) => bus.requestName(`${NAME}.Requested`),
  reserveSerial: plain,
  send: plain,
  signals: plain,
  startService: ({ bus }) => bus.startService(NAME),
  state: plain,
  stats: plain,
  subscribe: plain,
  uniqueName: plain,
  unref: plain,
  waitForName: ({ bus }) => bus.waitForName(`${NAME}.Missing`),
  watchConnection: plain,
  watchName: plain,
  watchNames: plain,
  'Symbol(Symbol.asyncDispose)': async ({ bus }) => bus[Symbol.asyncDispose](),
};

const ofName: Makers = {
  acquired: ({ queued }) => queued.acquired,
  lost: ({ owned }) => owned.lost,
  name: plain,
  release: ({ queued }) => queued.release(),
  state: plain,
  'Symbol(Symbol.asyncDispose)': async ({ owned }) => owned[Symbol.asyncDispose](),
};

const ofSubscription: Makers = {
  ready: ({ bus }) => bus.subscribe({ member: 'Ready' }, () => {}).ready,
  end: plain,
  'Symbol(Symbol.dispose)': plain,
};

const viewOf = ({ bus }: World) => bus.objects(`${NAME}.Other`, '/', { timeout: Number.POSITIVE_INFINITY });

const ofView: Makers = {
  destination: plain,
  end: plain,
  get: plain,
  of: plain,
  owner: plain,
  path: plain,
  ready: (world) => viewOf(world).ready,
  size: plain,
  'Symbol(Symbol.dispose)': plain,
  'Symbol(Symbol.iterator)': plain,
};

const changesOf = (world: World) => viewOf(world).of(Settling).changes();

const ofChanges: Makers = {
  end: plain,
  next: (world) => changesOf(world).next(),
  return: (world) => changesOf(world).return?.() as Promise<unknown>,
  'Symbol(Symbol.asyncIterator)': async (world) => {
    for await (const _ of changesOf(world));
  },
  'Symbol(Symbol.dispose)': plain,
};

const monitorOf = ({ bus }: World) => bus.monitor([], { timeout: Number.POSITIVE_INFINITY });

const ofMonitor: Makers = {
  dropped: plain,
  end: plain,
  next: async (world) => monitorOf(world).next(),
  ready: async (world) => monitorOf(world).ready,
  return: async (world) => monitorOf(world).return(),
  'Symbol(Symbol.asyncIterator)': async (world) => {
    for await (const _ of monitorOf(world));
  },
  'Symbol(Symbol.dispose)': plain,
};

/** The members of a cached object that a proxy does not have. */
const ofCached: Makers = {
  end: plain,
  owner: plain,
  present: plain,
  ready: ({ cached }) => cached.ready,
  until: ({ cached }) => cached.until(({ Level }) => Level === 7, { timeout: Number.POSITIVE_INFINITY }),
  values: plain,
  'Symbol(Symbol.dispose)': plain,
};

const ofProxy: Makers = {
  call: (world) => proxyOf(world).with({ timeout: Number.POSITIVE_INFINITY }).call.Never(),
  destination: plain,
  get: (world) => proxyOf(world).get.Level(),
  getAll: (world) => proxyOf(world).getAll(),
  interface: plain,
  on: (world) => proxyOf(world).on.Said(() => {}).ready,
  onChange: (world) => proxyOf(world).onChange(() => {}).ready,
  once: (world) => proxyOf(world).once.Said(),
  path: plain,
  set: (world) => proxyOf(world).set.Level(7),
  watch: (world) => proxyOf(world).watch.Said().next(),
  with: plain,
};

const ofQueue: Makers = {
  dropped: plain,
  end: plain,
  async next(world) {
    const queue = proxyOf(world).watch.Said();
    return Promise.allSettled([queue.next(), queue.next(), queue.next()]);
  },
  return: (world) => proxyOf(world).watch.Said().return?.() as Promise<unknown>,
  'Symbol(Symbol.asyncIterator)': async (world) => {
    for await (const _ of proxyOf(world).watch.Said());
  },
  'Symbol(Symbol.dispose)': plain,
};

/** The methods of an object are those of the proxies of its interfaces. */
const ofObject: Makers = {
  all: plain,
  children: plain,
  destination: plain,
  interface: plain,
  interfaces: plain,
  node: plain,
  path: plain,
};

const ofExport: Makers = { end: plain, path: plain, 'Symbol(Symbol.dispose)': plain };

const ofHandle: Makers = { end: plain, 'Symbol(Symbol.dispose)': plain };

const ofContext: Makers = {
  caller: plain,
  decode: plain,
  flags: plain,
  interface: plain,
  member: plain,
  path: plain,
  sender: plain,
  // A single missing signal would keep a handler running for ever.
  signal: ({ context }) => new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve())),
};

const ofCaller: Makers = {
  credentials: ({ context }) => context.caller.credentials(),
  left: ({ context: { caller } }) =>
    new Promise<void>((resolve) => caller.left.addEventListener('abort', () => resolve())),
  name: plain,
  track: ({ context }) => new Promise<unknown>((resolve) => context.caller.track(resolve)),
};

for (const kind of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const test = suite(`settling at ${kind}`);
  const missing = PrivateBus.missing({ daemon: kind });
  if (missing !== undefined) {
    skip(test, `settling at ${kind}`, missing);
    test.run();
    continue;
  }

  /** Another share of the connection, which stays open. */
  async function share({ address }: PrivateBus): Promise<MessageBus> {
    const before = process.env.DBUS_SESSION_BUS_ADDRESS;
    process.env.DBUS_SESSION_BUS_ADDRESS = address;
    const [bus, other] = await Promise.all([sessionBus(), sessionBus()]);
    if (before === undefined) delete process.env.DBUS_SESSION_BUS_ADDRESS;
    else process.env.DBUS_SESSION_BUS_ADDRESS = before;
    void other.disconnected;
    return bus;
  }

  async function world(daemon: PrivateBus, isShare = false, reconnect?: ConnectOptions['reconnect']): Promise<World> {
    const bus = isShare ? await share(daemon) : await connect({ address: daemon.address, reconnect });
    const other = await connect({ address: daemon.address });
    await other.requestName(`${NAME}.Other`);
    const owned = await bus.requestName(`${NAME}.Owned`);
    const queued = await bus.requestName(`${NAME}.Other`, { queue: true });
    other.export('/', implement(Settling, { Never: () => new Promise<void>(() => {}), Level: 1 }));
    const cached = await bus.cached(Settling, other.uniqueName, '/');
    let context: CallContext | undefined;
    bus.export(
      '/',
      implement(Settling, {
        Never(given) {
          context = given;
          return new Promise<void>(() => {});
        },
        Level: 1,
      }),
    );
    void other
      .proxy(Settling, bus.uniqueName, '/')
      .call.Never()
      .catch(() => {});
    await until(() => context !== undefined);
    void other.disconnected;
    return { bus, owned, queued, cached, context: context as CallContext, caller: other };
  }

  test('the tables name every public member', async () => {
    await using daemon = await PrivateBus.start({ daemon: kind });
    const set = await world(daemon);
    const { bus, owned, context } = set;
    const subscription = bus.subscribe({ member: 'Any' }, () => {});
    const queue = proxyOf(set).watch.Said();
    const remote = await bus.object('org.freedesktop.DBus', '/org/freedesktop/DBus');
    for (const [what, object, makers, ...files] of [
      [
        'bus',
        bus,
        ofBus,
        'bus/connection-user.ts',
        'bus/endpoint.ts',
        'bus/names/named-endpoint.ts',
        'bus/bus.ts',
        'message-bus.ts',
      ],
      ['name', owned, ofName, 'bus/names/owned-name.ts'],
      ['subscription', subscription, ofSubscription, 'bus/rules/listener.ts'],
      ['proxy', proxyOf(set), ofProxy],
      ['queue', queue, ofQueue],
      ['monitor', monitorOf(set), ofMonitor, 'bus/monitor/monitor.ts'],
      ['view', viewOf(set), ofView, 'live/objects-view.ts'],
      ['changes', changesOf(set), ofChanges, 'live/changes.ts'],
      [
        'cached object',
        set.cached,
        { ...ofProxy, ...ofCached },
        'live/cached.ts',
        'live/live-proxy.ts',
        'client/proxy.ts',
      ],
      ['object', remote, ofObject, 'client/object.ts'],
      [
        'export',
        bus.export('/other', implement(Settling, { Never() {}, Level: 1 })),
        ofExport,
        'service/objects/exports.ts',
      ],
      ['object manager', bus.exportObjectManager('/other'), ofExport, 'service/objects/exports.ts'],
      ['message handler', bus.addMessageHandler(() => {}), ofHandle],
      ['name watcher', bus.watchName(NAME, {}), ofHandle],
      ['namespace watcher', bus.watchNames(NAME, {}), ofHandle],
      ['connection watcher', bus.watchConnection({}), ofHandle],
      ['caller', context.caller, ofCaller, 'service/calls/caller.ts'],
      ['tracked caller', context.caller.track(() => {}), ofHandle, 'service/calls/caller.ts'],
    ] as const) {
      assert.equal(publicMembers(object, files), Object.keys(makers).sort(), what);
    }
    // The object that a handler gets has more members than its interface.
    for (const name of Object.keys(ofContext)) assert.ok(name in context, name);
    await bus.close({ drain: 0 });
  });

  for (const end of [
    'loss',
    'close',
    'close with time',
    'close of a share',
    'close while away',
    'loss and giving up',
  ] as const) {
    test(`every promise settles by a ${end}`, async () => {
      const daemon = await PrivateBus.start({ daemon: kind });
      const isShare = end === 'close of a share';
      const isWithReconnect = end === 'close while away' || end === 'loss and giving up';
      const attempts = end === 'loss and giving up' ? 2 : undefined;
      const set = await world(daemon, isShare, isWithReconnect ? { minDelay: 10, maxDelay: 20, attempts } : undefined);
      const { bus } = set;
      await bus.listNames();
      // Nothing is answered any more.
      process.kill(daemon.pid, 'SIGSTOP');
      const open = new Map<string, Promise<unknown>>();
      const tables = {
        bus: ofBus,
        name: ofName,
        subscription: ofSubscription,
        proxy: ofProxy,
        view: ofView,
        changes: ofChanges,
        'cached object': ofCached,
        queue: ofQueue,
        monitor: ofMonitor,
        context: ofContext,
        caller: ofCaller,
      };
      const last: [string, (world: World) => Promise<unknown>][] = [];
      for (const [what, makers] of Object.entries(tables)) {
        for (const [name, make] of Object.entries(makers)) {
          if (make === plain) continue;
          // Members that close come last: nothing can be called on a closed object.
          if (what === 'bus' && /close|Dispose/.test(name)) last.push([`${what}.${name}`, make]);
          else open.set(`${what}.${name}`, make(set));
        }
      }
      for (const promise of open.values()) promise.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 20));
      const isLost = end === 'loss' || isWithReconnect;
      if (isLost) {
        process.kill(daemon.pid, 'SIGCONT');
        await daemon.kill();
      }
      if (isWithReconnect) {
        await until(() => bus.state !== 'open');
        for (const [name, make] of Object.entries(ofBus)) {
          if (make !== plain && !/close|Dispose|flush/.test(name)) open.set(`bus.${name} while away`, make(set));
        }
        for (const promise of open.values()) promise.catch(() => {});
      }
      if (attempts !== undefined) await allSettle(open);
      const closing = end === 'close' || isShare ? bus.close({ drain: 0 }) : undefined;
      for (const [what, make] of last) open.set(what, make(set));
      if (isShare) {
        // Calls end with the share. Calls that the connection makes for all shares are answered by the bus.
        await closing;
        process.kill(daemon.pid, 'SIGCONT');
        // A running handler can still answer while the connection is open, as long as the caller waits.
        assert.not.ok(set.context.signal.aborted);
        await set.caller.close();
      }
      await allSettle(open);
      await closing;
      // The match rule of a caller that has left is still being removed.
      await until(() => bus.stats().pendingCalls === 0);
      assert.is(bus.stats().subscriptions, 0);
      assert.is(bus.stats().ownedNames, 0);
      assert.is(bus.stats().matchRules, 0);
      if (!isLost) process.kill(daemon.pid, 'SIGCONT');
      await daemon.stop();
    });
  }

  test.run();
}
