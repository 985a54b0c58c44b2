// Trees whose objects are found when they are asked for.
import { channel } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type DBusError,
  defineInterface,
  type ExportedObject,
  InvalidArgumentError,
  implement,
  type Problem,
  pipe,
  type TreeOptions,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { rejection, thrown } from '../helpers/rejection.js';

const test = suite('exported trees');
const { client, service, destination, stop } = await startClientAndService();
const problems: Problem[] = [];
channel('busbar:problem').subscribe((problem) => problems.push(problem as Problem));

test.after(stop);
test.before.each(() => void problems.splice(0));

const NAME = 'org.example.Unit';
const Unit = defineInterface(NAME, {
  methods: {
    Start: { in: 's', out: 's' },
    StartLater: { in: 's', out: 's' },
    Read: { in: 'h', out: 's' },
  },
  signals: { Started: { args: 's' } },
  properties: { Id: { type: 's', access: 'read' }, State: { type: 's' } },
});
const Extra = defineInterface('org.example.Extra', { methods: { Ask: { out: 's' } } });

/** How the program finds objects: at once or after a while. */
const manners = {
  'at once': <T>(value: T): T => value,
  later: async <T>(value: T): Promise<T> => {
    await delay(1);
    return value;
  },
};

/** A unit, as a new object for each call. Its state is elsewhere. */
const states = new Map<string, string>();
const log: string[] = [];
function unit(id: string) {
  const object = implement(Unit, {
    Start(how, { path }) {
      log.push(`${id} ${how}`);
      object.properties.State = how;
      object.emit.Started(how);
      return path;
    },
    async StartLater(how, { path }) {
      log.push(`${id} ${how}`);
      await delay(1);
      object.properties.State = how;
      object.emit.Started(how);
      return path;
    },
    Read: () => id,
    Id: id,
    State: { get: () => states.get(id) ?? 'new', set: (state) => void states.set(id, state) },
  });
  return object;
}

/** `/units` with `a` and `b`, `b/c`, and `group/d`, in which `group` is no object. */
const found: Readonly<Record<string, () => ExportedObject | readonly ExportedObject[]>> = {
  '/units/a': () => unit('a'),
  '/units/b': () => [unit('b'), implement(Extra, { Ask: () => 'extra' })],
  '/units/b/c': () => unit('c'),
  '/units/group/d': () => unit('d'),
};
const names: Readonly<Record<string, readonly string[]>> = {
  '/units': ['a', 'b', 'group'],
  '/units/b': ['c'],
  '/units/group': ['d'],
};

for (const [manner, as] of Object.entries(manners)) {
  const options: TreeOptions = {
    children: (path) => as(names[path]),
    find: (path) => as(found[path]?.()),
  };
  const at = (path: string) => client.proxy(Unit, destination, path);

  test(`${manner}: calls, properties and introspection below the path`, async () => {
    states.clear();
    using _tree = service.exportTree('/units', options);
    for (const path of Object.keys(found)) assert.is(await at(path).call.Start('fast'), path);
    assert.is(await client.proxy(Extra, destination, '/units/b').call.Ask(), 'extra');
    assert.is(await at('/units/b/c').get.Id(), 'c');
    await at('/units/a').set.State('set');
    assert.equal(await at('/units/a').getAll(), { Id: 'a', State: 'set' });
    const children = async (path: string) => (await client.object(destination, path)).children;
    assert.equal(await children('/'), ['/units']);
    assert.equal(await children('/units'), ['/units/a', '/units/b', '/units/group']);
    assert.equal(await children('/units/b'), ['/units/b/c']);
    assert.equal(await children('/units/group'), ['/units/group/d']);
    assert.equal(await children('/units/a'), []);
    const object = await client.object(destination, '/units/b');
    assert.equal(object.interfaces.slice(0, 2), [NAME, 'org.example.Extra']);
    // An empty interface means the first that has the property, and all of them.
    const properties = { destination, path: '/units/b', interface: 'org.freedesktop.DBus.Properties' };
    const [id] = await client.call({ ...properties, member: 'Get', signature: 'ss', body: ['', 'Id'] });
    assert.is(id, 'b');
  });

  test(`${manner}: where there is nothing, the object is unknown`, async () => {
    using _tree = service.exportTree('/units', options);
    for (const path of ['/units/none', '/units/a/none', '/units/group/none/d', '/unitsa']) {
      for (const failed of [
        rejection(at(path).call.Start('')),
        rejection(at(path).get.Id()),
        rejection(at(path).set.State('x')),
        rejection(at(path).getAll()),
        rejection(client.object(destination, path)),
      ])
        assert.is(((await failed) as DBusError).dbusName, 'org.freedesktop.DBus.Error.UnknownObject', path);
    }
    // A node that leads to objects has the standard interfaces alone, as elsewhere.
    const { dbusName, message } = (await rejection(at('/units/group').call.Start(''))) as DBusError;
    assert.is(dbusName, 'org.freedesktop.DBus.Error.UnknownInterface');
    assert.match(message, '/units/group has no interface org.example.Unit');
    const wrong = (await rejection(client.proxy(Extra, destination, '/units/a').call.Ask())) as DBusError;
    assert.is(wrong.dbusName, 'org.freedesktop.DBus.Error.UnknownInterface');
    assert.equal(problems, []);
  });

  test(`${manner}: signals and changes leave while a call is answered, before its reply`, async () => {
    states.clear();
    using _tree = service.exportTree('/units', options);
    for (const method of ['Start', 'StartLater'] as const) {
      const heard: string[] = [];
      using _signals = client.subscribe({ pathNamespace: '/units' }, ({ path, member, body }) => {
        heard.push(`${member} ${path} ${JSON.stringify(body)}`);
      });
      await client.listNames();
      await at('/units/a').call[method](`by ${method}`);
      assert.equal(heard, [
        `PropertiesChanged /units/a ["org.example.Unit",{"State":"by ${method}"},[]]`,
        `Started /units/a ["by ${method}"]`,
      ]);
      heard.splice(0);
      await at('/units/a').set.State(`set after ${method}`);
      assert.equal(heard, [`PropertiesChanged /units/a ["org.example.Unit",{"State":"set after ${method}"},[]]`]);
    }
  });

  test(`${manner}: one object that answers several calls sends its signals once`, async () => {
    const one = unit('one');
    using _tree = service.exportTree('/units', { ...options, find: () => as(one) });
    const heard: string[] = [];
    using _signals = client.subscribe({ interface: NAME }, ({ body }) => void heard.push(String(body[0])));
    await client.listNames();
    await Promise.all(['1', '2', '3'].map((how) => at('/units/one').call.StartLater(how)));
    assert.equal(heard.sort(), ['1', '2', '3']);
    one.emit.Started('after the calls');
    await service.listNames();
    await client.listNames();
    assert.is(heard.length, 3);
    assert.is(one.description.name, NAME);
  });

  test(`${manner}: an export wins, and its children are among those of the tree`, async () => {
    using _tree = service.exportTree('/units', options);
    using _a = service.export('/units/a', unit('exported'));
    using _e = service.export('/units/group/e', unit('e'));
    using _deep = service.export('/units/only/deep', unit('deep'));
    assert.is(await at('/units/a').get.Id(), 'exported');
    assert.is(await at('/units/group/d').get.Id(), 'd');
    assert.is(await at('/units/group/e').get.Id(), 'e');
    assert.is(await at('/units/only/deep').get.Id(), 'deep');
    const children = async (path: string) => [...(await client.object(destination, path)).node.children.keys()].sort();
    assert.equal(await children('/units'), ['a', 'b', 'group', 'only']);
    assert.equal(await children('/units/group'), ['d', 'e']);
    assert.equal(await children('/units/only'), ['deep']);
  });

  test(`${manner}: an object manager lists the tree`, async () => {
    states.clear();
    using _a = service.export('/units/a', unit('exported'));
    const expected = {
      '/units/a': { [NAME]: { Id: 'exported', State: 'new' } },
      '/units/b': { [NAME]: { Id: 'b', State: 'new' }, 'org.example.Extra': {} },
      '/units/b/c': { [NAME]: { Id: 'c', State: 'new' } },
      '/units/group/d': { [NAME]: { Id: 'd', State: 'new' } },
    };
    const managed = async (path: string) => {
      const manager = { destination, path, interface: 'org.freedesktop.DBus.ObjectManager' };
      const [objects] = await client.call({ ...manager, member: 'GetManagedObjects' });
      return objects as object;
    };
    const sorted = (objects: object) => Object.fromEntries(Object.entries(objects).sort());
    {
      using _tree = service.exportTree('/units', { ...options, manager: true });
      assert.equal(sorted(await managed('/units')), expected);
    }
    {
      using _tree = service.exportTree('/units', options);
      using _root = service.exportObjectManager('/');
      assert.equal(sorted(await managed('/')), expected);
      assert.is(
        ((await rejection(managed('/units'))) as DBusError).dbusName,
        'org.freedesktop.DBus.Error.UnknownInterface',
      );
    }
  });

  test(`${manner}: a view of its manager follows what is announced`, async () => {
    states.clear();
    const here = new Map<string, ExportedObject>([['x', unit('x')]]);
    const tree = service.exportTree('/live', {
      children: (path) => as(path === '/live' ? here.keys() : []),
      find: (path) => as(here.get(path.slice('/live/'.length))),
      manager: true,
    });
    using view = client.objects(destination, '/live');
    await view.ready;
    const units = () => [...view].map(({ path }) => path).sort();
    assert.equal(units(), ['/live/x']);
    here.set('y', unit('y'));
    tree.announceAdded('/live/y', here.get('y') as ExportedObject);
    here.delete('x');
    tree.announceRemoved('/live/x', NAME);
    await service.listNames();
    await client.listNames();
    assert.equal(units(), ['/live/y']);
    tree.end();
  });

  test(`${manner}: an object that is kept sends signals at any time, and is not announced`, async () => {
    using tree = service.exportTree('/units', { ...options, manager: true });
    const heard: string[] = [];
    using _signals = client.subscribe(
      { sender: destination },
      ({ member, path }) => void heard.push(`${member} ${path}`),
    );
    await client.listNames();
    const kept = unit('kept');
    const handle = tree.keep('/units/a', kept);
    assert.is(await at('/units/a').get.Id(), 'kept');
    kept.emit.Started('');
    kept.properties.State = 'changed';
    handle.end();
    kept.emit.Started('');
    assert.is(await at('/units/a').get.Id(), 'a');
    await client.listNames();
    assert.equal(heard, ['Started /units/a', 'PropertiesChanged /units/a']);
    const other = tree.keep('/units/b', kept);
    tree.end();
    other.end();
    assert.is(service.stats().exportedObjects, 0);
    assert.throws(() => tree.keep('/units/a', kept), /the tree \/units has ended/);
  });

  test(`${manner}: calls of one caller begin in the order in which they arrived`, async () => {
    log.splice(0);
    using _tree = service.exportTree('/units', {
      ...options,
      find: (path) => (path.endsWith('a') ? delay(5).then(() => found[path]?.()) : as(found[path]?.())),
    });
    const { Start } = at('/units/a').call;
    const calls = [Start('1'), at('/units/b').call.Start('2'), Start('3'), at('/units/group/d').call.Start('4')];
    await Promise.all(calls);
    assert.equal(log, ['a 1', 'b 2', 'a 3', 'd 4']);
  });

  test(`${manner}: large arguments and descriptors stay while the object is found`, async () => {
    const Big = defineInterface('org.example.Big', {
      methods: { Length: { in: 'as', out: 'u' }, Pass: { in: 'h', out: 'u' } },
      properties: { Text: { type: 's' } },
    });
    const big = implement(Big, {
      Length: (list) => list.reduce((sum, text) => sum + text.length, 0),
      Pass: (fd) => fd.fd,
      Text: '',
    });
    using _tree = service.exportTree('/big', { children: () => [], find: () => as(big) });
    const proxy = client.proxy(Big, destination, '/big/one');
    const list = Array.from({ length: 1000 }, (_, index) => `text ${index}`);
    const length = list.join('').length;
    const [read, write] = await pipe();
    const lengths = await Promise.all([
      ...[1, 2, 3].map(() => proxy.call.Length(list)),
      proxy.set.Text('x'.repeat(100_000)).then(() => 0),
    ]);
    assert.equal(lengths, [length, length, length, 0]);
    assert.is((await proxy.get.Text()).length, 100_000);
    assert.ok((await proxy.call.Pass(read.handOver())) > 2);
    write.close();
  });

  test(`${manner}: what the program does wrong is reported, and the caller gets an error`, async () => {
    const failed = 'org.freedesktop.DBus.Error.Failed';
    const cases: readonly [Partial<TreeOptions>, string][] = [
      [{ find: () => as(5 as never) }, 'only an instance of a ServiceInterface class'],
      [{ find: () => as([unit('a'), unit('a')]) }, 'already exports the interface org.example.Unit'],
      [{ find: () => as(undefined), children: () => as('abc' as never) }, 'expected names, got string'],
      [{ find: () => as(undefined), children: () => as(['a/b']) }, '"a/b" is not one element of a path'],
      [{ find: () => as(undefined), children: () => as(['']) }, '"" is not one element of a path'],
      [{ find: () => as(undefined), children: () => as([5 as never]) }, '"5" is not one element of a path'],
    ];
    for (const [wrong, text] of cases) {
      using _tree = service.exportTree('/wrong', { ...options, ...wrong });
      const error = (await rejection(at('/wrong/a').call.Start(''))) as DBusError;
      assert.is(error.dbusName, failed, text);
      assert.match(error.message, text);
      assert.is(problems.splice(0).length, 1);
    }
  });

  test(`${manner}: objects that cannot be found are left out of a list, and reported`, async () => {
    states.clear();
    using _tree = service.exportTree('/wrong', {
      children: (path) => as(path === '/wrong' ? ['good', 'bad', 'worse'] : []),
      find: async (path) => {
        if (path.endsWith('worse')) throw new Error('worse');
        return path.endsWith('bad') ? (5 as never) : unit('good');
      },
      manager: true,
    });
    using view = client.objects(destination, '/wrong');
    await view.ready;
    assert.equal(
      [...view].map(({ path }) => path),
      ['/wrong/good'],
    );
    assert.equal(problems.map(({ message }) => message).sort(), [
      'find("/wrong/bad") of a tree failed',
      'find("/wrong/worse") of a tree failed',
    ]);
  });

  test(`${manner}: calls that wait are counted, and answered before the bus closes`, async () => {
    const other = await startClientAndService();
    let release: (() => void) | undefined;
    const opened = new Promise<void>((resolve) => {
      release = resolve;
    });
    other.service.exportTree('/units', { ...options, find: (path) => opened.then(() => as(found[path]?.())) });
    const waiting = other.client.proxy(Unit, other.destination, '/units/a').call.StartLater('x');
    while (other.service.stats().callsInProgress === 0) await delay(1);
    const closed = other.service.close();
    release?.();
    assert.is(await waiting, '/units/a');
    await closed;
    await other.stop();
  });
}

test('children may be any iterable, also asynchronous ones, and names are taken once', async () => {
  async function* later() {
    yield 'a';
    await delay(1);
    yield 'b';
  }
  for (const children of [() => new Set(['a', 'b', 'a']), () => ['a', 'b'].values(), later, async () => later()]) {
    using _tree = service.exportTree('/many', {
      children: (path) => (path === '/many' ? children() : undefined),
      find: () => undefined,
    });
    const object = await client.object(destination, '/many');
    assert.equal(object.children, ['/many/a', '/many/b']);
  }
});

test('a tree within a tree, and a tree at the root', async () => {
  using _outer = service.exportTree('/', {
    children: (path) => (path === '/' ? ['x'] : []),
    find: (path) => (path === '/x' ? unit('outer') : undefined),
    manager: true,
  });
  using _inner = service.exportTree('/x/in', {
    children: (path) => (path === '/x/in' ? ['y'] : []),
    find: (path) => (path === '/x/in/y' ? unit('inner') : undefined),
  });
  const id = (path: string) => client.proxy(Unit, destination, path).get.Id();
  assert.equal([await id('/x'), await id('/x/in/y')], ['outer', 'inner']);
  assert.is(((await rejection(id('/x/in'))) as DBusError).dbusName, 'org.freedesktop.DBus.Error.UnknownInterface');
  using view = client.objects(destination);
  await view.ready;
  assert.equal([...view].map(({ path }) => path).sort(), ['/x', '/x/in/y']);
  assert.equal((await client.object(destination, '/x')).children, ['/x/in']);
});

test('a tree that never ends is refused', async () => {
  using _tree = service.exportTree('/deep', { children: () => ['a'], find: () => undefined, manager: true });
  const manager = { destination, path: '/deep', interface: 'org.freedesktop.DBus.ObjectManager' };
  const error = (await rejection(client.call({ ...manager, member: 'GetManagedObjects' }))) as DBusError;
  assert.match(error.message, 'there are more than 128 levels');
});

test('a call that waits when the tree ends finds nothing', async () => {
  const tree = service.exportTree('/units', { children: () => [], find: () => delay(5).then(() => unit('a')) });
  const failed = rejection(client.proxy(Unit, destination, '/units/a').call.Start(''));
  while (service.stats().callsInProgress === 0) await delay(1);
  tree.end();
  assert.is(((await failed) as DBusError).dbusName, 'org.freedesktop.DBus.Error.UnknownObject');
  assert.equal([service.stats().callsInProgress, service.stats().exportedObjects], [0, 0]);
});

test('what is not valid is refused, and nothing is exported', () => {
  const options: TreeOptions = { children: () => [], find: () => undefined };
  const cases: readonly [string, unknown, string][] = [
    ['units', options, 'path'],
    ['/units', { children: () => [] }, 'find: expected a function'],
    ['/units', { find: () => undefined }, 'children: expected a function'],
    ['/units', { ...options, manager: 1 }, 'manager: expected a boolean'],
    ['/units', { ...options, manger: true }, 'did you mean manager?'],
    ['/units', undefined, 'options: expected an object'],
  ];
  for (const [path, given, text] of cases) {
    const error = thrown(() => service.exportTree(path, given as TreeOptions));
    assert.instance(error, InvalidArgumentError);
    assert.match(error.message, text);
  }
  using tree = service.exportTree('/units', { ...options, manager: true });
  for (const manager of [true, false])
    assert.throws(() => service.exportTree('/units', { ...options, manager }), /already exports/);
  for (const path of ['/units', '/other/a', '/unitsa', '/']) {
    assert.throws(() => tree.keep(path, unit('a')), /is not below the tree/);
    assert.throws(() => tree.announceAdded(path, unit('a')), /is not below the tree/);
    assert.throws(() => tree.announceRemoved(path, NAME), /is not below the tree/);
  }
  assert.instance(
    thrown(() => tree.announceRemoved('/units/a', 'x')),
    InvalidArgumentError,
  );
  assert.is(service.stats().exportedObjects, 1);
  tree.end();
  assert.is(service.stats().exportedObjects, 0);
});

test.run();
