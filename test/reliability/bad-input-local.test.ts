// Invalid input of the program: refused at the call, with nothing sent, and the connection unchanged.
import { openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  type DBusError,
  defineInterface,
  FileDescriptor,
  InvalidArgumentError,
  implement,
  type MessageBus,
  MessageType,
  type OutgoingMessage,
  variant,
} from '../../src/index.js';
import { FakeBus, type FakeConnection, PEER } from '../helpers/fake-bus.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { run } from '../helpers/program.js';
import { rejection, thrown } from '../helpers/rejection.js';

const test = suite('bad input of the program');
process.on('warning', () => {});

/** The test plays the bus, and sees every byte that is sent. */
async function withWitness(act: (bus: MessageBus, peer: FakeConnection) => Promise<void> | void): Promise<void> {
  await using server = await FakeBus.start();
  await using bus = await connect({ address: server.address });
  const peer = await server.accepted();
  await peer.until(({ member }) => member === 'Hello');
  // How calls ended is history, and a call that ends this way leaves nothing else.
  const { calls: _, ...before } = bus.stats();
  peer.sent.length = 0;
  await act(bus, peer);
  const { calls: __, ...after } = bus.stats();
  assert.equal(after, before, 'nothing is left behind');
  assert.ok(await peer.ping(), 'the connection is untouched');
  assert.is(peer.sent.length, 1, 'nothing was sent');
}

const cyclic: unknown[] = [];
cyclic.push(cyclic);
const cyclicObject: Record<string, unknown> = {};
cyclicObject.self = cyclicObject;
const throwing = {
  get key(): string {
    throw new RangeError('thrown by a getter');
  },
};
const closed = FileDescriptor.adopt(openSync('/dev/null', 'r'));
closed.close();
const deep = (depth: number): unknown => (depth === 0 ? variant.y(1) : variant('v', deep(depth - 1) as never));

/** Values of another type, and the error for each. */
const MISFITS: readonly (readonly [signature: string, values: readonly unknown[], text: string])[] = [
  ['y', [256], 'argument 0: expected y'],
  ['y', [-1], 'argument 0'],
  ['n', [32768], 'argument 0'],
  ['q', [65536], 'argument 0'],
  ['i', [2 ** 31], 'argument 0'],
  ['u', [-1], 'argument 0'],
  ['u', [2 ** 32], 'argument 0'],
  ['u', [1.5], 'argument 0'],
  ['u', [Number.NaN], 'got NaN'],
  ['u', ['5'], 'argument 0'],
  ['u', [5n], 'argument 0'],
  ['u', [null], 'null'],
  ['u', [true], 'argument 0'],
  ['x', [2n ** 63n], 'argument 0'],
  ['t', [-1n], 'argument 0'],
  ['t', [2 ** 60], 'argument 0'],
  ['x', [Number.NaN], 'NaN'],
  ['d', ['1.5'], 'argument 0'],
  ['d', [1n], 'argument 0'],
  ['b', [1], 'argument 0'],
  ['b', ['true'], 'argument 0'],
  ['s', [5], 'argument 0: expected s'],
  ['s', [undefined], 'undefined'],
  ['s', ['a\0b'], 'NUL'],
  ['s', ['\ud800'], 'surrogate'],
  ['s', ['x'.repeat(1000).concat('\udc00')], 'surrogate'],
  ['s', [Symbol('s')], 'argument 0'],
  ['s', [new String('boxed')], 'argument 0'],
  ['o', ['no/slash'], 'object path'],
  ['o', ['/trailing/'], 'object path'],
  ['o', ['//'], 'object path'],
  ['o', ['/a-b'], 'object path'],
  ['o', [''], 'object path'],
  ['g', ['z'], 'argument 0'],
  ['g', ['a'], 'argument 0'],
  ['g', ['{sv}'], 'argument 0'],
  ['g', ['s'.repeat(256)], 'argument 0'],
  ['ay', ['text'], 'argument 0: expected ay'],
  ['ay', [[1, 2, 256]], 'argument 0[2]'],
  ['ay', [{}], 'argument 0'],
  ['as', ['text'], 'argument 0'],
  ['as', [['a', 'b', 3]], 'argument 0[2]'],
  ['as', [{ length: 1, 0: 'a' }], 'argument 0'],
  ['as', [new Set(['a'])], 'argument 0'],
  ['au', [new Int8Array(4)], 'argument 0'],
  ['(su)', [['a']], 'argument 0'],
  ['(su)', [['a', 1, 2]], 'argument 0'],
  ['(su)', [['a', 'b']], 'argument 0[1]'],
  ['(su)', [{ 0: 'a', 1: 1 }], 'argument 0'],
  ['a{su}', [{ a: 1, b: 'x' }], 'argument 0.b'],
  ['a{su}', [[['a', 1]]], 'argument 0'],
  ['a{su}', ['text'], 'argument 0'],
  ['a{su}', [null], 'argument 0'],
  ['a{us}', [{ a: 'b' }], 'argument 0'],
  ['a{us}', [new Map([['a', 'b']])], 'argument 0'],
  ['a{sv}', [{ a: { b: [undefined] } }], 'argument 0.a.b'],
  [
    'a{sa{sv}}',
    [{ '802-11-wireless': { ssid: variant('ay', [1, 'x'] as never) } }],
    'argument 0["802-11-wireless"].ssid[1]',
  ],
  ['v', [undefined], 'argument 0'],
  ['v', [null], 'argument 0'],
  ['v', [() => {}], 'argument 0'],
  ['v', [[]], 'Variant'],
  ['v', [[1, 'a']], 'Variant'],
  ['v', [new Date()], 'argument 0'],
  ['v', [deep(63)], 'more than 63 containers'],
  ['av', [cyclic], 'argument 0'],
  ['v', [cyclicObject], 'more than 63 containers'],
  ['a{sv}', [cyclicObject], 'more than 63 containers'],
  ['h', [-1], 'argument 0'],
  ['h', [1.5], 'argument 0'],
  ['h', ['0'], 'argument 0'],
  ['h', [closed], 'closed'],
  ['h', [1_000_000], '1000000 is not open'],
  ['sh', ['a', {}], 'argument 1'],
  ['ay', [new Uint8Array(2 ** 26 + 1)], '64 MiB'],
  ['ayay', [new Uint8Array(2 ** 26), new Uint8Array(2 ** 26)], '128 MiB'],
  ['s', [], '1'],
  ['s', ['a', 'b'], '1'],
  ['', ['a'], ''],
  ['z', ['a'], 'signature'],
  ['a', [[]], 'signature'],
  ['(', [[]], 'signature'],
  ['()', [[]], 'signature'],
  ['a{vs}', [{}], 'signature'],
  ['{sv}', [{}], 'signature'],
  [`${'a'.repeat(33)}y`, [[]], 'signature'],
  [`${'('.repeat(33)}y${')'.repeat(33)}`, [[]], 'signature'],
  ['y'.repeat(256), [], 'signature'],
  ['s\0', ['a'], 'signature'],
];

const target = { destination: PEER, path: '/a', interface: 'org.example.Peer', member: 'Take' };

test('in a call, a value of another type is refused before anything is sent', () =>
  withWitness(async (bus) => {
    for (const [signature, body, text] of MISFITS) {
      const what = `${signature.slice(0, 20)} ${text}`;
      const error = (await rejection(bus.call({ ...target, signature, body }))) as DBusError;
      assert.instance(error, InvalidArgumentError, what);
      assert.ok(error.message.includes(text), `${what}: ${error.message}`);
    }
  }));

test('so it is in a signal, in a message object, and in a call without a reply', () =>
  withWitness(async (bus) => {
    const { path, interface: name, member } = target;
    for (const [signature, body, text] of MISFITS) {
      const what = `${signature.slice(0, 20)} ${text}`;
      const signal = { path, interface: name, member, signature, body };
      assert.instance(
        thrown(() => bus.emit(signal)),
        InvalidArgumentError,
        what,
      );
      const reply: OutgoingMessage = {
        type: MessageType.MethodReturn,
        destination: PEER,
        replySerial: 1,
        signature,
        body,
      };
      assert.instance(
        thrown(() => bus.send(reply)),
        InvalidArgumentError,
        what,
      );
      assert.instance(
        await rejection(bus.call({ ...target, noReply: true, signature, body })),
        InvalidArgumentError,
        what,
      );
    }
  }));

test('an error that a getter of the caller throws is passed on unchanged, and nothing is sent', () =>
  withWitness(async (bus) => {
    const error = await rejection(bus.call({ ...target, signature: 'a{ss}', body: [throwing] }));
    assert.instance(error, RangeError);
    assert.is(error.message, 'thrown by a getter');
  }));

test('header fields that the specification forbids are refused before anything is sent', () =>
  withWitness(async (bus) => {
    const long = `a.${'b'.repeat(254)}`;
    for (const wrong of [
      { path: '' },
      { path: 'a' },
      { path: '/a/' },
      { path: '//a' },
      { path: '/ä' },
      { path: '/a\0' },
      { path: '/org/freedesktop/DBus/Local' },
      { path: 5 },
      { path: undefined },
      { interface: 'single' },
      { interface: '' },
      { interface: '.a.b' },
      { interface: 'a..b' },
      { interface: 'a.1b' },
      { interface: 'a.b-c' },
      { interface: long },
      { interface: 'org.freedesktop.DBus.Local' },
      { interface: {} },
      { member: '' },
      { member: '9a' },
      { member: 'a.b' },
      { member: 'a-b' },
      { member: 'a\0' },
      { member: 'm'.repeat(256) },
      { member: undefined },
      { destination: '' },
      { destination: 'single' },
      { destination: '.a.b' },
      { destination: 'a.1b' },
      { destination: ':' },
      { destination: long },
      { destination: 'a.b\0' },
      { destination: [] },
    ]) {
      const call = { ...target, ...wrong } as typeof target;
      assert.instance(await rejection(bus.call(call)), InvalidArgumentError, JSON.stringify(wrong));
    }
    for (const errorName of ['single', '', 'a..b', long]) {
      const message = { type: MessageType.Error, replySerial: 1, errorName };
      assert.instance(
        thrown(() => bus.send(message)),
        InvalidArgumentError,
        errorName,
      );
    }
    for (const message of [
      { type: MessageType.Signal, path: '/a', member: 'B' },
      { type: MessageType.Signal, interface: 'a.b', member: 'B' },
      { type: MessageType.MethodReturn },
      { type: MessageType.MethodReturn, replySerial: 0 },
      { type: MessageType.MethodReturn, replySerial: 2 ** 32 },
      { type: MessageType.MethodReturn, replySerial: 1.5 },
      { type: MessageType.Error, replySerial: 1 },
      { type: MessageType.Error, errorName: 'a.b' },
      { type: 0 },
      { type: 5, path: '/a' },
      { type: 'signal', path: '/a' },
      { type: MessageType.Signal, path: '/a', interface: 'a.b', member: 'B', flags: 256 },
      { type: MessageType.Signal, path: '/a', interface: 'a.b', member: 'B', flags: -1 },
    ]) {
      assert.instance(
        thrown(() => bus.send(message as never)),
        InvalidArgumentError,
        JSON.stringify(message),
      );
    }
  }));

test('names, paths and rules that the specification forbids are refused before anything is sent', () =>
  withWitness(async (bus) => {
    for (const name of ['', 'single', ':1.5', 'a.1b', '.a.b', 'a..b', 'a.b.', `a.${'b'.repeat(254)}`, 'a.b\0', 5]) {
      const text = name as string;
      assert.instance(await rejection(bus.requestName(text)), InvalidArgumentError, text);
      assert.instance(await rejection(bus.releaseName(text)), InvalidArgumentError, text);
      assert.instance(await rejection(bus.startService(text)), InvalidArgumentError, text);
      if (text === ':1.5') continue;
      assert.instance(await rejection(bus.nameOwner(text)), InvalidArgumentError, text);
      assert.instance(await rejection(bus.hasName(text)), InvalidArgumentError, text);
      assert.instance(await rejection(bus.credentials(text)), InvalidArgumentError, text);
      assert.instance(
        thrown(() => bus.watchName(text, {})),
        InvalidArgumentError,
        text,
      );
    }
    for (const rule of [
      { path: 'a' },
      { path: '/a', pathNamespace: '/b' },
      { pathNamespace: '/a/' },
      { interface: 'single' },
      { member: '9' },
      { sender: 'single' },
      { arg0namespace: 'a..b' },
      { arg64: 'x' },
      { arg0: 5 },
      { arg0: 'a\0b' },
      { unknown: 'x' },
    ]) {
      assert.instance(
        thrown(() => bus.subscribe(rule as never, () => {})),
        InvalidArgumentError,
        JSON.stringify(rule),
      );
    }
    const Example = defineInterface('org.example.Example', {});
    for (const path of ['', 'a', '/a/', '//', '/a-b', 5]) {
      assert.instance(
        thrown(() => bus.export(path as string, implement(Example, {}))),
        InvalidArgumentError,
        `${path}`,
      );
      assert.instance(
        thrown(() => bus.proxy(Example, PEER, path as string)),
        InvalidArgumentError,
        `${path}`,
      );
    }
    assert.instance(
      thrown(() => bus.proxy(Example, 'single', '/')),
      InvalidArgumentError,
    );
  }));

test('invalid options of a connection are refused', async () => {
  const address = 'unix:path=/nonexistent';
  for (const options of [
    { address, transport: 'pigeon' },
    { address, poller: 'sundial' },
    { address, timeout: -1 },
    { address, timeout: Number.NaN },
    { address, timeout: 'soon' },
    { address: '' },
    { bus: 'omnibus' },
    { address: 5 },
  ]) {
    const error = await rejection(connect(options as never));
    assert.instance(error, InvalidArgumentError, `${JSON.stringify(options)}: ${error}`);
  }
  for (const variable of ['BUSBAR_TRANSPORT', 'BUSBAR_POLLER']) {
    const script = `
      import { connect } from ${JSON.stringify(libraryEntry)};
      await connect({ address: '${address}' }).catch(({ code, message }) => console.log(code, message));
    `;
    const { stdout } = await run(process.execPath, moduleArguments(script), { env: { [variable]: 'pigeon' } });
    assert.match(stdout, new RegExp(`^ERR_DBUS_INVALID_ARGUMENT ${variable}: expected .+ or .+, got "pigeon"`));
  }
});

test('keys like __proto__ and constructor are ordinary keys in both directions', async () => {
  await using daemon = await PrivateBus.start();
  await using client = await connect({ address: daemon.address });
  await using service = await connect({ address: daemon.address });
  const Echo = defineInterface('org.example.Echo', {
    methods: { Variants: { in: 'a{sv}', out: 'a{sv}' }, Nested: { in: 'a{sa{ss}}', out: 'a{sa{ss}}' } },
    properties: { Held: { type: 'a{ss}', access: 'readwrite' } },
  });
  const seen: unknown[] = [];
  const echo = implement(Echo, {
    Variants: (dictionary) => {
      seen.push(dictionary);
      return dictionary as never;
    },
    Nested: (dictionary) => dictionary,
    Held: {},
  });
  service.export('/echo', echo);
  const proxy = client.proxy(Echo, service.uniqueName as string, '/echo');
  const keys = [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '__defineGetter__',
    '',
  ];
  const entries = <T>(value: (key: string) => T) => Object.fromEntries(keys.map((key) => [key, value(key)]));
  const flat = entries((key) => `value of ${key}`);
  assert.equal(own(await proxy.call.Variants(flat)), own(flat));
  assert.equal(own(seen[0] as object), own(flat));
  const nested = await proxy.call.Nested(entries(() => flat));
  assert.equal(Object.getOwnPropertyNames(nested).sort(), [...keys].sort());
  for (const key of keys) assert.equal(own(Object.getOwnPropertyDescriptor(nested, key)?.value as object), own(flat));
  await proxy.set.Held(flat);
  assert.equal(own(await proxy.get.Held()), own(flat));
  const map = new Map(Object.entries(flat));
  assert.equal(own(await proxy.call.Variants(map as never)), own(flat));
  assert.is(Object.getPrototypeOf({}), Object.prototype);
  assert.equal(Object.keys(Object.prototype), []);
});

/** The own entries of an object, whatever their keys are. */
function own(object: object): [string, unknown][] {
  return Object.getOwnPropertyNames(object)
    .sort()
    .map((key) => [key, Object.getOwnPropertyDescriptor(object, key)?.value]);
}

test.run();
