/** Values that were read with `variants: 'keep'` are plain, and are written with the types that were read. */
import { deepStrictEqual, throws } from 'node:assert/strict';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import type { DecodeOptions } from '../../src/codec/decode-options.js';
import { keepTypes } from '../../src/codec/kept-types.js';
import { variant } from '../../src/values/variant.js';
import { decode, encode, readTypes } from '../helpers/kept-values.js';

const test = suite('codec: kept types');

/** What a reader gets that keeps the types of what was sent. */
function keep(signature: string, value: unknown, options: DecodeOptions = {}): unknown {
  return decode(signature, encode(signature, [value]), { ...options, variants: 'keep' })[0];
}

const settings = () =>
  keep('a{sa{sv}}', {
    connection: { id: variant.s('home'), timestamp: variant.t(5n), permissions: variant.as([]), type: variant.o('/a') },
    ipv4: {
      dns: variant.au([1, 2]),
      'address-data': variant('aa{sv}', [{ address: variant.s('10.0.0.1'), prefix: variant.u(24) }]),
      metric: variant.x(-1n),
    },
  }) as Record<string, Record<string, unknown>>;

/** The types of the variants in what is written of a value. */
const written = (signature: string, value: unknown) => readTypes(signature, encode(signature, [value]));

test('values are plain, without properties of their own', () => {
  const read = settings();
  deepStrictEqual(read, {
    connection: { id: 'home', timestamp: 5n, permissions: [], type: '/a' },
    ipv4: { dns: [1, 2], 'address-data': [{ address: '10.0.0.1', prefix: 24 }], metric: -1n },
  });
  deepStrictEqual(Reflect.ownKeys(read.connection as object), ['id', 'timestamp', 'permissions', 'type']);
  assert.is(Object.getPrototypeOf(read.ipv4), Object.prototype);
});

test('what did not change is written as it was read', () => {
  const read = settings();
  (read.connection as { id: string }).id = 'work';
  deepStrictEqual(written('a{sa{sv}}', read), {
    connection: { id: 's', timestamp: 't', permissions: 'as', type: 'o' },
    ipv4: { dns: 'au', 'address-data': [{ address: 's', prefix: 'u' }], metric: 'x' },
  });
});

test('a key keeps its type when its value is replaced, and also if it was removed for a while', () => {
  const read = settings();
  const ipv4 = read.ipv4 as Record<string, unknown>;
  ipv4.dns = [];
  delete ipv4.metric;
  ipv4.metric = 100;
  deepStrictEqual(written('a{sa{sv}}', read).ipv4, {
    dns: 'au',
    'address-data': [{ address: 's', prefix: 'u' }],
    metric: 'x',
  });
});

test('a key that is added has the type that its value has by default', () => {
  const read = settings();
  Object.assign(read.ipv4 as object, { method: 'auto', 'route-metric': 5 });
  read.ipv6 = { method: 'ignore', ttl: 5n };
  const types = written('a{sa{sv}}', read) as { ipv4: object; ipv6: object };
  deepStrictEqual(types.ipv4, {
    dns: 'au',
    'address-data': [{ address: 's', prefix: 'u' }],
    metric: 'x',
    method: 's',
    'route-metric': 'i',
  });
  deepStrictEqual(types.ipv6, { method: 's', ttl: 'x' });
});

test('a Variant and undefined do what they always do', () => {
  const read = settings();
  Object.assign(read.connection as object, { timestamp: variant.s('now'), type: undefined });
  deepStrictEqual(written('a{sa{sv}}', read).connection, { id: 's', timestamp: 's', permissions: 'as' });
});

test('a value that does not have the type of its key is refused, with the key and the type', () => {
  const refusal = (change: (read: Record<string, Record<string, unknown>>) => void): string => {
    const read = settings();
    change(read);
    try {
      encode('a{sa{sv}}', [read]);
    } catch (error) {
      assert.instance(error, InvalidArgumentError);
      return (error as Error).message;
    }
    return '';
  };
  assert.is(
    refusal((read) => Object.assign(read.connection as object, { timestamp: 'now' })),
    'argument 0.connection.timestamp: expected t (an unsigned bigint of 64 bits, or a safe integer), got string ' +
      '("timestamp" was read as t: write a Variant to give it another type)',
  );
  assert.is(
    refusal((read) => Object.assign(read.ipv4 as object, { dns: [1, -1] })),
    'argument 0.ipv4.dns[1]: expected u (0 to 4294967295), got -1 ' +
      '("dns" was read as au: write a Variant to give it another type)',
  );
  assert.is(
    refusal((read) => {
      const [data] = (read.ipv4 as { 'address-data': [{ prefix: unknown }] })['address-data'];
      data.prefix = 24n;
    }),
    'argument 0.ipv4["address-data"][0].prefix: expected u (0 to 4294967295), got 24n ' +
      '("prefix" was read as u: write a Variant to give it another type)',
  );
});

test('a container that is moved takes its types along', () => {
  const read = keep('a{sv}', {
    list: variant.au([1]),
    pair: variant('(yv)', [1, variant.q(2)]),
    table: variant('a{su}', { a: 1 }),
    nested: variant.v(variant.v(variant.ax([1n]))),
    bytes: variant.ay([1]),
  }) as Record<string, unknown>;
  const moved = { a: read.list, b: read.pair, c: [read.table], d: read.nested, e: read.bytes };
  deepStrictEqual(written('a{sv}', { ...moved, c: variant.av(moved.c) }), {
    a: 'au',
    b: ['(yv)', 1, 'q'],
    c: ['a{su}'],
    d: 'v v ax',
    e: 'ay',
  });
});

test('a container that is moved to a key with another type must have that type', () => {
  const read = keep('a{sv}', { names: variant.as(['x']), paths: variant.ao(['/x']) }) as Record<string, unknown>;
  read.paths = read.names;
  throws(() => encode('a{sv}', [read]), /\.paths\[0\]: expected o .* \("paths" was read as ao: /);
});

test('a copy in the place of what was read has its types', () => {
  const read = settings();
  read.connection = { ...read.connection, id: 'work' };
  read.ipv4 = structuredClone(read.ipv4) as Record<string, unknown>;
  deepStrictEqual(written('a{sa{sv}}', read), {
    connection: { id: 's', timestamp: 't', permissions: 'as', type: 'o' },
    ipv4: { dns: 'au', 'address-data': [{ address: 's', prefix: 'u' }], metric: 'x' },
  });
});

test('a copy of the whole has the types of the containers that it shares with what was read', () => {
  const read = settings();
  deepStrictEqual(written('a{sa{sv}}', { ...read }), written('a{sa{sv}}', read));
  deepStrictEqual(written('a{sv}', { ...read.ipv4, metric: 5 }), {
    dns: 'au',
    'address-data': [{ address: 's', prefix: 'u' }],
    metric: 'i',
  });
});

test('a deep copy of the whole has the types that its values have by default', () => {
  const read = keep('a{sv}', { size: variant.u(5), path: variant.o('/a') });
  deepStrictEqual(written('a{sv}', structuredClone(read)), { size: 'i', path: 's' });
});

test('a deep copy that is given the types of the original has them', () => {
  const read = settings();
  const copy = keepTypes(structuredClone(read), read);
  (copy.connection as { id: string }).id = 'work';
  deepStrictEqual(written('a{sa{sv}}', copy), written('a{sa{sv}}', read));
  const plain = { a: 1 };
  assert.is(keepTypes(plain, {}), plain);
  deepStrictEqual(written('a{sv}', plain), { a: 'i' });
});

test('frozen containers keep types', () => {
  const read = settings();
  Object.freeze(read.connection);
  Object.freeze(read);
  deepStrictEqual(written('a{sa{sv}}', read).connection, { id: 's', timestamp: 't', permissions: 'as', type: 'o' });
});

test('variants in variants keep how they are nested', () => {
  const read = keep('a{sv}', { deep: variant.v(variant.v(variant.q(1))) }) as { deep: number };
  assert.is(read.deep, 1);
  read.deep = 7;
  deepStrictEqual(written('a{sv}', read), { deep: 'v v q' });
  deepStrictEqual(decode('a{sv}', encode('a{sv}', [read])), [{ deep: 7 }]);
});

test('a variant that is an argument itself is remembered if its value is a container', () => {
  deepStrictEqual(written('v', keep('v', variant('a{su}', { a: 1 }))), 'a{su}');
  deepStrictEqual(written('v', keep('v', variant.u(1))), 'i');
});

test('maps keep types, with keys of any type', () => {
  const read = keep('a{xv}', new Map([[5n, variant.y(1)]])) as Map<bigint, unknown>;
  read.set(5n, 2).set(6n, 3);
  deepStrictEqual(
    written('a{xv}', read),
    new Map([
      [5n, 'y'],
      [6n, 'i'],
    ]),
  );
  const ordered = keep('a{sv}', { '10': variant.y(1), '2': variant.q(1) }, { dictionaries: 'map' });
  assert.instance(ordered, Map);
  deepStrictEqual(written('a{sv}', ordered), { '2': 'q', '10': 'y' });
});

test('an entry called __proto__ keeps its type', () => {
  const read = keep('a{sv}', Object.fromEntries([['__proto__', variant.y(1)]]));
  deepStrictEqual(written('a{sv}', read), Object.fromEntries([['__proto__', 'y']]));
});

test('typed arrays keep types', () => {
  const read = keep('a{sv}', { list: variant.au([1]) }, { typedArrays: true }) as { list: Uint32Array };
  assert.instance(read.list, Uint32Array);
  deepStrictEqual(written('a{sv}', { moved: read.list }), { moved: 'au' });
});

test('elements of an array keep their types by their index', () => {
  const read = keep('av', [variant.y(1), variant.q(2)]) as number[];
  read[0] = 9;
  deepStrictEqual(written('av', read), ['y', 'q']);
});

test('an array whose elements have one type can have more and fewer of them', () => {
  const read = keep('av', [variant.u(1), variant.u(2)]) as number[];
  read.push(3);
  deepStrictEqual(written('av', read), ['u', 'u', 'u']);
  read.splice(0, 2);
  deepStrictEqual(written('av', read), ['u']);
});

test('an array of several types whose length was changed is refused, unless all elements tell their types', () => {
  const read = keep('a{sv}', { list: variant.av([variant.y(1), variant.au([2])]) }) as { list: unknown[] };
  const [, inner] = read.list;
  read.list.shift();
  deepStrictEqual(written('a{sv}', read), { list: ['au'] });
  read.list = [variant.y(1), inner, variant.s('x')];
  deepStrictEqual(written('a{sv}', read), { list: ['y', 'au', 's'] });
  read.list = [1, 2, 3];
  throws(() => encode('a{sv}', [read]), {
    message:
      'argument 0.list: its elements were read as variants of several types (y, au), and it now has 3 of them instead ' +
      'of 2: write them as Variants',
  });
});

test('an array that was empty can have any elements', () => {
  const read = keep('a{sv}', { list: variant.av([]) }) as { list: unknown[] };
  read.list.push('x', 5n);
  deepStrictEqual(written('a{sv}', read), { list: ['s', 'x'] });
});

test('structs keep the types of their fields', () => {
  const read = keep('a(sv)', [
    ['a', variant.y(1)],
    ['b', variant.as([])],
  ]) as [string, unknown][];
  read.reverse();
  (read[1] as unknown[])[1] = 7;
  deepStrictEqual(written('a(sv)', read), [
    ['b', 'as'],
    ['a', 'y'],
  ]);
});

test('a value that takes the place of a container is refused as anywhere, and a Proxy has the types of its values', () => {
  const read = settings();
  read.ipv4 = 5 as never;
  throws(() => encode('a{sa{sv}}', [read]), /argument 0\.ipv4: expected a\{sv\}, got 5/);
  read.ipv4 = new Proxy({ metric: 5 }, {}) as never;
  deepStrictEqual(written('a{sa{sv}}', read).ipv4, { metric: 'i' });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  read.ipv4 = proxy as never;
  throws(() => encode('a{sa{sv}}', [read]), /argument 0\.ipv4: got a Proxy that was revoked/);
});

test('an array that claims a length that cannot be sent is refused at once', () => {
  const read = keep('a{sv}', { list: variant.av([variant.y(1)]) }) as { list: unknown[] };
  read.list.length = 2 ** 32 - 1;
  throws(() => encode('a{sv}', [read]), InvalidArgumentError);
});

test('values that were read in another way have the types that they have by default', () => {
  const [read] = decode('a{sv}', encode('a{sv}', [{ size: variant.u(5) }]));
  deepStrictEqual(written('a{sv}', read), { size: 'i' });
});

test.run();
