// The values of views: variants are read as chosen, dictionaries with known keys are checked, and file descriptors are
// never kept.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DBusError,
  defineInterface,
  dict,
  FileDescriptor,
  implement,
  keepTypes,
  pipe,
  type Variant,
  variant,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { Random } from '../helpers/random-numbers.js';
import { rejection } from '../helpers/rejection.js';
import { seed } from '../helpers/replay.js';
import { roundTrips } from '../helpers/round-trips.js';
import { until } from '../helpers/until.js';

const { client, destination, service, stop } = await startClientAndService();
const test = suite('values of views');

test.after(stop);

const Device = defineInterface('org.example.Device1', {
  properties: {
    Name: { type: 's' },
    Data: { type: 'a{sv}', variants: 'wrap' },
    Any: { type: 'v', variants: 'wrap' },
    Numbers: { type: 'a{qv}', access: 'read' },
  },
});
const Reader = defineInterface('org.example.Device1', {
  properties: {
    Name: { type: 's' },
    Data: { type: dict({ Level: 'y', '...': 'v' }) },
    Any: { type: 'v' },
    Numbers: { type: 'a{qv}', access: 'read' },
  },
});
const Holder = defineInterface('org.example.Holder1', {
  properties: {
    Name: { type: 's' },
    Handle: { type: 'h', access: 'read' },
    Options: { type: 'a{sv}', access: 'read' },
    Quiet: { type: 'h', access: 'read', emits: 'invalidates' },
  },
});

const first = { Level: variant.y(1), list: variant.ai([1]), deep: variant('a{sv}', { x: variant.q(5) }) };
const device = implement(Device, {
  Name: 'one',
  Data: first,
  Any: variant.av([variant.u(1)]),
  Numbers: new Map([[7, variant('ay', Buffer.of(1))]]),
});
const [end, other] = await pipe();
let opened = 0;
const open = () => {
  opened++;
  return end.dup().handOver();
};
let options: Record<string, unknown> = {};
const holder = implement(Holder, {
  Name: 'held',
  Handle: { get: open },
  Options: { get: () => options },
  Quiet: { get: open },
});
await service.exportObjectManager('/');
await service.export('/one', device);
await service.export('/held', holder);

test.after(() => {
  end.close();
  other.close();
});

test('variants are read as a view, a sibling and a cached object are told', async () => {
  using view = client.objects(destination);
  await view.ready;
  const plain = view.of(Device).get('/one');
  const wrapped = view.of(Device, { variants: 'wrap' }).get('/one');
  assert.equal(plain?.values.Data, { Level: 1, list: [1], deep: { x: 5 } });
  assert.equal(plain?.values.Any, [1]);
  assert.equal(plain?.values.Numbers, new Map([[7, Buffer.of(1)]]));
  assert.equal(wrapped?.values.Data, first);
  assert.equal(wrapped?.values.Any, variant.av([variant.u(1)]));
  assert.equal(wrapped?.values.Numbers, new Map([[7, variant('ay', Buffer.of(1))]]));
  assert.is(wrapped?.values.Name, 'one');
  assert.equal(await wrapped?.get.Data(), first);
  assert.equal(await wrapped?.getAll(), wrapped?.values);
  assert.equal(plain?.as(Device, { variants: 'wrap' })?.values.Data, first);
  assert.equal(view.get('/one')?.as(Device, { variants: 'wrap' })?.values.Data, first);
  assert.equal(wrapped?.as(Device)?.values.Data, plain?.values.Data);
  assert.is(view.of(Device, { variants: 'wrap' }), view.of(Device, { variants: 'wrap' }));
  assert.is(view.of(Device, { variants: 'plain' }), view.of(Device));
  using cached = await client.cached(Device, destination, '/one', { variants: 'wrap' });
  assert.equal(cached.values.Data, first);
  const next = cached.until(({ Data }) => (Data?.Level as Variant | undefined)?.value === 2);
  device.properties.Data = { ...first, Level: variant.y(2) };
  assert.equal((await next).Data, { ...first, Level: variant.y(2) });
  device.properties.Data = first;
  assert.throws(() => view.of(Device, { variants: 'odd' as never }), /variants.*plain/);
  assert.throws(() => view.of(Device, { variant: 'wrap' } as never), /variants/);
});

test('a value of a view that keeps types is changed and written with them', async () => {
  using cached = await client.cached(Device, destination, '/one', { variants: 'keep' });
  const { Data = {} } = cached.values;
  assert.equal(Data, { Level: 1, list: [1], deep: { x: 5 } });
  await cached.set.Data(keepTypes({ ...Data, Level: 3, list: [] }, Data));
  await cached.until((values) => values.Data?.Level === 3);
  using wrapped = await client.cached(Device, destination, '/one', { variants: 'wrap' });
  assert.equal(wrapped.values.Data, { ...first, Level: variant.y(3), list: variant.ai([]) });
  await cached.set.Any(cached.values.Any);
  assert.equal(await wrapped.get.Any(), variant.av([variant.u(1)]));
  device.properties.Data = first;
});

test('dictionaries with known keys are checked: a value without a required key is no value', async () => {
  using view = client.objects(destination);
  await view.ready;
  const reader = view.of(Reader).get('/one');
  assert.is(reader?.values.Data?.Level, 1);
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
  device.properties.Data = { Level: variant.u(5) };
  await until(() => reader?.values.Data === undefined);
  assert.is(reader?.values.Name, 'one');
  assert.match((await warned).message, 'the property org.example.Device1.Data.Level: expected y, got u');
  device.properties.Data = first;
  await until(() => reader?.values.Data?.Level === 1);
});

test('values that hold descriptors are not kept: they are closed, and read with get', async () => {
  const before = openFds();
  using view = client.objects(destination);
  await view.ready;
  const held = view.of(Holder).get('/held');
  if (held === undefined) throw new Error('there is no object');
  using cached = await client.cached(Holder, destination, '/held');
  assert.equal(held.values, { Name: 'held', Options: {} });
  assert.equal(cached.values, { Name: 'held', Options: {} });
  await assertNoFdsLeft(before);
  const told: (readonly string[])[] = [];
  const heard: [object, readonly string[]][] = [];
  held.watch({ changed: (_object, names) => told.push([...names].sort()) });
  cached.onChange((changed, names) => heard.push([changed, names]));
  options = { end: variant.h(end), size: 5 };
  holder.emitPropertiesChanged(['Handle', 'Options']);
  await until(() => told.length > 0 && heard.length > 0);
  assert.equal(told, [['Handle', 'Options']]);
  assert.equal(heard, [[{}, ['Handle', 'Options']]]);
  assert.equal(held.values, { Name: 'held' });
  assert.equal(cached.values, { Name: 'held' });
  await assertNoFdsLeft(before);
  using own = await held.get.Handle();
  assert.ok(FileDescriptor.isFileDescriptor(own) && !own.closed);
  own.close();
  options = { size: 6 };
  holder.emitPropertiesChanged(['Options']);
  await until(() => (held.values.Options as { size?: number } | undefined)?.size === 6);
  assert.equal(cached.values, { Name: 'held', Options: { size: 6 } });
  await assertNoFdsLeft(before);
});

test('values that follow each change are those that are read anew', async () => {
  const Many = defineInterface('org.example.Many1', {
    properties: {
      A: { type: 'u' },
      B: { type: 's' },
      C: { type: 'a{sv}' },
      Proto: { type: 'u', access: 'read', emits: false },
      E: { type: 'v' },
    },
  });
  const values = { A: 1, B: 'one', C: { x: 1 }, Proto: 1, E: variant.u(1) };
  using _export = service.export('/many', implement(Many, values));
  using followed = await client.cached(Many, destination, '/many');
  // With the types of its values, a proxy reads all of them at each change.
  using anew = await client.cached(Many, destination, '/many', { variants: 'keep' });
  const random = new Random(seed);
  const below = (limit: number) => random.below(limit);
  const makers: Record<string, () => Variant> = {
    A: () => variant.u(below(3)),
    B: () => (below(5) === 0 ? variant.u(7) : variant.s(`${below(3)}`)),
    C: () => variant('a{sv}', { x: variant.u(below(3)), y: variant.av([variant.s('deep')]) }),
    Proto: () => variant.u(below(3)),
    E: () => (below(2) === 0 ? variant.s('text') : variant('v', variant.u(below(3)))),
    Unknown: () => variant.as(['not described']),
    ['__proto__']: () => variant.u(below(3)),
  };
  for (let step = 0; step < 300; step++) {
    const changed = new Map<string, Variant>();
    const invalidated: string[] = [];
    for (const [name, make] of Object.entries(makers)) {
      if (below(3) === 0) changed.set(name, make());
      else if (below(12) === 0) invalidated.push(name);
    }
    service.emit({
      path: '/many',
      interface: 'org.freedesktop.DBus.Properties',
      member: 'PropertiesChanged',
      signature: 'sa{sv}as',
      body: [Many.name, changed, invalidated],
    });
    // Some changes are not looked at.
    if (below(3) === 0) continue;
    await roundTrips(client, service, client);
    assert.equal(followed.values, anew.values, `seed ${seed}, step ${step}`);
  }
});

test('a property whose descriptors were invalidated is not opened again and again', async () => {
  using cached = await client.cached(Holder, destination, '/held');
  const told: string[] = [];
  cached.watch({ changed: (_object, names) => told.push(...names) });
  holder.emitPropertiesChanged(['Quiet']);
  await until(() => told.length === 1);
  const after = opened;
  for (let times = 0; times < 5; times++) {
    holder.emitPropertiesChanged(['Quiet']);
    await until(() => told.length === 2 + times);
  }
  assert.is(opened, after);
  assert.equal([...new Set(told)], ['Quiet']);
  assert.match((await rejection(cached.until(() => false, { timeout: 1 }))).message, 'condition');
});

// With InvalidArgs, as BlueZ does when the signal strength of a device that is out of range is asked for, or UnknownProperty.
for (const name of ['InvalidArgs', 'UnknownProperty']) {
  test(`a property that the object has no more has no value, and is not asked for again: ${name}`, async () => {
    let isThere = true;
    let asked = 0;
    const Range = defineInterface('org.example.Range1', { properties: { RSSI: { type: 'n', emits: 'invalidates' } } });
    const range = implement(Range, {
      get RSSI() {
        asked++;
        if (!isThere) throw new DBusError(`org.freedesktop.DBus.Error.${name}`, 'No such property');
        return -50;
      },
      set RSSI(_value) {},
    });
    using _export = service.export(`/range/${name}`, range);
    const problems: unknown[] = [];
    const onProblem = (problem: unknown) => problems.push(problem);
    subscribe('busbar:problem', onProblem);
    try {
      using cached = await client.cached(Range, destination, `/range/${name}`);
      const told: string[] = [];
      cached.watch({ changed: (_object, names) => told.push(...names) });
      assert.equal(cached.values, { RSSI: -50 });
      isThere = false;
      asked = 0;
      range.emitPropertiesChanged(['RSSI']);
      await until(() => told.length === 1);
      for (let times = 0; times < 3; times++) {
        assert.equal(cached.values, {});
        await roundTrips(client, service, client);
      }
      assert.equal([told, asked, problems], [['RSSI'], 1, []]);
      isThere = true;
      range.emitPropertiesChanged(['RSSI']);
      await cached.until(({ RSSI }) => RSSI === -50, { timeout: 20_000 });
    } finally {
      unsubscribe('busbar:problem', onProblem);
    }
  });
}

test.run();
