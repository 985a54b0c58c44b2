// Variants on their way through a service: other clients read the values that a client set, with their types.
import { closeSync, openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineInterface, implement, method, property, ServiceInterface, Variant, variant } from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';

const { client, destination, service, stop } = await startClientAndService();
const test = suite('service values');

test.after(stop);

/** Values whose type a plain value would lose, or a guess would refuse. */
const settings = {
  large: variant.t(2n ** 63n),
  struct: variant('(si)', ['a', 1]),
  numbers: variant('au', [1, 2]),
  none: variant.as([]),
  path: variant.o('/a/b'),
  unsigned: variant.u(5),
  byte: variant.y(5),
  signature: variant.g('a{sv}'),
  whole: variant.d(5),
  within: variant('a{sv}', { deep: variant.q(7), nothing: variant('ai', []) }),
  keyed: variant('a{uv}', new Map([[1, variant.n(-1)]])),
  variant: variant.v(variant.u(1)),
};

const Store = defineInterface('org.example.Store', {
  methods: {
    Pass: { in: 'va{sv}', out: 'va{sv}', variants: 'wrap' },
    Plain: { in: 'v', out: 'v' },
  },
  properties: {
    Kept: { type: 'a{sv}' },
    Any: { type: 'v' },
    Behind: { type: 'a{sv}' },
    Wrapped: { type: 'a{sv}', variants: 'wrap' },
  },
});

class Decorated extends ServiceInterface {
  #behind: Record<string, unknown> = {};
  #wrapped: Record<string, Variant> = {};

  constructor() {
    super('org.example.Store');
  }

  @method({ in: 'va{sv}', out: 'va{sv}', variants: 'wrap' })
  Pass(value: Variant, more: Record<string, Variant>): [Variant, Record<string, Variant>] {
    return [value, more];
  }

  @method({ in: 'v', out: 'v' })
  Plain(value: unknown): unknown {
    return value;
  }

  @property({ type: 'a{sv}' })
  accessor Kept: Record<string, unknown> = {};

  @property({ type: 'v' })
  accessor Any: unknown = 0;

  @property({ type: 'a{sv}' })
  get Behind(): Record<string, unknown> {
    return { ...this.#behind };
  }
  set Behind(value: Record<string, unknown>) {
    this.#behind = value;
  }

  @property({ type: 'a{sv}', variants: 'wrap' })
  get Wrapped(): Record<string, Variant> {
    return this.#wrapped;
  }
  set Wrapped(value: Record<string, Variant>) {
    assert.ok(Object.values(value).every((each) => Variant.isVariant(each)));
    this.#wrapped = value;
  }
}

function implemented() {
  let behind: Record<string, unknown> = {};
  let wrapped: Record<string, Variant> = {};
  return implement(Store, {
    Pass: (value, more) => [value, more],
    Plain: (value) => value,
    Kept: {},
    Any: 0,
    Behind: {
      get: async () => behind,
      set: async (value) => {
        await Promise.resolve();
        behind = value;
      },
    },
    Wrapped: {
      get: () => wrapped,
      set: (value) => {
        wrapped = value;
      },
    },
  });
}

const decorated = new Decorated();
const made = implemented();
service.export('/decorated', decorated);
service.export('/implemented', made);

const proxyAt = (path: string) => client.proxy(Store, destination, path).with({ variants: 'wrap' });

for (const path of ['/decorated', '/implemented']) {
  const proxy = proxyAt(path);

  test(`${path}: a property is read as it was set, with its types`, async () => {
    for (const name of ['Kept', 'Behind', 'Wrapped'] as const) {
      const changes: unknown[] = [];
      using subscription = proxy.onChange((changed) => changes.push(changed));
      await subscription.ready;
      await proxy.set[name](settings);
      assert.equal(await proxy.get[name](), settings, name);
      assert.equal((await proxy.getAll())[name], settings, name);
      await client.proxy(Store, destination, path).call.Plain(1);
      // A value that only an asynchronous getter has is invalidated before the reply, and follows it.
      const isLater = name === 'Behind' && path === '/implemented';
      assert.equal(changes, [...(isLater ? [{}] : []), { [name]: settings }], name);
    }
  });

  test(`${path}: each single variant is read as it was set`, async () => {
    for (const value of Object.values(settings)) {
      await proxy.set.Any(value);
      assert.equal(await proxy.get.Any(), value, value.signature);
    }
  });

  test(`${path}: a method that wraps variants can pass them on unchanged`, async () => {
    assert.equal([...(await proxy.call.Pass(variant.t(2n ** 63n), settings))], [variant.t(2n ** 63n), settings]);
  });
}

test('the class itself has plain values', async () => {
  await proxyAt('/decorated').set.Kept(settings);
  await proxyAt('/implemented').set.Kept(settings);
  for (const kept of [decorated.Kept, made.properties.Kept as Record<string, unknown>]) {
    assert.is(kept.large, 2n ** 63n);
    assert.equal(kept.struct, ['a', 1]);
    assert.equal(kept.within, { deep: 7, nothing: [] });
  }
});

test('a value that the class changes has a new type, and the others keep their types', async () => {
  const proxy = proxyAt('/decorated');
  await proxy.set.Kept(settings);
  decorated.Kept.unsigned = 'changed in place';
  decorated.emitPropertiesChanged(['Kept']);
  assert.equal(await proxy.get.Kept(), { ...settings, unsigned: variant.s('changed in place') });
  decorated.Kept = { ...decorated.Kept, byte: true, within: { deep: 7, more: 'x' } };
  assert.equal(await proxy.get.Kept(), {
    ...settings,
    unsigned: variant.s('changed in place'),
    byte: variant.b(true),
    within: variant('a{sv}', { deep: variant.q(7), more: variant.s('x') }),
  });
  decorated.emitPropertiesChanged({ Kept: decorated.Kept });
  decorated.Kept = {};
  decorated.Kept = { unsigned: 5 };
  assert.equal(await proxy.get.Kept(), { unsigned: variant.i(5) });
});

test('values of a property made by implement keep their types when they are assigned again', async () => {
  const proxy = proxyAt('/implemented');
  await proxy.set.Kept(settings);
  made.properties.Kept = { ...made.properties.Kept };
  assert.equal(await proxy.get.Kept(), settings);
  made.properties.Kept = { unsigned: variant.t(1) };
  assert.equal(await proxy.get.Kept(), { unsigned: variant.t(1n) });
});

const Handles = defineInterface('org.example.Handles', { properties: { Handle: { type: 'h' }, Text: { type: 's' } } });

/** A descriptor with a number that is not given again soon once it is closed: lower ones are free. */
function openWithHighNumber(): number {
  const opened = Array.from({ length: 50 }, () => openSync('/dev/null', 'r'));
  const last = opened.pop() as number;
  for (const fd of opened) closeSync(fd);
  return last;
}

test('a closed descriptor affects only the property that has it', async () => {
  const [fd, closed] = [openWithHighNumber(), openSync('/dev/null', 'r')];
  closeSync(closed);
  assert.throws(
    () => service.export('/never', implement(Handles, { Handle: closed, Text: 'never' })),
    new RegExp(`property Handle: file descriptor ${closed} is not open`),
  );
  const handles = implement(Handles, { Handle: fd, Text: 'still there' });
  service.exportObjectManager('/handles');
  service.export('/handles/one', handles);
  assert.throws(() => {
    handles.properties.Handle = closed;
  }, 'is not open');
  // It is closed without the service's knowledge.
  closeSync(fd);
  const proxy = client.proxy(Handles, destination, '/handles/one');
  assert.equal(await proxy.getAll(), { Text: 'still there' });
  const manager = { path: '/handles', interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' };
  const [objects] = (await client.call({ destination, ...manager })) as [Record<string, Record<string, unknown>>];
  assert.equal(objects['/handles/one']?.['org.example.Handles'], { Text: 'still there' });
});

test.run();
