// What the program announces of a tree while an object manager searches it: the answer comes after the announcements, and a
// client that handles both in order has the objects that there are.
import { channel } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type DBusError,
  defineInterface,
  type ExportedObject,
  implement,
  type Problem,
  property,
  ServiceInterface,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { rejection } from '../helpers/rejection.js';
import { until } from '../helpers/until.js';

const test = suite('announcements of trees');
const { client, service, destination, stop } = await startClientAndService();
const problems: Problem[] = [];
channel('busbar:problem').subscribe((problem) => problems.push(problem as Problem));
test.after(stop);
test.before.each(() => void problems.splice(0));

const Row = defineInterface('org.example.Row', { properties: { Text: { type: 's', access: 'read' } } });
const Mark = defineInterface('org.example.Mark', { properties: { Colour: { type: 's', access: 'read' } } });
const OBJECT_MANAGER = 'org.freedesktop.DBus.ObjectManager';

/** A promise that a test resolves. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** A tree of rows. It searches `a`, `b` and the others in this order, and waits before the last one. */
function rowsWith(names: readonly string[], last = gate()) {
  const rows = new Map<string, string>(names.map((name) => [name, `text of ${name}`]));
  let isWaiting = false;
  const find = (path: string): ExportedObject[] | undefined => {
    const text = rows.get(path.slice('/rows/'.length));
    return text === undefined
      ? undefined
      : [implement(Row, { Text: { get: () => text } }), implement(Mark, { Colour: 'red' })];
  };
  const tree = service.exportTree('/rows', {
    children: (path) => (path === '/rows' ? [...rows.keys(), 'last'] : []),
    find: async (path) => {
      if (path !== '/rows/last') return find(path);
      isWaiting = true;
      await last.opened;
      return undefined;
    },
    manager: true,
  });
  return { tree, rows, find, go: last.open, waiting: () => until(() => isWaiting) };
}

const managed = () =>
  client.call({ destination, path: '/rows', interface: OBJECT_MANAGER, member: 'GetManagedObjects' });
type Managed = Record<string, Record<string, Record<string, unknown>>>;
const shown = ([objects]: readonly unknown[]) =>
  Object.entries(objects as Managed).map(([path, interfaces]) => [path, ...Object.keys(interfaces)].join(' '));
const both = 'org.example.Row org.example.Mark';

test('an object that was announced as removed is not in the answer, nor in a view', async () => {
  const { tree, rows, go, waiting } = rowsWith(['a', 'b']);
  using view = client.objects(destination, '/rows');
  await waiting();
  const answer = managed();
  await until(() => service.stats().callsInProgress === 2);
  rows.delete('a');
  tree.announceRemoved('/rows/a', Row.name, Mark.name);
  tree.announceRemoved('/rows/b', Mark.name);
  go();
  await view.ready;
  assert.equal(
    [...view].map(({ path }) => path),
    ['/rows/b'],
  );
  assert.equal(shown(await answer), ['/rows/b org.example.Row']);
  tree.end();
});

test('an object that was announced as added is in the answer, and removed again it is not', async () => {
  const { tree, rows, find, go, waiting } = rowsWith(['a']);
  using view = client.objects(destination, '/rows');
  await waiting();
  const answer = managed();
  await until(() => service.stats().callsInProgress === 2);
  for (const name of ['c', 'd', 'e']) {
    rows.set(name, name);
    const [row, mark] = find(`/rows/${name}`) as [ExportedObject, ExportedObject];
    tree.announceAdded(`/rows/${name}`, row, mark);
  }
  rows.delete('d');
  tree.announceRemoved('/rows/d', Row.name, Mark.name);
  go();
  await view.ready;
  assert.equal([...view].map(({ path }) => path).sort(), ['/rows/a', '/rows/c', '/rows/e']);
  assert.equal(shown(await answer).sort(), [`/rows/a ${both}`, `/rows/c ${both}`, `/rows/e ${both}`]);
  tree.end();
});

test('also while the values are read, and of an object that is found after it was announced', async () => {
  const { open, opened } = gate();
  let isRead = false;
  const rows = new Map<string, ExportedObject>([
    ['a', implement(Row, { Text: 'a' })],
    [
      'b',
      implement(Row, {
        Text: {
          get: async () => {
            isRead = true;
            await opened;
            return 'b';
          },
        },
      }),
    ],
  ]);
  const tree = service.exportTree('/rows', {
    children: (path) => (path === '/rows' ? [...rows.keys()] : []),
    find: (path) => rows.get(path.slice('/rows/'.length)),
    manager: true,
  });
  const answer = managed();
  await until(() => isRead);
  tree.announceRemoved('/rows/a', Row.name);
  tree.announceAdded('/rows/c', implement(Row, { Text: 'c' }));
  open();
  assert.equal(shown(await answer), ['/rows/b org.example.Row', '/rows/c org.example.Row']);
  // The announcements were for that answer.
  assert.equal(shown(await managed()), ['/rows/a org.example.Row', '/rows/b org.example.Row']);
  tree.end();
  const { tree: second, go, waiting } = rowsWith(['last', 'x'].reverse(), gate());
  const late = managed();
  await waiting();
  second.announceRemoved('/rows/last', Row.name, Mark.name);
  go();
  assert.equal(shown(await late), [`/rows/x ${both}`]);
  second.end();
});

test('objects of a tree that has ended are not in the answer, and it announces nothing', async () => {
  using _manager = service.exportObjectManager('/');
  const { tree, find, go, waiting } = rowsWith(['a']);
  const answer = client.call({ destination, path: '/', interface: OBJECT_MANAGER, member: 'GetManagedObjects' });
  await waiting();
  tree.end();
  go();
  assert.equal(shown(await answer), []);
  const signals: unknown[] = [];
  using _signals = client.subscribe({ interface: OBJECT_MANAGER }, ({ member }) => void signals.push(member));
  await client.listNames();
  tree.announceAdded('/rows/a', ...(find('/rows/a') as [ExportedObject]));
  tree.announceRemoved('/rows/a', Row.name);
  await client.call({ destination, path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
  assert.equal(signals, []);
  assert.equal(problems, []);
});

test('the event loop runs while a long list of names is read', async () => {
  let taken = 0;
  let before = 0;
  function* many() {
    setImmediate(() => {
      before = taken;
    });
    for (; taken < 200_000; taken++) yield `n${taken}`;
  }
  using _tree = service.exportTree('/rows', {
    children: (path) => (path === '/rows' ? many() : []),
    find: () => undefined,
    manager: true,
  });
  assert.equal(shown(await managed()), []);
  assert.ok(before > 0 && before < taken, `${before} of ${taken}`);
});

test('a list that loses elements during the search hides no others', async () => {
  const names = ['a', 'b', 'c'];
  using _tree = service.exportTree('/rows', {
    children: (path) => (path === '/rows' ? names : []),
    find: (path) => {
      if (path === '/rows/a') names.shift();
      return implement(Row, { Text: path });
    },
    manager: true,
  });
  assert.equal(
    shown(await managed()).sort(),
    ['a', 'b', 'c'].map((name) => `/rows/${name} ${Row.name}`),
  );
});

test('a name that children gives twice is searched once', async () => {
  const asked: string[] = [];
  using _tree = service.exportTree('/rows', {
    children: (path) => (path.length < 30 ? ['a', 'a'] : []),
    find: (path) => void asked.push(path),
    manager: true,
  });
  assert.equal(shown(await managed()), []);
  assert.is(asked.length, 13);
});

test('one of several objects with a value of the wrong type leaves no other one at the path', async () => {
  class Bad extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Bad';
    @property({ type: 'u' })
    accessor Level = 'high' as unknown as number;
  }
  const Bell = defineInterface('org.example.Bell', { methods: { Ring: {} }, signals: { Rang: {} } });
  const bell = implement(Bell, { Ring: (): void => void bell.emit.Rang() });
  let others: ServiceInterface[] = [];
  using _tree = service.exportTree('/rows', { children: () => [], find: () => [bell, ...others] });
  const signals: unknown[] = [];
  using _signals = client.subscribe({ interface: Bell.name }, ({ member }) => void signals.push(member));
  const { Ring } = client.proxy(Bell, destination, '/rows/a').call;
  await Ring();
  others = [new Bad()];
  assert.is(((await rejection(Ring())) as DBusError).dbusName, 'org.freedesktop.DBus.Error.Failed');
  assert.match(
    problems
      .splice(0)
      .map(({ error }) => String(error))
      .join(),
    'Level',
  );
  others = [];
  bell.emit.Rang();
  await Ring();
  assert.equal(signals, ['Rang', 'Rang']);
});

test.run();
