// Objects of a view that the program has not used: changes reach them, single looks read them, and their bytes do not stay.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, type MessageBus, type ObjectsView, type Problem, variant } from '../../src/index.js';
import { collidingKeys } from '../helpers/colliding-keys.js';
import { FickleService, type Interfaces } from '../helpers/fickle-service.js';
import { missingInRuntime } from '../helpers/own-runtime.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Random } from '../helpers/random-numbers.js';
import { seed } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('unread objects');
const NAME = 'org.example.Fickle';
const Device = defineInterface('org.example.Device1', {
  properties: { Number: { type: 'u' }, Text: { type: 's' } },
});
const Battery = defineInterface('org.example.Battery1', { properties: { Number: { type: 'u' } } });
const names = [Device.description.name, Battery.description.name];
const pathOf = (index: number) => `/org/example/fickle/object_${index}`;

/** What a view shows of an object. */
function shown(view: ObjectsView, path: string): Interfaces | undefined {
  const object = view.get(path);
  return (object &&
    Object.fromEntries(
      object.interfaces.map((name) => [name, object.as(name === names[0] ? Device : Battery)?.values ?? {}]),
    )) as Interfaces | undefined;
}

/** Resolves when everything that the service sent has arrived, and the view has read what it has to. */
async function settle(service: FickleService, client: MessageBus, view: ObjectsView, path?: string): Promise<void> {
  const ping = { path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
  for (const bus of [service.bus, client]) await bus.call({ destination: 'org.freedesktop.DBus', ...ping });
  await view.ready;
  // Values that came before their object are read again when they are looked at.
  const paths = path === undefined ? [...view].map((object) => object.path) : [path];
  const isRead = (each: string) => Object.values(shown(view, each) ?? {}).every((values) => 'Number' in values);
  await until(() => paths.every(isRead));
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  testUnless(PrivateBus.missing({ daemon }), test, `random looks and changes, in any order: ${daemon}`, async () => {
    await using server = await PrivateBus.start({ daemon });
    await using service = await FickleService.connect(server.address);
    await using client = await connect({ address: server.address });
    await service.bus.requestName(NAME);
    const chance = new Random(seed);
    let last = 0;
    const values = (name: string) => ({ Number: ++last, ...(name === names[0] && { Text: `text ${last}` }) });
    const some = () => Object.fromEntries(chance.some(names).map((name) => [name, values(name)]));
    try {
      for (let round = 0; round < 60; round++) {
        const count = chance.of([0, 1, 2, 7, 8, 9, 16, 40]);
        service.objects.clear();
        for (let index = 0; index < count; index++) service.objects.set(pathOf(index), some());
        using view = client.objects(NAME);
        // Some changes arrive before the reply.
        service.isSlow = chance.below(2) === 0;
        if (!service.isSlow) await view.ready;
        for (let step = chance.below(60); step > 0; step--) {
          const path = pathOf(chance.below(count + 2));
          const object = service.objects.get(path);
          const kind = chance.below(10);
          if (kind < 4 && object !== undefined) {
            const name = chance.of(Object.keys(object));
            service.change(path, name, values(name));
          } else if (kind === 4 && object !== undefined) service.remove(path, chance.some(Object.keys(object)));
          else if (kind === 5) {
            const added = names.filter((name) => object?.[name] === undefined && chance.below(2) === 0);
            if (added.length > 0) service.add(path, Object.fromEntries(added.map((name) => [name, values(name)])));
          } else if (kind === 6) service.release();
          else if (!service.isSlow && kind < 9) {
            await settle(service, client, view, path);
            assert.equal(shown(view, path), service.objects.get(path), `round ${round}: ${path}`);
            assert.is(view.size, service.objects.size);
          } else if (!service.isSlow && chance.below(10) === 0) {
            await settle(service, client, view, path);
            assert.is(
              view.of(Battery).size,
              [...service.objects.values()].filter((each) => (names[1] as string) in each).length,
            );
          }
        }
        service.release();
        await settle(service, client, view);
        assert.is(view.size, service.objects.size);
        const all = [...view].map(({ path }) => [path, shown(view, path)]);
        assert.equal(Object.fromEntries(all), Object.fromEntries(service.objects), `round ${round}`);
      }
    } catch (error) {
      console.error(`repeat with BUSBAR_SEED=${seed}`);
      throw error;
    }
  });
}

test('objects whose values are refused are left out when they are read, and reported; the others stay', async () => {
  await using server = await PrivateBus.start();
  await using bus = await connect({ address: server.address });
  await using client = await connect({ address: server.address });
  const hostile = variant('a{us}', new Map(collidingKeys('u', 1000).map((key) => [Number(key), ''])));
  const sound = (number: number) => ({ [names[1] as string]: { Number: variant.u(number) } });
  // More than the depth of values: what a refused object leaves behind must not add up.
  const bad = Array.from({ length: 70 }, (_, index) => `/bad${index}`);
  const objects = {
    '/a': sound(1),
    ...Object.fromEntries(bad.map((path) => [path, { ...sound(2), 'org.example.Hostile1': { Keys: hostile } }])),
    '/z': sound(3),
  };
  bus.addMessageHandler((message) => {
    if (message.member !== 'GetManagedObjects') return false;
    const { serial, sender: destination } = message;
    bus.send({ type: 2, flags: 1, destination, replySerial: serial, signature: 'a{oa{sa{sv}}}', body: [objects] });
    return true;
  });
  const problems: string[] = [];
  const note = (problem: unknown) => void problems.push((problem as Problem).message);
  subscribe('busbar:problem', note);
  try {
    using view = client.objects(bus.uniqueName as string);
    await view.ready;
    assert.is(view.size, 72);
    assert.is(view.get('/bad0'), undefined);
    assert.equal(
      [...view.of(Battery)].map(({ path, values }) => [path, values.Number]),
      [
        ['/a', 1],
        ['/z', 3],
      ],
    );
    assert.is(view.size, 2);
  } finally {
    unsubscribe('busbar:problem', note);
  }
  assert.equal(
    problems,
    bad.map((path) => `${path} of the objects of ${bus.uniqueName} at / is left out`),
  );
});

testUnless(
  missingInRuntime({ bun: 'it does not tell its array buffers' }),
  test,
  'the bytes of objects are freed when most objects were read',
  async () => {
    await using server = await PrivateBus.start();
    await using service = await FickleService.connect(server.address);
    await using client = await connect({ address: server.address });
    const text = 'x'.repeat(100_000);
    for (let index = 0; index < 80; index++)
      service.objects.set(pathOf(index), { [names[1] as string]: { Text: text } });
    using view = client.objects(service.bus.uniqueName as string);
    await view.ready;
    // Memory that carried the reply goes first.
    const bytes = async () => {
      for (let times = 0; times < 4; times++) {
        await new Promise((resolve) => setImmediate(resolve));
        globalThis.gc?.();
      }
      return process.memoryUsage().arrayBuffers;
    };
    const before = await bytes();
    // Of the 80 objects, ten are not read. They are read with the last one, and the bytes of all are freed.
    for (let index = 0; index < 69; index++) view.get(pathOf(index));
    assert.ok(before - (await bytes()) < 4_000_000, 'the bytes are needed');
    view.get(pathOf(69));
    assert.ok(before - (await bytes()) > 7_000_000, 'the bytes are freed');
    assert.is(view.size, 80);

    using whole = client.objects(service.bus.uniqueName as string);
    await whole.ready;
    const full = await bytes();
    assert.is(whole.of(Battery).size, 80);
    assert.ok(full - (await bytes()) > 7_000_000, 'a collection decodes all objects');
  },
);

test.run();
