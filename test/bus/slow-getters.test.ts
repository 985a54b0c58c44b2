// Slow getters, and reading and announcing meanwhile: known values are sent at once, no old value follows a newer one, and
// no value is left out. Also further rules for answers with many properties.
import { openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, DBusError, defineInterface, FileDescriptor, implement, type MessageBus } from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';

const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const test = suite('slow getters');

const Slow = defineInterface('org.example.Slow', {
  signals: { Said: {} },
  properties: { Later: { type: 'u', access: 'read' }, Number: { type: 'u' } },
});

test.after(async () => {
  await client.close();
  await daemon.stop();
});

/** An object whose slow getter answers when the test says so, and what a client receives of it. */
async function serve() {
  const service = await connect({ address: daemon.address });
  const asked: ((value: number) => void)[] = [];
  const get = () => new Promise<number>((resolve) => asked.push(resolve));
  const object = implement(Slow, { Later: { get }, Number: 0 });
  service.export('/slow', object);
  const proxy = client.proxy(Slow, service.uniqueName as string, '/slow');
  const told: unknown[] = [];
  await proxy.onChange((changed, invalidated) => void told.push([changed, ...invalidated])).ready;
  await proxy.on.Said(() => void told.push('said')).ready;
  return { service, object, proxy, asked, told };
}

/** Resolves when everything that was sent has arrived. The service sends nothing for that. */
async function arrived(service: MessageBus): Promise<void> {
  await service.flush();
  await client.listNames();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await client.listNames();
}

test('a change is sent with the known values, and the slow value follows', async () => {
  const { service, object, asked, told } = await serve();
  object.properties.Number = 1;
  object.emitPropertiesChanged(['Later']);
  await new Promise((resolve) => setImmediate(resolve));
  asked[0]?.(7);
  await new Promise((resolve) => setImmediate(resolve));
  await service.listNames();
  await client.listNames();
  assert.equal(told, [[{ Number: 1 }], [{ Later: 7 }]]);
  await service.close();
});

test('a message that overtakes a slow value invalidates it first', async () => {
  const { service, object, asked, told } = await serve();
  object.emitPropertiesChanged(['Later']);
  object.properties.Number = 1;
  object.emit.Said();
  asked[0]?.(7);
  await new Promise((resolve) => setImmediate(resolve));
  await service.listNames();
  await client.listNames();
  assert.equal(told, [[{ Number: 1 }, 'Later'], 'said', [{ Later: 7 }]]);
  await service.close();
});

test('a getter that never answers withholds no further change, of other properties or its own', async () => {
  const { service, object, asked, told } = await serve();
  object.emitPropertiesChanged(['Later']);
  await arrived(service);
  for (const number of [1, 2]) {
    object.properties.Number = number;
    await service.listNames();
  }
  object.emitPropertiesChanged(['Later']);
  await new Promise((resolve) => setImmediate(resolve));
  asked[1]?.(8);
  await new Promise((resolve) => setImmediate(resolve));
  asked[0]?.(7);
  await service.listNames();
  await client.listNames();
  const values = told.filter((each) => Array.isArray(each) && 'Later' in (each[0] as object));
  assert.equal(values, [[{ Later: 8 }]]);
  assert.equal(
    told.flatMap((each) => (Array.isArray(each) ? ((each[0] as { Number?: number }).Number ?? []) : [])),
    [1, 2],
  );
  await service.close();
});

test('Get does not answer with a value that is older than the last signal', async () => {
  const { service, object, proxy, asked, told } = await serve();
  const answer = proxy.get.Later();
  answer.then((value) => told.push(value));
  await service.listNames();
  await client.listNames();
  await service.listNames();
  assert.is(asked.length, 1);
  object.emitPropertiesChanged(['Later']);
  await new Promise((resolve) => setImmediate(resolve));
  asked[1]?.(2);
  await service.listNames();
  asked[0]?.(1);
  await service.listNames();
  await client.listNames();
  await service.listNames();
  asked[2]?.(2);
  assert.is(await answer, 2);
  assert.is(told.at(-1), 2);
  await service.close();
});

test('a property that changes faster than its getter answers is not left out', async () => {
  const { service, object, proxy, asked } = await serve();
  let number = 0;
  const changing = setInterval(() => {
    object.emitPropertiesChanged(['Later']);
    // Each call is answered three changes later.
    asked[asked.length - 3]?.(++number);
  }, 2);
  try {
    const all = await proxy.getAll();
    assert.ok('Later' in all, JSON.stringify(all));
    assert.type(await proxy.get.Later(), 'number');
  } finally {
    clearInterval(changing);
  }
  await service.close();
});

test('the first property of a name among all interfaces is answered, whatever its name', async () => {
  await using service = await connect({ address: daemon.address });
  const properties = Object.fromEntries([
    ['P', { type: 's' }],
    ['__proto__', { type: 's' }],
  ]) as { readonly [name: string]: { readonly type: 's' } };
  const values = (text: string) =>
    Object.defineProperty({ P: text }, '__proto__', { value: text, enumerable: true }) as never;
  const [one, two] = ['org.example.One', 'org.example.Two'].map((name) => defineInterface(name, { properties }));
  service.export('/both', implement(one as never, values('one')), implement(two as never, values('two')));
  const call = {
    destination: service.uniqueName as string,
    path: '/both',
    interface: 'org.freedesktop.DBus.Properties',
  };
  const [all] = await client.call({ ...call, member: 'GetAll', signature: 's', body: [''] });
  assert.equal(Object.entries(all as object), [
    ['P', 'one'],
    ['__proto__', 'one'],
  ]);
  const [got] = await client.call({ ...call, member: 'Get', signature: 'ss', body: ['', 'P'] });
  assert.is(got, 'one');
});

test('a path of thousands of elements can be exported, listed and unexported', async () => {
  await using service = await connect({ address: daemon.address });
  service.exportObjectManager('/');
  const before = service.stats().exportedObjects;
  const path = '/a'.repeat(8000);
  const object = () => implement(Slow, { Later: { get: () => 1 }, Number: 0 });
  const exported = service.export(path, object());
  const call = {
    destination: service.uniqueName as string,
    path: '/',
    interface: 'org.freedesktop.DBus.ObjectManager',
  };
  const [objects] = (await client.call({ ...call, member: 'GetManagedObjects' })) as [object];
  assert.equal(Object.keys(objects), [path]);
  exported.end();
  assert.is(service.stats().exportedObjects, before);
});

test('an export that fails is not counted, and sends nothing', async () => {
  await using service = await connect({ address: daemon.address });
  const object = () => implement(Slow, { Later: { get: () => 1 }, Number: 0 });
  service.export('/one', object());
  assert.throws(() => service.export('/one', object()), /already exports/);
  assert.throws(() => service.export('/two', object(), object()), /org\.example\.Slow/);
  assert.throws(() => service.export('no path', object()), /path/);
  assert.is(service.stats().exportedObjects, 1);
});

test('descriptors that were handed over to an error without a receiver are closed', async () => {
  await using service = await connect({ address: daemon.address });
  const Failing = defineInterface('org.example.Failing', { methods: { Fail: {} } });
  const files: FileDescriptor[] = [];
  const fail = () => {
    const file = FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
    files.push(file);
    throw new DBusError('org.example.Error.Busy', 'busy', { signature: 'sh', body: ['busy', file] });
  };
  service.export('/failing', implement(Failing, { Fail: fail }));
  const call = { destination: service.uniqueName as string, path: '/failing', member: 'Fail' };
  await client.call({ ...call, noReply: true });
  await client.call(call).catch(() => {});
  assert.equal(
    files.map(({ closed }) => closed),
    [true, true],
  );
});

test.run();
