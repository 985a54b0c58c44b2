// How trees ask the program: how often, in which order, and what a search that never settles blocks.
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  defineInterface,
  type ExportedObject,
  implement,
  MessageType,
  UnknownObjectError,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { patience } from '../helpers/patience.js';
import { rejection } from '../helpers/rejection.js';

const test = suite('the order of trees');
const { daemon, client, service, destination, stop } = await startClientAndService();
test.after(stop);

const Unit = defineInterface('org.example.Unit', {
  methods: { Start: { in: 's', out: 's' }, Make: { in: 's' } },
  signals: { Started: { args: 's' } },
  properties: { State: { type: 's' } },
});

test('how often the functions of a tree are called', async () => {
  const asked: string[] = [];
  const unit = implement(Unit, { Start: () => '', Make() {}, State: 'new' });
  using _tree = service.exportTree('/units', {
    children(path) {
      asked.push(`children ${path}`);
      return path === '/units' ? ['a', 'group'] : path === '/units/group' ? ['b'] : [];
    },
    find(path) {
      asked.push(`find ${path}`);
      return /[ab]$/.test(path) ? unit : undefined;
    },
    manager: true,
  });
  const of = async (run: () => Promise<unknown>) => {
    await run().catch(() => {});
    return asked.splice(0);
  };
  const at = (path: string) => client.proxy(Unit, destination, path);
  assert.equal(await of(() => at('/units/a').call.Start('')), ['find /units/a']);
  assert.equal(await of(() => at('/units/a').getAll()), ['find /units/a']);
  assert.equal(await of(() => client.object(destination, '/units/a')), ['find /units/a', 'children /units/a']);
  assert.equal(await of(() => client.object(destination, '/units/group')), [
    'find /units/group',
    'children /units/group',
  ]);
  assert.equal(await of(() => client.object(destination, '/units')), ['children /units']);
  assert.equal(await of(() => at('/units/none').call.Start('')), ['find /units/none', 'children /units/none']);
  assert.equal(await of(() => at('/units').call.Start('')), []);
  const ping = { destination, path: '/units/a', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
  assert.equal(await of(() => client.call(ping)), []);
  const manager = { destination, path: '/units', interface: 'org.freedesktop.DBus.ObjectManager' };
  assert.equal((await of(() => client.call({ ...manager, member: 'GetManagedObjects' }))).sort(), [
    'children /units',
    'children /units/a',
    'children /units/group',
    'children /units/group/b',
    'find /units/a',
    'find /units/group',
    'find /units/group/b',
  ]);
});

test('a search that never settles blocks the calls of its caller to the tree alone', async () => {
  const unit = implement(Unit, { Start: (how) => how, Make() {}, State: 'new' });
  const tree = service.exportTree('/units', {
    children: () => [],
    find: (path) => (path.endsWith('stuck') ? new Promise<ExportedObject>(() => {}) : unit),
  });
  using _other = service.exportTree('/other', { children: () => [], find: () => unit });
  using _export = service.export('/exported', unit);
  const stuck = client
    .proxy(Unit, destination, '/units/stuck')
    .call.Start('')
    .catch(() => {});
  const behind = client.proxy(Unit, destination, '/units/a').call.Start('behind');
  let isAnswered = false;
  void behind
    .finally(() => {
      isAnswered = true;
    })
    .catch(() => {});
  assert.is(await client.proxy(Unit, destination, '/other/a').call.Start('other'), 'other');
  assert.is(await client.proxy(Unit, destination, '/exported').call.Start('exported'), 'exported');
  await using another = await connect({ address: daemon.address });
  assert.is(await another.proxy(Unit, destination, '/units/a').call.Start('another'), 'another');
  await delay(20);
  assert.not(isAnswered);
  assert.is(service.stats().callsInProgress, 2);
  tree.end();
  void stuck;
  behind.catch(() => {});
});

test('a call finds what an earlier call of its caller has made', async () => {
  const made = new Map<string, ExportedObject>();
  const unit = (): ExportedObject =>
    implement(Unit, {
      Start: (how) => how,
      Make: (path) => void made.set(path, unit()),
      State: 'new',
    });
  made.set('/units/first', unit());
  using _tree = service.exportTree('/units', {
    children: () => [],
    find: async (path) => {
      await delay(path.endsWith('first') ? 5 : 0);
      return made.get(path);
    },
  });
  const making = client.proxy(Unit, destination, '/units/first').call.Make('/units/second');
  const started = client.proxy(Unit, destination, '/units/second').call.Start('now');
  await making;
  assert.is(await started, 'now');
});

test('a search that fails is repeated when the calls before it have begun', async () => {
  for (const isLater of [false, true]) {
    const made = new Map<string, ExportedObject>();
    const unit = (): ExportedObject =>
      implement(Unit, {
        Start: (how) => how,
        Make: (path) => void made.set(path, unit()),
        State: 'new',
      });
    made.set('/units/first', unit());
    const found = (path: string) => {
      const object = made.get(path);
      if (object === undefined) throw new UnknownObjectError(`there is no row ${path}`);
      return object;
    };
    using _tree = service.exportTree('/units', {
      children: () => [],
      find: (path) => (path.endsWith('first') || isLater ? delay(1).then(() => found(path)) : found(path)),
    });
    const making = client.proxy(Unit, destination, '/units/first').call.Make('/units/second');
    const started = client.proxy(Unit, destination, '/units/second').call.Start('now');
    const absent = client.proxy(Unit, destination, '/units/third').call.Start('now');
    await making;
    assert.is(await started, 'now');
    assert.match(((await rejection(absent)) as Error).message, 'there is no row /units/third');
  }
});

test('replies, changes and signals leave in the order of the calls, whatever the searches take', async () => {
  const log: string[] = [];
  await using watcher = await connect({ address: daemon.address });
  watcher.addMessageHandler(
    ({ type, path, member, body, sender }) => {
      if (sender !== destination) return;
      if (type === MessageType.Signal) log.push(`${member} ${path}`);
      if (type === MessageType.MethodReturn) log.push(`reply ${body[0]}`);
    },
    { replies: true },
  );
  await watcher.subscribe({ sender: destination }, () => {}).ready;
  const find = (path: string) => {
    const unit = implement(Unit, {
      Start(how) {
        unit.properties.State = how;
        unit.emit.Started(how);
        return path;
      },
      Make() {},
      State: 'new',
    });
    return unit;
  };
  using _tree = service.exportTree('/units', {
    children: () => [],
    find: (path) => (path.endsWith('0') ? delay(3).then(() => find(path)) : find(path)),
  });
  const paths = Array.from({ length: 30 }, (_, index) => `/units/u${index}`);
  await Promise.all(paths.map((path) => watcher.proxy(Unit, destination, path).call.Start('x')));
  assert.equal(
    log,
    paths.flatMap((path) => [`PropertiesChanged ${path}`, `Started ${path}`, `reply ${path}`]),
  );
});

test('an object that keeps itself while it answers a call sends each signal once', async () => {
  const unit = implement(Unit, {
    async Start(how) {
      unit.emit.Started('before');
      using _kept = tree.keep('/units/a', unit);
      unit.emit.Started('kept');
      unit.properties.State = how;
      await delay(1);
      unit.emit.Started('later');
      return how;
    },
    Make() {},
    State: '',
  });
  using tree = service.exportTree('/units', { children: () => [], find: () => unit });
  const heard: unknown[] = [];
  using _signals = client.subscribe({ pathNamespace: '/units' }, ({ member, body }) => {
    heard.push(member === 'Started' ? body[0] : member);
  });
  await client.proxy(Unit, destination, '/units/a').call.Start('x');
  assert.equal(heard, ['before', 'kept', 'PropertiesChanged', 'later']);
});

test('a path of thousands of elements is looked up as quickly as any other', async () => {
  const unit = implement(Unit, { Start: (how) => how, Make() {}, State: 'new' });
  const asked: number[] = [];
  using _tree = service.exportTree('/units/deep', {
    children: () => [],
    find(path) {
      asked.push(path.length);
      return path.length > 10_000 ? unit : undefined;
    },
  });
  const path = `/units/deep${'/a'.repeat(8000)}`;
  const before = process.cpuUsage();
  const { Start } = client.proxy(Unit, destination, path).call;
  for (let count = 0; count < 50; count++) assert.is(await Start('deep'), 'deep');
  const { user } = process.cpuUsage(before);
  assert.equal(asked.splice(0), Array(50).fill(path.length));
  // If each of the elements were looked up, it would take seconds.
  assert.ok(user < 1_000_000 * patience, `${user} microseconds`);
  await client
    .proxy(Unit, destination, `/units${'/a'.repeat(8000)}`)
    .call.Start('x')
    .catch(() => {});
  assert.is(asked.length, 0);
});

test('permissions and checks of members hold for objects that are found', async () => {
  const set: string[] = [];
  for (const as of [<T>(value: T) => value, async <T>(value: T) => value]) {
    const unit = implement(
      Unit,
      { Start: (how) => how, Make() {}, State: { get: () => 'secret', set: (state) => void set.push(state) } },
      {
        members: {
          Start: { allow: (_call, how) => how === 'gently' },
          State: { allow: { read: () => false, write: async () => true }, check: (state) => state !== 'bad' },
        },
      },
    );
    using _tree = service.exportTree('/units', {
      children: (path) => as(path === '/units' ? ['a'] : []),
      find: (path) => as(path === '/units/a' ? unit : undefined),
      manager: true,
    });
    const proxy = client.proxy(Unit, destination, '/units/a');
    const name = (promise: Promise<unknown>) => promise.catch(({ name: className }: Error) => className);
    assert.is(await proxy.call.Start('gently'), 'gently');
    assert.is(await name(proxy.call.Start('hard')), 'AccessDeniedError');
    assert.is(await name(proxy.get.State()), 'AccessDeniedError');
    assert.equal(await proxy.getAll(), {});
    assert.is(await name(proxy.set.State('bad')), 'InvalidArgumentError');
    await proxy.set.State('good');
    assert.equal(set.splice(0), ['good']);
    const manager = { destination, path: '/units', interface: 'org.freedesktop.DBus.ObjectManager' };
    assert.equal(await client.call({ ...manager, member: 'GetManagedObjects' }), [{ '/units/a': { [Unit.name]: {} } }]);
  }
});

test.run();
