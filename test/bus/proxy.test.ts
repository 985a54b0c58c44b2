// Proxies: what they are made from, how their members are named, and how they decode.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  defineInterface,
  describe,
  implement,
  introspectionXml,
  method,
  parseIntrospection,
  property,
  ServiceInterface,
  UnknownInterfaceError,
  Variant,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { projectRoot } from '../helpers/paths.js';
import { rejection, thrown } from '../helpers/rejection.js';

const { client, service, stop } = await startClientAndService();
const test = suite('proxy');

const Shelf = defineInterface('org.example.Shelf', {
  methods: {
    // Names that would collide with the proxy's own members if they were not in a namespace.
    call: { out: 's' },
    // biome-ignore lint/suspicious/noThenProperty: that such a member does no harm is what is tested
    then: { out: 's' },
    constructor: { out: 's' },
    Pick: { in: ['index:i'], out: ['title:s', 'pages:u'] },
    Details: { out: 'a{sv}' },
    Numbers: { out: 'ai' },
  },
  signals: { on: { args: 's' } },
  properties: { 'dashed-name': { type: 's', access: 'readwrite' }, Count: { type: 'u', access: 'read' } },
});
const shelf = implement(Shelf, {
  call: () => 'call',
  // biome-ignore lint/suspicious/noThenProperty: as above
  then: () => 'then',
  constructor: () => 'constructor',
  Pick: (index) => [`book ${index}`, 100],
  Details: () => ({ Author: 'someone', Year: new Variant('q', 1999), Tags: ['a', 'b'] }),
  Numbers: () => [1, 2, 3],
  'dashed-name': 'dash',
  Count: 3,
});
service.export('/shelf', shelf);
await service.requestName('org.example.Shelf');
const proxy = client.proxy(Shelf, 'org.example.Shelf', '/shelf');

test.after(stop);

test('members may have any name', async () => {
  assert.is(await proxy.call.call(), 'call');
  assert.is(await proxy.call['then()'](), 'then');
  assert.is(await proxy.call.constructor(), 'constructor');
  assert.is(await proxy.get['dashed-name'](), 'dash');
  await proxy.set['dashed-name']('dot');
  assert.is(shelf.properties['dashed-name'], 'dot');
});

test('a proxy is not a thenable, although it has a member called then', async () => {
  assert.is(await Promise.resolve(proxy), proxy);
});

test('members can be destructured and passed on', async () => {
  const { Pick } = proxy.call;
  assert.equal(await Promise.all([1, 2].map((index) => Pick(index))), [
    ['book 1', 100],
    ['book 2', 100],
  ]);
});

test('a proxy has its destination, path and interface', () => {
  assert.is(proxy.destination, 'org.example.Shelf');
  assert.is(proxy.path, '/shelf');
  assert.is(proxy.interface, 'org.example.Shelf');
});

test('variants are plain values, or keep their types on request', async () => {
  assert.equal(await proxy.call.Details(), { Author: 'someone', Year: 1999, Tags: ['a', 'b'] });
  const wrapped = (await proxy.with({ variants: 'wrap' }).call.Details()) as Record<string, unknown>;
  assert.equal(wrapped.Year, new Variant('q', 1999));
});

test('arrays of numbers are arrays, or typed arrays on request', async () => {
  assert.equal(await proxy.call.Numbers(), [1, 2, 3]);
  assert.equal(await proxy.with({ typedArrays: true }).call.Numbers(), Int32Array.of(1, 2, 3));
});

test('making a proxy, and destructuring its members, sends nothing', async () => {
  class Decorated extends ServiceInterface {
    constructor() {
      super('org.example.Shelf');
    }
  }
  const before = client.stats().messagesSent;
  for (const what of [Shelf, Shelf.description, Decorated]) {
    const made = client.proxy(what as typeof Shelf, 'org.example.Shelf', '/shelf').with({ timeout: 1000 });
    for (const kind of [made.call, made.on, made.once, made.watch, made.get, made.set]) {
      for (const name of Object.keys(kind)) assert.type((kind as Record<string, unknown>)[name], 'function');
    }
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(client.stats().messagesSent, before);
});

test('options of a proxy and of a call are combined', async () => {
  const both = proxy.with({ variants: 'wrap' }).with({ timeout: 1000 });
  const details = (await both.call.Details()) as Record<string, unknown>;
  assert.instance(details.Year, Variant);
});

test('an object is introspected', async () => {
  const object = await client.object('org.example.Shelf', '/shelf');
  assert.ok(object.interfaces.includes('org.example.Shelf'));
  const asked = object.interface('org.example.Shelf');
  assert.equal(await asked.call.Pick?.(4), ['book 4', 100]);
  assert.is(await asked.get.Count?.(), 3);
});

test('the error for an interface that an object does not have lists its interfaces', async () => {
  const object = await client.object('org.example.Shelf', '/shelf');
  const error = thrown(() => object.interface('org.example.Shelv'));
  assert.instance(error, UnknownInterfaceError);
  assert.match(error.message, 'did you mean org.example.Shelf?');
});

test('a description from a string, a file or a node makes the same proxy, and sends nothing', async () => {
  const description = describe(Shelf);
  const node = { path: '/shelf', interfaces: new Map([[description.name, description]]), children: new Map() };
  const xml = introspectionXml(node);
  for (const introspection of [xml, parseIntrospection(xml), node]) {
    const object = await client.object('org.example.Shelf', '/shelf', { introspection });
    assert.equal(await object.interface('org.example.Shelf').call.Pick?.(1), ['book 1', 100]);
  }
  const file = join(projectRoot, 'examples/quickstart/org.example.dbustest.xml');
  const absent = await client.object('org.example.Absent', '/absent', { introspection: readFileSync(file, 'utf8') });
  assert.equal(absent.interfaces, ['org.example.dbustest.Module']);
});

test('a class that renames members is used by the names in the class, whatever proxy came first', async () => {
  class Renamed extends ServiceInterface {
    constructor() {
      super('org.example.Renamed');
    }
    @method({ name: 'DoIt', out: 's' })
    doIt(): string {
      return 'done';
    }
    @property({ name: 'HowMany', type: 'u' })
    accessor howMany = 5;
  }
  using _renamed = service.export('/renamed', new Renamed());
  const plain = client.proxy(describe(Renamed), 'org.example.Shelf', '/renamed');
  assert.is(await plain.call.DoIt?.(), 'done');
  const renamed = client.proxy(Renamed, 'org.example.Shelf', '/renamed');
  assert.is(await renamed.call.doIt(), 'done');
  assert.is(await renamed.get.howMany(), 5);
  assert.equal(await renamed.getAll(), { HowMany: 5 } as object);
});

const Settings = defineInterface('org.example.Settings', {
  properties: {
    Numbers: { type: 'ai', access: 'readwrite' },
    Any: { type: 'v', access: 'readwrite' },
    Map: { type: 'a{sv}', access: 'read' },
  },
});

test('the variant that contains a property is not part of its value, however variants are decoded', async () => {
  const settings = implement(Settings, { Numbers: [1, 2], Any: new Variant('u', 5), Map: { k: new Variant('q', 7) } });
  await using exported = service.export('/settings', settings);
  assert.ok(exported);
  const plain = client.proxy(Settings, 'org.example.Shelf', '/settings');
  const wrapping = plain.with({ variants: 'wrap' });
  assert.equal(await plain.get.Numbers(), [1, 2]);
  assert.equal(await wrapping.get.Numbers(), [1, 2]);
  assert.is(await plain.get.Any(), 5);
  assert.equal(await wrapping.get.Any(), new Variant('u', 5));
  assert.equal(await wrapping.get.Map(), { k: new Variant('q', 7) });
  const all = { Numbers: [1, 2], Any: new Variant('u', 5), Map: { k: new Variant('q', 7) } };
  assert.equal(await wrapping.getAll(), all);
  assert.equal(await plain.getAll(), { Numbers: [1, 2], Any: 5, Map: { k: 7 } });
  const changes: unknown[] = [];
  const subscription = wrapping.onChange((changed) => changes.push(changed));
  await subscription.ready;
  settings.properties.Numbers = [3];
  await client.call({
    destination: service.uniqueName,
    path: '/',
    interface: 'org.freedesktop.DBus.Peer',
    member: 'Ping',
  });
  assert.equal(changes, [{ Numbers: [3] }]);
  subscription.end();
});

test('a call takes decoding options in its object or as the last argument', async () => {
  const get = {
    destination: 'org.example.Shelf',
    path: '/shelf',
    interface: 'org.freedesktop.DBus.Properties',
    member: 'Get',
    signature: 'ss',
    body: ['org.example.Shelf', 'Count'],
  };
  assert.equal(await client.call(get), [3]);
  assert.equal(await client.call({ ...get, variants: 'wrap' }), [new Variant('u', 3)]);
  assert.equal(await client.call(get, { variants: 'wrap' }), [new Variant('u', 3)]);
  assert.equal(await client.call({ ...get, variants: 'wrap' }, { variants: 'plain' }), [3]);
  assert.match((await rejection(client.call(get, { variants: 'foo' as 'wrap' }))).message, /expected plain or wrap/);
  assert.match((await rejection(client.call(get, 'wrap' as never))).message, /options: expected an object/);
});

test.run();
