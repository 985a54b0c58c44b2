// Views of services that fail, and programs that act on a view while it tells them of a change.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DBusError,
  defineInterface,
  implement,
  MessageType,
  type Problem,
  UnknownInterfaceError,
  UnknownObjectError,
  variant,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { rejection } from '../helpers/rejection.js';
import { roundTrips } from '../helpers/round-trips.js';
import { until } from '../helpers/until.js';

const { client, destination, service, stop } = await startClientAndService();
const test = suite('views of services that fail');

test.after(stop);

const Tank = defineInterface('org.example.Tank1', {
  properties: {
    Level: { type: 'u' },
    Data: { type: 'a{sv}' },
    Secret: { type: 's', access: 'read', emits: 'invalidates' },
  },
});

/** What is reported while something is done. */
async function reportsOf(act: () => Promise<void>): Promise<readonly string[]> {
  const reports: string[] = [];
  const note = (problem: unknown) => reports.push((problem as Problem).message);
  subscribe('busbar:problem', note);
  try {
    await act();
  } finally {
    unsubscribe('busbar:problem', note);
  }
  return reports;
}

const tank = (secret: () => string = () => 'x') =>
  implement(Tank, { Level: 0, Data: { deep: variant('a{sv}', { size: variant.u(1) }) }, Secret: { get: secret } });

test('a service that refuses at each of its signals is reported once', async () => {
  const made = tank();
  using _export = await service.export('/alone', made);
  const reports = await reportsOf(async () => {
    using view = client.objects(destination);
    for (let Level = 1; Level < 30; Level++) {
      made.properties.Level = Level;
      await roundTrips(service, client);
    }
    assert.is(view.size, 0);
    assert.instance(await rejection(view.ready), UnknownInterfaceError);
  });
  assert.is(reports.filter((text) => text.includes('could not be read')).length, 1, reports.join('\n'));
});

test('a service without an object manager at the path: the error asks for another path', async () => {
  using _export = await service.export('/alone', tank());
  using _manager = await service.exportObjectManager('/tanks');
  for (const [path, kind] of [
    ['/', UnknownInterfaceError],
    ['/alone', UnknownInterfaceError],
    ['/nowhere', UnknownObjectError],
  ] as const) {
    using view = client.objects(destination, path);
    const error = await rejection(view.ready);
    assert.instance(error, kind);
    const call = `${destination} ${path} org.freedesktop.DBus.ObjectManager.GetManagedObjects`;
    assert.ok(error.message.endsWith(`(${call}; is the object manager at another path?)`), error.message);
    assert.is((error as DBusError).reply?.sender, destination);
  }
  using view = client.objects(destination, '/tanks');
  assert.is(await view.ready, destination);
});

test('another failure of the object manager is told as it is', async () => {
  using _handler = service.addMessageHandler(({ serial, sender, member }) => {
    if (member !== 'GetManagedObjects') return false;
    const [errorName, body] = ['org.example.Error.Busy', ['busy']];
    service.send({
      type: MessageType.Error,
      errorName,
      replySerial: serial,
      destination: sender,
      signature: 's',
      body,
    });
    return true;
  });
  using view = client.objects(destination);
  const error = await rejection(view.ready);
  assert.is((error as DBusError).dbusName, 'org.example.Error.Busy');
  assert.not.match(error.message, 'another path');
});

test('a property that cannot be read again is reported once, however often the program looks', async () => {
  let isRefused = false;
  let asked = 0;
  const made = tank(() => {
    asked++;
    if (isRefused) throw new DBusError('org.example.Error.Locked', 'locked');
    return `secret ${asked}`;
  });
  using _export = await service.export('/tank', made);
  using cached = await client.cached(Tank, destination, '/tank');
  assert.is(cached.values.Secret, 'secret 1');
  isRefused = true;
  const reports = await reportsOf(async () => {
    made.emitPropertiesChanged(['Secret']);
    await until(() => cached.values.Secret === undefined);
    for (let times = 0; times < 20; times++) {
      assert.is(cached.values.Secret, undefined);
      await roundTrips(client, service);
    }
  });
  assert.is(reports.filter((text) => text.includes('read again')).length, 1, reports.join('\n'));
  isRefused = false;
  await until(() => cached.values.Secret?.startsWith('secret') === true);
});

test('a change leaves the values of the other properties the same', async () => {
  const made = tank();
  using _export = await service.export('/tank', made);
  using cached = await client.cached(Tank, destination, '/tank');
  const { Data } = cached.values;
  assert.equal(Data, { deep: { size: 1 } });
  made.properties.Level = 1;
  const after = await cached.until(({ Level }) => Level === 1);
  assert.is(after.Data, Data);
  made.properties.Data = { deep: 5 };
  assert.equal((await cached.until((values) => values.Data?.deep === 5)).Data, { deep: 5 });
});

test('a program may end the view, its watch and its loop while it is told', async () => {
  const manager = await service.exportObjectManager('/tanks');
  const first = await service.export('/tanks/a', tank());
  await service.export('/tanks/b', tank());
  const view = client.objects(destination, '/tanks');
  await view.ready;
  const told: string[] = [];
  const watch = view.of(Tank).watch({
    added: ({ path }) => {
      told.push(path);
      watch.end();
    },
  });
  using inner = view.of(Tank).watch({
    removed: ({ path, present, values }) => {
      told.push(`${path} ${present} ${Object.keys(values).length}`);
      view.end();
      inner.end();
    },
  });
  const loop = view.of(Tank).changes();
  await loop.next();
  const waiting = view
    .of(Tank)
    .get('/tanks/b')
    ?.until(() => false);
  first.end();
  const error = await rejection(waiting ?? Promise.resolve());
  assert.match(error.message, 'no longer followed');
  assert.equal(told, ['/tanks/a', '/tanks/a false 0']);
  const rest: string[] = [];
  for await (const { kind, object } of loop) rest.push(`${kind} ${object.path}`);
  assert.equal(rest, ['added /tanks/b']);
  assert.is(view.size, 0);
  manager.end();
});

test('a predicate that ends its view rejects, and one that throws rejects with its error', async () => {
  const made = tank();
  using _export = await service.export('/tank', made);
  const cached = await client.cached(Tank, destination, '/tank');
  const thrown = rejection(
    cached.until(({ Level }) => {
      if (Level === 7) throw new Error('odd');
      return false;
    }),
  );
  const ended = rejection(
    cached.until(({ Level }) => {
      if (Level === 7) cached.end();
      return false;
    }),
  );
  made.properties.Level = 7;
  assert.is((await thrown).message, 'odd');
  assert.match((await ended).message, 'no longer followed');
  assert.equal(cached.values, {});
  assert.is(cached.present, false);
});

test.run();
