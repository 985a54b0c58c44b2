// Objects for one client, as Avahi has them: entry groups and browsers are made by a call, tell only the client that made
// them, and end with it. Avahi's own clients use them, and a model has random clients.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CallContext, connect, defineInterface, implement, type MessageBus } from '../../src/index.js';
import { programPath } from '../helpers/paths.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { Random } from '../helpers/random-numbers.js';
import { seed } from '../helpers/replay.js';
import { roundTrips } from '../helpers/round-trips.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const NAME = 'org.freedesktop.Avahi';
const item = 'iisssu';
const Server = defineInterface(`${NAME}.Server`, {
  methods: {
    GetAPIVersion: { out: 'u' },
    GetState: { out: 'i' },
    EntryGroupNew: { out: 'o' },
    ServiceBrowserNew: { in: 'iissu', out: 'o' },
  },
});
const EntryGroup = defineInterface(`${NAME}.EntryGroup`, {
  methods: { AddService: { in: 'iiussssqaay' }, Commit: {}, Free: {}, GetState: { out: 'i' } },
  signals: { StateChanged: { args: ['state:i', 'error:s'] } },
});
const Browser = defineInterface(`${NAME}.ServiceBrowser`, {
  methods: { Free: {} },
  signals: { ItemNew: { args: item }, ItemRemove: { args: item }, AllForNow: {} },
});

const [RUNNING, UNCOMMITTED, ESTABLISHED] = [2, 0, 2];

/** Serves Avahi's objects on a connection. Returns what is there. */
function serveAvahi(bus: MessageBus) {
  const services = new Set<string>();
  const browsers = new Set<(service: string, isThere: boolean) => void>();
  const counts = { made: 0, left: 0 };
  const tell = (service: string, isThere: boolean) => {
    if (isThere ? services.has(service) : !services.delete(service)) return;
    if (isThere) services.add(service);
    for (const browser of browsers) browser(service, isThere);
  };

  /** Exports an object of a caller until it is freed, or its caller leaves. */
  function exportFor(call: CallContext, object: Parameters<MessageBus['export']>[1], free: () => void): string {
    const path = `/Client${++counts.made}`;
    const exported = bus.export(path, object);
    counts.left++;
    const lease = call.caller.track(() => {
      exported.end();
      counts.left--;
      free();
    });
    freeing.set(path, () => {
      lease.end();
      exported.end();
      counts.left--;
      free();
    });
    return path;
  }
  const freeing = new Map<string, () => void>();
  const Free = (call: CallContext) => {
    freeing.get(call.path)?.();
    freeing.delete(call.path);
  };

  const server = implement(Server, {
    GetAPIVersion: () => 515,
    GetState: () => RUNNING,
    EntryGroupNew(creation) {
      const names: string[] = [];
      let state = UNCOMMITTED;
      const group = implement(EntryGroup, {
        AddService: (_interface, _protocol, _flags, name) => void names.push(name),
        Commit(call) {
          state = ESTABLISHED;
          for (const name of names) tell(name, true);
          group.to(call).emit.StateChanged(state, '');
        },
        Free,
        GetState: () => state,
      });
      return exportFor(creation, group, () => {
        for (const name of names) tell(name, false);
      });
    },
    ServiceBrowserNew(_interface, _protocol, type, domain, _flags, creation) {
      const browser = implement(Browser, { Free });
      const told = (name: string, isThere: boolean) => {
        const { ItemNew, ItemRemove } = browser.to(creation.caller).emit;
        (isThere ? ItemNew : ItemRemove)(2, 0, name, type, domain || 'local', 0);
      };
      const path = exportFor(creation, browser, () => browsers.delete(told));
      // After the reply, by which the client learns the path.
      setImmediate(() => {
        if (bus.state !== 'open') return;
        for (const name of services) told(name, true);
        browser.to(creation.caller).emit.AllForNow();
        browsers.add(told);
      });
      return path;
    },
  });
  bus.export('/', server);
  return { services, browsers, counts };
}

const missing = programPath('avahi-publish') === undefined ? 'avahi-utils not installed' : undefined;
const test = suite('objects for one client');

testUnless(missing, test, "Avahi's clients publish and browse services, which end with their publisher", async () => {
  await using daemon = await PrivateBus.start();
  await using bus = await connect({ address: daemon.address });
  const avahi = serveAvahi(bus);
  await bus.requestName(NAME);
  await using stranger = await connect({ address: daemon.address });
  const overheard: string[] = [];
  for (const type of [EntryGroup, Browser])
    await stranger.subscribe({ interface: type.name }, ({ member = '' }) => overheard.push(member)).ready;

  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: daemon.address };
  const publish = (name: string) => Program.start('avahi-publish', ['-s', name, '_http._tcp', '80'], { env });
  const browse = async () => {
    await using program = Program.start('avahi-browse', ['-t', '-p', '_http._tcp'], { env });
    await program.finished;
    const lines = program.stdout.split('\n').filter((line) => line.startsWith('+'));
    return lines.map((line) => line.split(';')[3]).sort();
  };
  const first = publish('One');
  await using _second = publish('Two');
  await until(() => avahi.services.size === 2);
  assert.equal(await browse(), ['One', 'Two']);
  await first[Symbol.asyncDispose]();
  await until(() => avahi.services.size === 1);
  assert.equal(await browse(), ['Two']);
  await until(() => avahi.browsers.size === 0);
  assert.is(avahi.counts.left, 1);
  await roundTrips(bus, stranger);
  assert.equal(overheard, []);
});

for (const kind of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const reason = PrivateBus.missing({ daemon: kind });
  testUnless(reason, test, `random clients get what is theirs, on ${kind}`, async () => {
    await using daemon = await PrivateBus.start({ daemon: kind });
    await using bus = await connect({ address: daemon.address });
    const avahi = serveAvahi(bus);
    await bus.requestName(NAME);
    const base = bus.stats();
    const random = new Random(seed);
    const below = (limit: number) => random.below(limit);
    const clients = new Set<Client>();
    const inOrder = (names: Iterable<string>) => [...names].sort();
    for (let step = 0; step < 150; step++) {
      const some = [...clients][below(clients.size)];
      const action = below(6);
      if (some === undefined || (action === 0 && clients.size < 6)) clients.add(await Client.start(daemon.address));
      else if (action === 1) await some.leave(clients);
      else if (action === 2) await some.browse();
      else if (action === 3) await some.free(below(2));
      else await some.publish(`${step}`);
      await roundTrips(bus, ...[...clients].map((client) => client.bus), bus);
      const expected = inOrder([...clients].flatMap((client) => [...client.groups.values()]));
      await until(() => avahi.services.size === expected.length);
      for (const { bus: each } of clients) await roundTrips(bus, each);
      const where = `seed ${seed}, step ${step}`;
      assert.equal(inOrder(avahi.services), expected, where);
      for (const client of clients) {
        for (const seen of client.browsers.values()) assert.equal(inOrder(seen), expected, where);
        assert.equal(client.strange, [], where);
      }
    }
    for (const client of [...clients]) await client.leave(clients);
    await until(() => avahi.counts.left === 0 && bus.stats().followedCallers === base.followedCallers);
    const { exportedObjects, matchRules } = bus.stats();
    assert.equal([exportedObjects, matchRules], [base.exportedObjects, base.matchRules]);
    assert.is(avahi.browsers.size, 0);
  });
}

/** A client: what it has made, and what it was told. */
class Client {
  readonly bus: MessageBus;
  /** Published names, by the paths of their groups. */
  readonly groups = new Map<string, string>();
  /** Names that each browser has seen, by its path. */
  readonly browsers = new Map<string, Set<string>>();
  /** Signals of objects that are not its own. */
  readonly strange: string[] = [];

  private constructor(bus: MessageBus) {
    this.bus = bus;
  }

  static async start(address: string): Promise<Client> {
    const client = new Client(await connect({ address }));
    const seenBy = (path: string) => {
      const seen = client.browsers.get(path);
      if (seen === undefined) client.strange.push(path);
      return seen;
    };
    const { bus } = client;
    const from = { sender: NAME };
    const listening = [
      bus.signals(Browser, from, {
        ItemNew: (_interface, _protocol, name, _type, _domain, _flags, { path }) => seenBy(path)?.add(name),
        ItemRemove: (_interface, _protocol, name, _type, _domain, _flags, { path }) => seenBy(path)?.delete(name),
        AllForNow: ({ path }) => void seenBy(path),
      }),
      bus.signals(EntryGroup, from, {
        StateChanged: (_state, _error, { path }) => {
          if (!client.groups.has(path)) client.strange.push(path);
        },
      }),
    ];
    await Promise.all(listening.map(({ ready }) => ready));
    return client;
  }

  async publish(name: string): Promise<void> {
    const path = await this.bus.proxy(Server, NAME, '/').call.EntryGroupNew();
    this.groups.set(path, name);
    const group = this.bus.proxy(EntryGroup, NAME, path);
    await group.call.AddService(-1, -1, 0, name, '_http._tcp', '', '', 80, []);
    await group.call.Commit();
  }

  async browse(): Promise<void> {
    const path = await this.bus.proxy(Server, NAME, '/').call.ServiceBrowserNew(-1, -1, '_http._tcp', '', 0);
    this.browsers.set(path, new Set());
  }

  /** Frees the oldest of its groups, or of its browsers. */
  async free(which: number): Promise<void> {
    const [type, own] = which === 0 ? ([EntryGroup, this.groups] as const) : ([Browser, this.browsers] as const);
    const [path] = own.keys();
    if (path === undefined) return;
    own.delete(path);
    await this.bus.call({ destination: NAME, path, interface: type.name, member: 'Free' });
  }

  async leave(clients: Set<Client>): Promise<void> {
    clients.delete(this);
    await this.bus.close();
  }
}

test.run();
