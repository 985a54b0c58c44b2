// One object's properties, kept up to date from owner to owner.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectionClosedError,
  connect,
  defineInterface,
  InvalidArgumentError,
  implement,
  type MessageBus,
  TimeoutError,
  UnknownInterfaceError,
} from '../../src/index.js';
import { FickleService } from '../helpers/fickle-service.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { roundTrips } from '../helpers/round-trips.js';
import { until } from '../helpers/until.js';

const test = suite('cached');
const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const NAME = 'org.example.Power';
const PATH = '/battery';
const Battery = defineInterface('org.example.Battery1', {
  methods: { Use: {} },
  signals: { Empty: {} },
  properties: {
    Percentage: { type: 'y' },
    Model: { type: 's', access: 'read', emits: 'const' },
    Lazy: { type: 's', emits: 'invalidates' },
    Uptime: { type: 'u', access: 'read', emits: false },
  },
});

function battery(percentage: number) {
  const made = implement(Battery, {
    Percentage: percentage,
    Model: 'X',
    Lazy: 'first',
    Uptime: { get: () => 7 },
    Use() {
      made.properties.Percentage--;
    },
  });
  return made;
}

async function startService(percentage: number) {
  const bus = await connect({ address: daemon.address });
  const exported = battery(percentage);
  bus.export(PATH, exported);
  await bus.requestName(NAME);
  await settled(bus);
  return { bus, exported, [Symbol.asyncDispose]: () => bus.close() };
}

/** Waits until what a connection sent before has arrived. */
const settled = (from: MessageBus) => roundTrips(from, client);

test.after(async () => {
  await client.close();
  await daemon.stop();
});

test('it is a proxy with the values, without those whose changes are not announced', async () => {
  await using service = await startService(50);
  using cached = await client.cached(Battery, NAME, PATH);
  assert.equal(cached.values, { Percentage: 50, Model: 'X', Lazy: 'first' });
  assert.equal([cached.present, cached.owner], [true, service.bus.uniqueName]);
  const earlier = cached.values;
  assert.is(cached.values, earlier);
  await cached.call.Use();
  assert.is(cached.values.Percentage, 49);
  assert.is(earlier.Percentage, 50);
  assert.is(await cached.get.Uptime(), 7);
  await cached.set.Percentage(30);
  assert.is(cached.values.Percentage, 30);
  service.exported.properties.Lazy = 'second';
  await settled(service.bus);
  assert.is(cached.values.Lazy, undefined);
  assert.is((await cached.until(({ Lazy }) => Lazy !== undefined)).Lazy, 'second');
  const heard = cached.once.Empty();
  await settled(client);
  service.exported.emit.Empty();
  assert.equal(await heard, []);
});

test('it follows the object from owner to owner, and tells its watchers', async () => {
  using cached = await client.cached(Battery, NAME, PATH);
  assert.equal([cached.present, cached.values, cached.owner], [false, {}, undefined]);
  const told: unknown[] = [];
  using _watch = cached.watch({
    added: (object) => told.push(['added', object === cached, cached.values.Percentage]),
    changed: (_object, names) => told.push(['changed', names, cached.values.Percentage]),
    removed: (_object, last) => told.push(['removed', last.Percentage, cached.values]),
  });
  const waiting = cached.until(({ Percentage }) => Percentage === 9);
  const first = await startService(10);
  await until(() => told.length === 1);
  first.exported.properties.Percentage = 5;
  await until(() => told.length === 2);
  await first.bus.close();
  await until(() => told.length === 3);
  assert.is(await cached.ready, undefined);
  await using _second = await startService(9);
  assert.is((await waiting).Percentage, 9);
  assert.equal(told, [
    ['added', true, 10],
    ['changed', ['Percentage'], 5],
    ['removed', 5, {}],
    ['added', true, 9],
  ]);
});

test('it keeps its values while the owner of the name stays, even if that has removed the object', async () => {
  await using service = await FickleService.connect(daemon.address);
  await service.bus.requestName(NAME);
  await settled(service.bus);
  service.add(PATH, { [Battery.description.name]: { Model: 'old' } });
  using cached = await client.cached(Battery, NAME, PATH);
  service.remove(PATH, [Battery.description.name]);
  await settled(service.bus);
  assert.equal([cached.present, cached.values], [true, { Model: 'old' }]);
  await service.bus.releaseName(NAME);
  await until(() => !cached.present);
  assert.equal(cached.values, {});
});

test('changes that arrive while the properties are read are applied to the reply, which may be older', async () => {
  await using service = await FickleService.connect(daemon.address);
  await service.bus.requestName(NAME);
  await settled(service.bus);
  service.add(PATH, { [Battery.description.name]: { Model: 'old', Lazy: 'old' } });
  service.isSlow = true;
  const made = client.cached(Battery, NAME, PATH);
  await until(() => service.asked.GetAll === 1);
  service.change(PATH, Battery.description.name, { Model: 'new', Lazy: 'new' }, ['Lazy']);
  service.release();
  using cached = await made;
  assert.equal(cached.values, { Model: 'new' });
  await cached.until(({ Lazy }) => Lazy === 'new');
});

test('an object that does not exist rejects, and nothing is left', async () => {
  await using _service = await startService(1);
  const { matchRules, subscriptions } = client.stats();
  const Other = defineInterface('org.example.Other', { properties: { X: { type: 's' } } });
  assert.instance(await rejection(client.cached(Other, NAME, PATH)), UnknownInterfaceError);
  const reason = new Error('enough');
  assert.is(await rejection(client.cached(Battery, NAME, PATH, { signal: AbortSignal.abort(reason) })), reason);
  assert.instance(await rejection(client.cached(Battery, NAME, 'path')), InvalidArgumentError);
  assert.equal([client.stats().matchRules, client.stats().subscriptions], [matchRules, subscriptions]);
});

test('a service that does not answer in time rejects', async () => {
  await using service = await FickleService.connect(daemon.address);
  await service.bus.requestName(NAME);
  await settled(service.bus);
  service.add(PATH, { [Battery.description.name]: { Model: 'old' } });
  service.isSlow = true;
  assert.instance(await rejection(client.cached(Battery, NAME, PATH, { timeout: 1 })), TimeoutError);
});

test('it ends alone, or with its connection, and gives its match rules back', async () => {
  await using _service = await startService(1);
  const before = client.stats();
  const cached = await client.cached(Battery, NAME, PATH);
  assert.is(client.stats().matchRules - before.matchRules, 2);
  const waiting = rejection(cached.until(() => false));
  cached.end();
  assert.instance(await waiting, ConnectionClosedError);
  assert.equal([cached.present, cached.values], [false, {}]);
  await cached.call.Use();
  const { matchRules, subscriptions } = client.stats();
  assert.equal([matchRules, subscriptions], [before.matchRules, before.subscriptions]);
  const own = await connect({ address: daemon.address });
  const other = await own.cached(Battery, NAME, PATH);
  const lost = rejection(other.until(() => false));
  await own.close();
  assert.instance(await lost, ConnectionClosedError);
  assert.equal(other.values, {});
});

test.run();
