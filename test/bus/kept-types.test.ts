// `variants: 'keep'` wherever it can be chosen: what is read, changed and written has the types that were read.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  defineInterface,
  InvalidArgumentError,
  implement,
  method,
  property,
  ServiceInterface,
  Variant,
  variant,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { rejection } from '../helpers/rejection.js';

const { client, destination, service, stop } = await startClientAndService();
const test = suite('kept types');

test.after(stop);

type Options = Record<string, unknown>;

const Store = defineInterface('org.example.Store', {
  methods: {
    Read: { out: ['settings:a{sa{sv}}'] },
    Write: { in: ['settings:a{sa{sv}}'], variants: 'wrap' },
    Raise: { in: ['options:a{sv}'], out: ['options:a{sv}'], variants: 'keep' },
  },
  signals: { Changed: { args: ['options:a{sv}'] } },
  properties: {
    Options: { type: 'a{sv}', variants: 'keep' },
    Any: { type: 'v', variants: 'keep' },
    Level: { type: 'y', access: 'read' },
  },
});

class Decorated extends ServiceInterface {
  constructor() {
    super('org.example.Store');
  }

  @method({ in: 'a{sv}', out: 'a{sv}', variants: 'keep' })
  Raise(options: Options): Options {
    options.level = (options.level as number) + 1;
    return options;
  }

  @property({ type: 'a{sv}', variants: 'keep' })
  accessor Options: Options = {};

  @property({ type: 'v', variants: 'keep' })
  accessor Any: unknown = 0;
}

const settings = {
  connection: { id: variant.s('home'), timestamp: variant.t(5n), permissions: variant.as([]) },
  ipv4: { dns: variant.au([1]), routes: variant('aa{sv}', [{ prefix: variant.u(24), next: variant.o('/a') }]) },
};
const options = { level: variant.y(4), size: variant.u(5), none: variant.ai([]), table: variant('a{su}', { a: 1 }) };

let stored: unknown = settings;
const made = implement(Store, {
  Read: () => settings,
  Write: (value) => {
    stored = value;
  },
  Raise: (given) => {
    given.level = (given.level as number) + 1;
    return given;
  },
  Options: {},
  Any: 0,
  Level: 7,
});
const decorated = new Decorated();
service.export('/implemented', made);
service.export('/decorated', decorated);

const store = client.proxy(Store, destination, '/implemented');
const keeping = store.with({ variants: 'keep' });
const wrapping = store.with({ variants: 'wrap' });

test('a proxy reads plain values, and writes them with the types that were read', async () => {
  const read = await keeping.call.Read();
  assert.equal(read.connection, { id: 'home', timestamp: 5n, permissions: [] });
  (read.connection as Options).id = 'work';
  (read.ipv4 as Options).dns = [1, 2];
  await keeping.call.Write(read);
  assert.equal(stored, {
    connection: { ...settings.connection, id: variant.s('work') },
    ipv4: { ...settings.ipv4, dns: variant.au([1, 2]) },
  });
});

test('the proxy that writes need not keep types itself', async () => {
  await store.call.Write(await keeping.call.Read());
  assert.equal(stored, settings);
});

test('without the option, types are guessed or refused', async () => {
  const read = await store.call.Read();
  assert.instance(await rejection(store.call.Write(read)), InvalidArgumentError);
});

test('the error of a value that does not have the type of its key names both', async () => {
  const read = await keeping.call.Read();
  (read.connection as Options).timestamp = 'now';
  const { message } = (await rejection(keeping.call.Write(read))) as Error;
  assert.match(message, 'argument 0.connection.timestamp: expected t');
  assert.match(message, '"timestamp" was read as t: write a Variant to give it another type');
  assert.match(message, '/implemented org.example.Store.Write');
});

test('a call, a message and a subscription keep types on request', async () => {
  const call = { destination, path: '/implemented', interface: 'org.example.Store', member: 'Read' };
  const write = (body: unknown[]) =>
    client.call({ ...call, member: 'Write', signature: 'a{sa{sv}}', body }, { timeout: 5000 });
  await write(await client.call(call, { variants: 'keep' }));
  assert.equal(stored, settings);
  stored = undefined;
  const message = await client.call({ ...call, reply: 'message' });
  await write(message.decode({ variants: 'keep' }));
  assert.equal(stored, settings);
});

test('signals keep types', async () => {
  const next = keeping.once.Changed();
  await client.call({ destination: 'org.freedesktop.DBus', path: '/', member: 'GetId' });
  made.emit.Changed(options);
  const [read] = await next;
  assert.equal(await wrapping.call.Raise(read), { ...options, level: variant.y(5) });
});

for (const path of ['/implemented', '/decorated']) {
  const kept = keeping.path === path ? keeping : client.proxy(Store, destination, path).with({ variants: 'keep' });
  const wrapped = client.proxy(Store, destination, path).with({ variants: 'wrap' });
  const own = () => (path === '/decorated' ? decorated : made.properties) as { Options: Options; Any: unknown };
  const announce = () =>
    path === '/decorated' ? decorated.emitPropertiesChanged(['Options']) : made.emitPropertiesChanged(['Options']);

  test(`${path}: a method that keeps types changes a value and returns it`, async () => {
    assert.equal(await wrapped.call.Raise(options), { ...options, level: variant.y(5) });
  });

  test(`${path}: a property is read, changed and set by a client`, async () => {
    await kept.set.Options(options);
    const read = await kept.get.Options();
    assert.equal(read, { level: 4, size: 5, none: [], table: { a: 1 } });
    read.size = 6;
    await kept.set.Options(read);
    assert.equal(await wrapped.get.Options(), { ...options, size: variant.u(6) });
    const { Options: all } = await kept.getAll();
    await kept.set.Options(all as Options);
    assert.equal(await wrapped.get.Options(), { ...options, size: variant.u(6) });
  });

  test(`${path}: parts that the service changes keep the types that were set`, async () => {
    await kept.set.Options(options);
    own().Options.level = 9;
    announce();
    assert.equal(await wrapped.get.Options(), { ...options, level: variant.y(9) });
    own().Options.level = 'much';
    const { message } = (await rejection(wrapped.get.Options())) as Error;
    assert.match(message, 'does not match its signature');
    own().Options = {};
  });

  test(`${path}: a property that is a variant keeps the type of a container`, async () => {
    for (const value of [
      variant('a{su}', { a: 1 }),
      variant.au([]),
      variant('(yv)', [1, variant.q(2)]),
      variant.u(5),
    ]) {
      await kept.set.Any(value);
      assert.equal(await wrapped.get.Any(), value);
      if (value.signature === 'u') continue;
      const read = await kept.get.Any();
      assert.not.ok(Variant.isVariant(read));
      await kept.set.Any(read);
      assert.equal(await wrapped.get.Any(), value);
    }
  });
}

test('all properties of an object are a dictionary that keeps types', async () => {
  await keeping.set.Options(options);
  const all = await keeping.getAll();
  assert.is(all.Level, 7);
  const Echo = { in: 'a{sv}', out: 'a{sv}', variants: 'wrap' } as const;
  const echo = defineInterface('org.example.Echo', { methods: { Echo } });
  service.export('/echo', implement(echo, { Echo: (value) => value }));
  const seen = await client
    .proxy(echo, destination, '/echo')
    .with({ variants: 'wrap' })
    .call.Echo({
      Level: all.Level,
      all: variant('a{sv}', all),
    });
  const inner = (seen.all as Variant<string, Options>).value as Record<string, Variant>;
  assert.equal(inner.Level, variant.y(7));
  assert.equal(inner.Options, variant('a{sv}', options));
});

test.run();
