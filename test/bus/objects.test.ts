// A live view of the objects that a service manages.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  implement,
  type LiveObject,
  type MessageBus,
  type Problem,
  TimeoutError,
  UnknownInterfaceError,
  UnknownObjectError,
} from '../../src/index.js';
import { Battery, Device, device, NAME, noting, startDevices } from '../helpers/devices.js';
import { FickleService } from '../helpers/fickle-service.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { roundTrips } from '../helpers/round-trips.js';
import { until } from '../helpers/until.js';

const test = suite('objects');
const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const startService = () => startDevices(daemon.address, client);

/** Waits until what a connection sent before has arrived. */
const settled = (from: MessageBus) => roundTrips(from, client);

/** A folder with an activation file of the service, whose program creates the file `started`. */
async function activatableService() {
  const path = await mkdtemp(join(tmpdir(), 'busbar-objects-'));
  const started = join(path, 'started');
  await writeFile(join(path, `${NAME}.service`), `[D-BUS Service]\nName=${NAME}\nExec=/bin/touch ${started}\n`);
  return { path, started, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test.after(async () => {
  await client.close();
  await daemon.stop();
});

test('a view has the objects of the service, their interfaces and values, and is a proxy of each', async () => {
  await using service = await startService();
  const one = device('one');
  service.export('/one', one, implement(Battery, { Percentage: 80 }));
  service.export('/two', device('two'));
  using view = client.objects(NAME);
  assert.is(view.owner, undefined);
  assert.is(await view.ready, service.uniqueName);
  assert.is(view.owner, service.uniqueName);
  const devices = view.of(Device);
  assert.is(devices, view.of(Device));
  assert.is(devices.size, 2);
  assert.equal(
    [...devices].map(({ path, values }) => [path, values]),
    [
      ['/one', { Name: 'one', RSSI: -50, Lazy: 'first' }],
      ['/two', { Name: 'two', RSSI: -50, Lazy: 'first' }],
    ],
  );
  const first = devices.get('/one');
  assert.is(first, [...devices][0]);
  assert.is(await first?.call.Connect('a2dp'), 'one a2dp');
  assert.is(await first?.get.Silent(), 1);
  assert.is(first?.as(Battery)?.values.Percentage, 80);
  assert.is(devices.get('/two')?.as(Battery), undefined);
  assert.is(view.get('/one')?.as(Battery)?.as(Device), first);
  assert.is(view.get('/three'), undefined);
  assert.equal(
    [...view].map(({ path, interfaces }) => [path, interfaces.includes(Battery.description.name)]),
    [
      ['/one', true],
      ['/two', false],
    ],
  );
  await first?.set.RSSI(-3);
  await settled(service);
  assert.is(first?.values.RSSI, -3);
  const heard = first?.once.Found();
  await settled(client);
  one.emit.Found('x');
  assert.equal(await heard, ['x']);
});

test('a watcher is told of the objects that are there, and of every change, until it ends', async () => {
  await using service = await startService();
  const one = device('one');
  const exported = service.export('/one', one);
  using view = client.objects(NAME);
  await view.ready;
  const told: unknown[] = [];
  const watching = view.of(Device).watch(noting(told));
  assert.equal(told, []);
  await settled(client);
  assert.equal(told.splice(0), [['added', '/one', 'one']]);
  const two = service.export('/two', device('two'));
  one.properties.Name = 'first';
  await settled(service);
  assert.equal(told.splice(0), [
    ['added', '/two', 'two'],
    ['changed', '/one', 'first'],
  ]);
  exported.end();
  await settled(service);
  assert.equal(told.splice(0), [['removed', '/one', 'first', {}, false]]);
  watching.end();
  two.end();
  await settled(service);
  assert.equal(told, []);
  assert.is(view.size, 0);
});

test('where the name has no owner, a view is ready and empty; it has the objects of each owner that comes', async () => {
  using view = client.objects(NAME);
  assert.is(await view.ready, undefined);
  assert.equal([...view], []);
  const told: unknown[] = [];
  using _watch = view.of(Device).watch(noting(told));
  const first = await startService();
  first.export('/one', device('one'));
  await until(() => told.length === 1);
  const held = view.of(Device).get('/one');
  assert.is(await view.ready, first.uniqueName);
  await first.close();
  await until(() => told.length === 2);
  assert.is(await view.ready, undefined);
  assert.is(held?.present, false);
  await using second = await startService();
  second.export('/one', device('again'));
  await until(() => told.length === 3);
  assert.equal(told, [
    ['added', '/one', 'one'],
    ['removed', '/one', 'one', {}, false],
    ['added', '/one', 'again'],
  ]);
  assert.equal([held?.present, held?.values], [false, {}]);
  assert.is(view.of(Device).get('/one')?.values.Name, 'again');
});

test('a service without a manager rejects `ready`, and is asked again when it sends a signal', async () => {
  await using service = await connect({ address: daemon.address });
  service.export('/one', device('one'));
  await service.requestName(NAME);
  await settled(service);
  using view = client.objects(NAME);
  assert.instance(await rejection(view.ready), UnknownInterfaceError);
  assert.is(view.size, 0);
  service.exportObjectManager('/');
  service.export('/two', device('two'));
  await until(() => view.size > 0);
  assert.is(await view.ready, service.uniqueName);
  assert.equal([...view.of(Device)].map(({ path }) => path).sort(), ['/one', '/two']);
});

test('a loop gets what is there, and the changes of an object together if it is slow', async () => {
  await using service = await startService();
  const one = device('one');
  const exported = service.export('/one', one);
  using view = client.objects(NAME);
  await view.ready;
  const changes = view.of(Device).changes();
  const next = async () => {
    const { value, done } = await changes.next();
    if (done === true || value === undefined) return 'done';
    const { kind, object, ...rest } = value;
    return [kind, object.path, rest];
  };
  assert.equal(await next(), ['added', '/one', {}]);
  const waiting = next();
  one.properties.Name = 'first';
  assert.equal(await waiting, ['changed', '/one', { names: ['Name'] }]);
  for (let count = 0; count < 10; count++) {
    one.properties.RSSI = -count;
    one.emit.Found('in between');
  }
  one.properties.Name = 'second';
  service.export('/two', device('two')).end();
  await settled(service);
  assert.equal(await next(), ['changed', '/one', { names: ['RSSI', 'Name'] }]);
  exported.end();
  await settled(service);
  const last = { Name: 'second', RSSI: -9, Lazy: 'first' };
  assert.equal(await next(), ['removed', '/one', { last }]);
  const stopped = next();
  view.end();
  assert.is(await stopped, 'done');
});

test('a loop ends when it is left or aborted', async () => {
  await using service = await startService();
  service.export('/one', device('one'));
  using view = client.objects(NAME);
  await view.ready;
  const paths: string[] = [];
  for await (const { object } of view.of(Device).changes()) {
    paths.push(object.path);
    break;
  }
  const abort = new AbortController();
  const loop = view.of(Device).changes({ signal: abort.signal });
  assert.is((await loop.next()).done, false);
  const next = loop.next();
  abort.abort();
  assert.is((await next).done, true);
  assert.is((await view.of(Device).changes({ signal: abort.signal }).next()).done, true);
  assert.equal(paths, ['/one']);
});

test('a property that was invalidated is read again when it is looked at, and at once if it is watched', async () => {
  await using service = await FickleService.connect(daemon.address);
  await service.bus.requestName(NAME);
  await settled(service.bus);
  service.add('/one', { [Device.description.name]: { Name: 'one', Lazy: 'first' } });
  using view = client.objects(NAME);
  await view.ready;
  const one = view.of(Device).get('/one');
  assert.equal(one?.values, { Name: 'one', Lazy: 'first' });
  service.change('/one', Device.description.name, { Lazy: 'second' }, ['Lazy']);
  await settled(service.bus);
  assert.equal(service.asked.Get, 0);
  assert.equal(one?.values, { Name: 'one' });
  assert.equal(await one?.until(({ Lazy }) => Lazy !== undefined), { Name: 'one', Lazy: 'second' });
  assert.equal(service.asked.Get, 1);
  const told: unknown[] = [];
  using _watch = one?.watch({ changed: (_object, names) => told.push([names, one.values]) });
  await settled(client);
  service.change('/one', Device.description.name, { Lazy: 'third' }, ['Lazy']);
  await until(() => told.length > 0);
  assert.equal(told, [[['Lazy'], { Name: 'one', Lazy: 'third' }]]);
  service.change('/one', Device.description.name, { Lazy: 'fourth', Name: 'two' }, ['Lazy', 'Name']);
  await until(() => told.length > 1);
  assert.equal(told[1], [['Lazy', 'Name'], { Name: 'two', Lazy: 'fourth' }]);
  assert.equal(service.asked, { GetManagedObjects: 1, Get: 2, GetAll: 1 });
});

test('a value that arrives while a property is read again counts, and not the later reply', async () => {
  await using service = await FickleService.connect(daemon.address);
  await service.bus.requestName(NAME);
  await settled(service.bus);
  service.add('/one', { [Device.description.name]: { Lazy: 'first' } });
  using view = client.objects(NAME);
  await view.ready;
  const one = view.of(Device).get('/one');
  service.change('/one', Device.description.name, { Lazy: 'second' }, ['Lazy']);
  await settled(service.bus);
  service.isSlow = true;
  assert.equal(one?.values, {});
  await until(() => service.asked.Get === 1);
  service.change('/one', Device.description.name, { Lazy: 'third' });
  await settled(service.bus);
  assert.equal(one?.values, { Lazy: 'third' });
  service.release();
  await settled(service.bus);
  assert.equal(one?.values, { Lazy: 'third' });
});

test('changes that arrive while the objects are read are applied to the reply, which may be older', async () => {
  await using service = await FickleService.connect(daemon.address);
  await service.bus.requestName(NAME);
  await settled(service.bus);
  service.add('/one', { [Device.description.name]: { Name: 'one' } });
  service.add('/two', { [Device.description.name]: { Name: 'two' } });
  service.isSlow = true;
  using view = client.objects(NAME);
  await until(() => service.asked.GetManagedObjects === 1);
  service.change('/one', Device.description.name, { Name: 'newer' });
  service.remove('/two', [Device.description.name]);
  service.add('/three', { [Device.description.name]: { Name: 'three' } });
  service.release();
  await view.ready;
  assert.equal(
    [...view.of(Device)].map(({ path, values }) => [path, values.Name]),
    [
      ['/one', 'newer'],
      ['/three', 'three'],
    ],
  );
});

test('a manager below the root is followed below its path, and everywhere if it reports objects elsewhere', async () => {
  await using service = await FickleService.connect(daemon.address, '/manager');
  await service.bus.requestName(NAME);
  await settled(service.bus);
  service.add('/manager/one', { [Device.description.name]: { Name: 'one' } });
  using view = client.objects(NAME, '/manager');
  await view.ready;
  assert.is(service.asked.GetManagedObjects, 1);
  service.add('/elsewhere', { [Device.description.name]: { Name: 'elsewhere' } });
  await settled(service.bus);
  service.change('/elsewhere', Device.description.name, { Name: 'changed' });
  await settled(service.bus);
  await until(() => view.of(Device).get('/elsewhere')?.values.Name === 'changed');
});

test('`until` resolves at once or later, and rejects after its time, an abort, an exception and a removal', async () => {
  await using service = await startService();
  const one = device('one');
  const exported = service.export('/one', one);
  using view = client.objects(NAME);
  await view.ready;
  const object = view.of(Device).get('/one') as LiveObject<typeof Device>;
  assert.is((await object.until(({ RSSI }) => RSSI === -50)).Name, 'one');
  const later = object.until(({ RSSI = -100 }) => RSSI > -10);
  one.properties.RSSI = -5;
  assert.is((await later).RSSI, -5);
  const never = () => false;
  assert.instance(await rejection(object.until(never, { timeout: 1 })), TimeoutError);
  const reason = new Error('enough');
  assert.is(await rejection(object.until(never, { signal: AbortSignal.abort(reason) })), reason);
  const abort = new AbortController();
  const aborted = rejection(object.until(never, { signal: abort.signal }));
  abort.abort(reason);
  assert.is(await aborted, reason);
  const thrower = () => {
    throw reason;
  };
  assert.is(await rejection(object.until(thrower)), reason);
  const gone = rejection(object.until(never));
  exported.end();
  assert.instance(await gone, UnknownObjectError);
  assert.instance(await rejection(object.until(never)), UnknownObjectError);
});

test('a watcher of one object is told of this object alone', async () => {
  await using service = await startService();
  const [one, two] = [device('one'), device('two')];
  const exported = service.export('/one', one);
  service.export('/two', two);
  using view = client.objects(NAME);
  await view.ready;
  const told: unknown[] = [];
  using _watch = view.of(Device).get('/one')?.watch(noting(told));
  await settled(client);
  two.properties.Name = 'second';
  one.properties.Name = 'first';
  exported.end();
  await settled(service);
  assert.equal(told, [
    ['added', '/one', 'one'],
    ['changed', '/one', 'first'],
    ['removed', '/one', 'first', {}, false],
  ]);
});

test('neither a view nor a cached object starts a service', async () => {
  await using folder = await activatableService();
  await using own = await PrivateBus.start({ daemon: 'dbus-daemon', serviceFolder: folder.path });
  await using bus = await connect({ address: own.address });
  assert.ok((await bus.listActivatableNames()).includes(NAME));
  using view = bus.objects(NAME);
  using cached = await bus.cached(Battery, NAME, '/one');
  assert.equal([await view.ready, view.size, cached.values], [undefined, 0, {}]);
  assert.not(existsSync(folder.started));
});

test('`onChange` of an object uses the match rules of the view', async () => {
  await using service = await startService();
  const one = device('one');
  service.export('/one', one);
  using view = client.objects(NAME);
  await view.ready;
  const { matchRules } = client.stats();
  const heard: unknown[] = [];
  using changes = view
    .of(Device)
    .get('/one')
    ?.onChange((changed, invalid, { sender, path }) => {
      heard.push([changed, invalid, sender, path]);
    });
  await changes?.ready;
  assert.is(client.stats().matchRules, matchRules);
  one.properties.RSSI = -1;
  await settled(service);
  assert.equal(heard, [[{ RSSI: -1 }, [], service.uniqueName, '/one']]);
});

test('a value of another type is left out and reported once; a property that is not described is shown', async () => {
  await using service = await FickleService.connect(daemon.address);
  await service.bus.requestName(NAME);
  await settled(service.bus);
  for (const path of ['/one', '/two']) service.add(path, { [Device.description.name]: { Name: 5, Extra: 'x' } });
  using view = client.objects(NAME);
  await view.ready;
  const problems: string[] = [];
  const note = (problem: unknown) => problems.push((problem as Problem).message);
  subscribe('busbar:problem', note);
  for (const { values } of view.of(Device)) assert.equal(values, { Extra: 'x' } as object);
  unsubscribe('busbar:problem', note);
  assert.is(problems.length, 1);
  assert.match(problems[0] ?? '', /the property org\.example\.Device1\.Name has the signature "u", not "s"/);
  // A description that is only known at run time accepts every type.
  assert.equal(view.of(Device.description).get('/one')?.values, { Name: 5, Extra: 'x' });
});

test.run();
