// Every row of the table of values, in every form that it can be written from, at every place that takes values.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, openSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  defineInterface,
  FileDescriptor,
  InvalidArgumentError,
  implement,
  type MessageBus,
  method,
  type Problem,
  property,
  ServiceInterface,
  Variant,
  variant,
} from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { assertNoFdsLeft, inodeOf, openFds } from '../helpers/open-fds.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('written values');
const NAME = 'org.example.Written';

/** A signature, the value that is read, and the values that it may be written from. */
type Row = readonly [signature: string, read: unknown, ...written: unknown[]];

const withoutPrototype = (entries: object) => Object.assign(Object.create(null), entries);
const elsewhere = (source: string): unknown => runInNewContext(source);
class OwnMap extends Map<unknown, unknown> {}
class OwnBuffer extends Uint8Array {}

const rows: readonly Row[] = [
  ...(['y', 'n', 'q', 'i', 'u', 'd'] as const).map((signature): Row => [signature, 5, 5]),
  ['d', -0, -0],
  ['d', 0.5, 0.5],
  ['x', 5n, 5n, 5],
  ['x', -(2n ** 63n), -(2n ** 63n)],
  ['t', 2n ** 53n - 1n, Number.MAX_SAFE_INTEGER, 2n ** 53n - 1n],
  ['b', false, false],
  ['s', '', ''],
  ['s', 'get', 'get'],
  ['o', '/a', '/a'],
  ['g', 'a{sv}', 'a{sv}'],
  ['ay', Buffer.from('abc'), Buffer.from('abc'), Uint8Array.of(97, 98, 99), OwnBuffer.of(97, 98, 99), [97, 98, 99], elsewhere('Uint8Array.of(97, 98, 99)'), elsewhere('[97, 98, 99]')], // biome-ignore format: one line a row
  ['ay', Buffer.alloc(0), Buffer.alloc(0), new Uint8Array(0), []],
  ['an', [1, -2], [1, -2], Int16Array.of(1, -2)],
  ['aq', [1, 2], [1, 2], Uint16Array.of(1, 2)],
  ['ai', [1, -2], [1, -2], Int32Array.of(1, -2), elsewhere('Int32Array.of(1, -2)')],
  ['au', [1, 2], [1, 2], Uint32Array.of(1, 2)],
  ['ax', [1n, -2n], [1n, -2n], [1, -2], BigInt64Array.of(1n, -2n)],
  ['at', [1n, 2n], [1n, 2n], [1, 2], BigUint64Array.of(1n, 2n)],
  ['ad', [1.5, -2], [1.5, -2], Float64Array.of(1.5, -2)],
  ['as', ['a', ''], ['a', '']],
  ['as', [], []],
  ['a(su)', [['a', 1]], [['a', 1]]],
  ['a{su}', { a: 1 }, { a: 1 }, new Map([['a', 1]]), new OwnMap([['a', 1]]), withoutPrototype({ a: 1 }), elsewhere('({ a: 1 })'), elsewhere('new Map([["a", 1]])'), { a: 1, b: undefined }], // biome-ignore format: one line a row
  ['a{ss}', { get: 'x', set: 'y' }, { get: 'x', set: 'y' }, new Map([['get', 'x'], ['set', 'y']])], // biome-ignore format: one line a row
  ['a{sv}', { get: 'x', next: true }, { get: 'x', next: true, set: undefined }, new Map<string, unknown>([['get', 'x'], ['next', true]])], // biome-ignore format: one line a row
  ['a{sv}', {}, {}, { a: undefined }, new Map()],
  ['a{os}', { '/a': 'x' }, { '/a': 'x' }, new Map([['/a', 'x']])],
  ['a{gs}', { u: 'x' }, { u: 'x' }, new Map([['u', 'x']])],
  ['a{us}', new Map([[1, 'x']]), new Map([[1, 'x']]), new OwnMap([[1, 'x']])],
  ['a{xs}', new Map([[1n, 'x']]), new Map([[1n, 'x']]), new Map([[1, 'x']])],
  ['a{bs}', new Map([[true, 'x']]), new Map([[true, 'x']])],
  ['(su)', ['a', 1], ['a', 1]],
  ['(ay(a{sv}))', [Buffer.from('a'), [{ k: 1 }]], [Buffer.from('a'), [{ k: 1 }]], [[97], [new Map([['k', variant.u(1)]])]]], // biome-ignore format: one line a row
  ['v', 5, variant.u(5), new Variant('q', 5), 5, variant.v(variant.u(5))],
  ['v', 'text', 'text', variant.o('text' as never) && variant.s('text')],
  ['v', 0.5, 0.5],
  ['v', 5n, 5n, variant.t(5)],
  ['v', true, true],
  ['v', Buffer.from('a'), Buffer.from('a'), Uint8Array.of(97), variant.ay([97])],
  ['v', ['a', 'b'], ['a', 'b'], variant.as(['a', 'b']), variant.av(['a', 'b'])],
  ['v', [], variant.as([]), variant.av([]), variant.au([])],
  ['v', { a: 1, b: { c: 'x' } }, { a: 1, b: { c: 'x' }, d: undefined }, variant('a{sv}', { a: 1, b: { c: 'x' } })],
  ['av', [1, 'a', []], [1, 'a', variant.as([])]],
];

/** A place that takes a value, and how the value is read there. */
type Place = (bus: Bus, signature: string, written: unknown) => Promise<unknown>;

interface Bus {
  readonly client: MessageBus;
  readonly service: MessageBus;
}

const any = <T>(value: unknown) => value as T;

/** `implement`, where no static type knows the signatures. */
const make = implement as unknown as (
  definition: object,
  members: Readonly<Record<string, unknown>>,
) => ReturnType<typeof implement> & {
  readonly properties: Record<string, unknown>;
  readonly emit: Readonly<Record<string, (...values: unknown[]) => void>>;
};

function property_(signature: string) {
  return defineInterface(NAME, { properties: { P: { type: signature as 's' } } });
}

/** Exports an object, reads by a proxy of it, and unexports it. */
async function exporting<T>(
  { service }: Bus,
  object: Parameters<MessageBus['export']>[1],
  read: () => Promise<T>,
): Promise<T> {
  using _exported = service.export('/written', object);
  return await read();
}

function proxyOf({ client, service }: Bus, signature: string) {
  return client.proxy(property_(signature), service.uniqueName, '/written');
}

function methods(signature: string) {
  return defineInterface(NAME, {
    methods: { Echo: { in: signature as 's', out: signature as 's' }, Give: { out: signature as 's' } },
    signals: { Tell: { args: signature as 's' } },
  });
}

const places: Readonly<Record<string, Place>> = {
  'the first value of implement': (bus, signature, written) =>
    exporting(bus, make(property_(signature), { P: written }), () => proxyOf(bus, signature).get.P()),

  'the first value of a class': (bus, signature, written) => {
    class Written extends ServiceInterface {
      constructor() {
        super(NAME);
      }
      @property({ type: signature as 'v' })
      accessor P: unknown = written;
    }
    return exporting(bus, new Written(), () => proxyOf(bus, signature).get.P());
  },

  'an assigned value, by its change and by Get': async (bus, signature, written) => {
    // A change is announced whatever the value was before: nothing equals a value that differs only in an array.
    let value: unknown;
    const object = make(property_(signature), {
      P: {
        get: () => value ?? written,
        set(next: unknown) {
          value = next;
        },
      },
    });
    return exporting(bus, object, async () => {
      const proxy = proxyOf(bus, signature);
      const changes: unknown[] = [];
      using subscription = proxy.onChange(({ P }) => changes.push(P));
      await subscription.ready;
      object.properties.P = written;
      object.emitPropertiesChanged({ P: written });
      const got = await proxy.get.P();
      assert.equal(changes.at(-1), got);
      return got;
    });
  },

  'a value assigned to one that is kept': (bus, signature, written) => {
    const object = make(property_(signature), { P: written });
    return exporting(bus, object, async () => {
      object.properties.P = written;
      assert.is(object.properties.P, written);
      return (await proxyOf(bus, signature).getAll()).P;
    });
  },

  'a value that a client sets': (bus, signature, written) => {
    const object = make(property_(signature), { P: written });
    return exporting(bus, object, async () => {
      await proxyOf(bus, signature).set.P(any(written));
      return proxyOf(bus, signature).get.P();
    });
  },

  'the result of a getter, at once or later': async (bus, signature, written) => {
    const read = () => proxyOf(bus, signature).get.P();
    const now = await exporting(bus, make(property_(signature), { P: { get: () => written, set() {} } }), read);
    const later = make(property_(signature), { P: { get: async () => written, set() {} } });
    assert.equal(await exporting(bus, later, read), now);
    return now;
  },

  'the result of a method, at once or later, and its argument': async (bus, signature, written) => {
    const given: unknown[] = [];
    const echo = (value: unknown) => {
      given.push(value);
      return written;
    };
    const proxy = bus.client.proxy(methods(signature), bus.service.uniqueName, '/written');
    for (const object of [
      make(methods(signature), { Echo: echo, Give: () => written }),
      make(methods(signature), { Echo: async (value: unknown) => echo(value), Give: async () => written }),
    ]) {
      given.push(await exporting(bus, object, () => proxy.call.Give()));
      given.push(await exporting(bus, object, () => proxy.call.Echo(any(written))));
    }
    for (const each of given) assert.equal(each, given[0]);
    return given[0];
  },

  'the result of a method of a class': (bus, signature, written) => {
    class Written extends ServiceInterface {
      constructor() {
        super(NAME);
      }
      @method({ out: signature as 'v' })
      Give(): unknown {
        return written;
      }
    }
    return exporting(bus, new Written(), () =>
      bus.client.proxy(methods(signature), bus.service.uniqueName, '/written').call.Give(),
    );
  },

  'the value of a signal': (bus, signature, written) => {
    const object = make(methods(signature), { Echo: () => written, Give: () => written });
    return exporting(bus, object, async () => {
      const proxy = bus.client.proxy(methods(signature), bus.service.uniqueName, '/written');
      const next = proxy.once.Tell();
      await bus.client.listNames();
      object.emit.Tell?.(written);
      return (await next)[0];
    });
  },

  'the value in a variant, alone and in a dictionary': (bus, signature, written) => {
    const given: [unknown, { k?: unknown }][] = [];
    const definition = defineInterface(NAME, { methods: { Put: { in: 'va{sv}' } } });
    const object = implement(definition, { Put: (alone, dictionary) => void given.push([alone, dictionary]) });
    return exporting(bus, object, async () => {
      const wrapped = new Variant(signature, any(written));
      const proxy = bus.client.proxy(definition, bus.service.uniqueName, '/written');
      await proxy.call.Put(wrapped, { k: wrapped });
      const [[alone, { k }]] = given as [[unknown, { k?: unknown }]];
      if (signature !== 'h') assert.equal(alone, k);
      return alone;
    });
  },
};

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  const missing = PrivateBus.missing({ daemon });
  for (const [place, give] of Object.entries(places)) {
    testUnless(missing, test, `${place}: ${daemon}`, async () => {
      await using bus = await PrivateBus.start({ daemon });
      await using client = await connect({ address: bus.address });
      await using service = await connect({ address: bus.address });
      for (const [signature, read, ...written] of rows) {
        for (const [index, each] of written.entries()) {
          const got = await give({ client, service }, signature, each);
          assert.equal(got, read, `${signature} from form ${index}`);
          if (read === 0) assert.ok(Object.is(got, read), signature);
        }
      }
    });
  }
}

/** Values that are no longer accessible: reading them throws a bare TypeError. */
const gone: Readonly<Record<string, () => unknown>> = {
  'a Proxy that was revoked': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'Uint8Array whose memory was detached': () => {
    const bytes = Uint8Array.of(1, 2, 3);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    return bytes;
  },
};

test('an inaccessible value is refused with its place, wherever it is given', async () => {
  await using bus = await PrivateBus.start();
  await using client = await connect({ address: bus.address });
  await using service = await connect({ address: bus.address });
  let returned: unknown;
  const definition = methods('ay');
  const object = make(definition, { Echo: () => returned, Give: () => returned });
  using _exported = service.export('/written', object);
  const proxy = client.proxy(definition, service.uniqueName, '/written');
  const told: string[] = [];
  const listen = (problem: unknown) =>
    told.push(`${(problem as Problem).kind}: ${((problem as Problem).error as Error).message}`);
  subscribe('busbar:problem', listen);
  for (const [what, make_] of Object.entries(gone)) {
    const kept = make(property_('ay'), { P: [1] });
    const refused: Readonly<Record<string, () => unknown>> = {
      'property P: ': () => make(property_('ay'), { P: make_() }),
      'property P.k: ': () => make(property_('a{sv}'), { P: { k: make_() } }),
      'property P[0][1]: ': () => make(property_('aav'), { P: [[1, make_()]] }),
      'property P: got ': () => {
        kept.properties.P = make_();
      },
      'property P': () => kept.emitPropertiesChanged({ P: make_() }),
      'argument 0: ': () => object.emit.Tell?.(make_()),
      'argument 0.a["b c"][1]: ': () =>
        client.emit({
          path: '/',
          interface: NAME,
          member: 'M',
          signature: 'a{sa{sav}}',
          body: [{ a: { 'b c': [1, make_()] } }],
        }),
      'fileDescriptors[1]: ': () =>
        client.emit({ path: '/', interface: NAME, member: 'M', fileDescriptors: [0, make_()] as never }),
      'body: expected an array': () => client.emit({ path: '/', interface: NAME, member: 'M', body: make_() as [] }),
      'fileDescriptors: expected an array': () =>
        client.emit({ path: '/', interface: NAME, member: 'M', fileDescriptors: make_() as [] }),
      'a signature must be a string': () =>
        client.emit({ path: '/', interface: NAME, member: 'M', signature: make_() as 's' }),
    };
    for (const [place, run] of Object.entries(refused)) {
      // The transport sd-bus takes no descriptors, whatever they are.
      if (place.startsWith('fileDescriptors') && transportKind() === 'sd-bus') continue;
      const error = thrown(run);
      assert.instance(error, InvalidArgumentError, place);
      assert.ok(error.message.startsWith(place), `${place} ${error.message}`);
      if (place.endsWith(': ') && !place.startsWith('fileDescriptors')) assert.match(error.message, what);
    }
    told.length = 0;
    returned = make_();
    assert.match((await rejection(proxy.call.Give())).message, 'the result of Give does not match its signature');
    assert.is(told.length, 1);
    assert.ok(told[0]?.startsWith(`misfit: result: got ${what}`), told[0]);
  }
  unsubscribe('busbar:problem', listen);
});

test('file descriptors are written from a FileDescriptor or a number, at all these places', async () => {
  await using bus = await PrivateBus.start();
  await using client = await connect({ address: bus.address });
  await using service = await connect({ address: bus.address });
  const before = openFds();
  const fd = openSync('/dev/null', 'r');
  const ino = inodeOf(fd);
  for (const [place, give] of Object.entries(places)) {
    // These places read the value more than once, and use the last one.
    if (/argument|client sets|at once or later/.test(place)) continue;
    for (const written of [fd, FileDescriptor.adopt(openSync('/dev/null', 'r'))]) {
      const got = (await give({ client, service }, 'h', written)) as FileDescriptor;
      assert.instance(got, FileDescriptor, place);
      if (!got.closed) assert.is(inodeOf(got.fd), ino, place);
      got.close();
      if (typeof written !== 'number') written.close();
    }
  }
  closeSync(fd);
  await assertNoFdsLeft(before);
});

test.run();
