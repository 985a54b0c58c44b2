// Members that a proxy does not have: the error names the members that exist and how to use them. Properties that
// JavaScript reads of any object (`then`, symbols) are undefined.
import nodeAssert from 'node:assert';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, InvalidArgumentError, implement, ServiceInterface } from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';

const test = suite('absent members');
const daemon = await PrivateBus.start();
const bus = await connect({ address: daemon.address });

const Shelf = defineInterface('org.example.Shelf', {
  methods: { Object: { in: ['name:s', 'count:u'], out: 'o' }, Clear: {} },
  signals: { StateChanged: { args: ['state:s'] } },
  properties: {
    Level: { type: 'u' },
    Name: { type: 's', access: 'read' },
    Secret: { type: 's', access: 'write' },
  },
});
bus.export('/shelf', implement(Shelf, { Object: () => '/a', Clear() {}, Level: 1, Name: 'a', Secret: { set() {} } }));
const proxy = bus.proxy(Shelf, bus.uniqueName, '/shelf');
/** The proxy without its types, as plain JavaScript uses it. */
const loose = proxy as unknown as Record<string, Record<string, (...args: unknown[]) => unknown>> & {
  readonly [name: string]: (...args: unknown[]) => unknown;
};

test.after(async () => {
  await bus.close();
  await daemon.stop();
});

function refusal(use: () => unknown): string {
  try {
    use();
  } catch (error) {
    assert.instance(error, InvalidArgumentError);
    return (error as Error).message;
  }
  throw new Error('it was not refused');
}

const members = 'Object, Clear';
const refusals: readonly [string, () => unknown, string][] = [
  [
    'call.Objet',
    () => loose.call?.Objet?.(),
    `call.Objet: org.example.Shelf has no method "Objet"; did you mean Object? Known: ${members}`,
  ],
  [
    'call.Frobnicate',
    () => loose.call?.Frobnicate?.(),
    `call.Frobnicate: org.example.Shelf has no method "Frobnicate"; known: ${members}`,
  ],
  [
    'call of a signal',
    () => loose.call?.StateChanged,
    'call.StateChanged: StateChanged is a signal: use on.StateChanged(listener), once.StateChanged() or watch.StateChanged()',
  ],
  [
    'call of a property',
    () => loose.call?.Level,
    'call.Level: Level is a property: use get.Level(), set.Level(value) or onChange(listener)',
  ],
  ['on of a method', () => loose.on?.Clear, 'on.Clear: Clear is a method: use call.Clear(…)'],
  [
    'on of a property',
    () => loose.on?.Name,
    'on.Name: Name is a property that can only be read: use get.Name() or onChange(listener)',
  ],
  [
    'once misspelt',
    () => loose.once?.StateChange,
    'once.StateChange: org.example.Shelf has no signal "StateChange"; did you mean StateChanged? Known: StateChanged',
  ],
  ['watch of a method', () => loose.watch?.Clear, 'watch.Clear: Clear is a method: use call.Clear(…)'],
  ['get of a method', () => loose.get?.Clear, 'get.Clear: Clear is a method: use call.Clear(…)'],
  [
    'get of a write-only property',
    () => loose.get?.Secret,
    'get.Secret: Secret is a property that can only be written: use set.Secret(value)',
  ],
  [
    'set of a read-only property',
    () => loose.set?.Name,
    'set.Name: Name is a property that can only be read: use get.Name() or onChange(listener)',
  ],
  [
    'get misspelt',
    () => loose.get?.Levle,
    'get.Levle: org.example.Shelf has no property to read "Levle"; did you mean Level? Known: Level, Name',
  ],
  [
    'on as of an emitter',
    () => loose.on?.('StateChanged', () => {}),
    'on("StateChanged") is not a function: the signal\'s name comes first, as in on.StateChanged(listener)',
  ],
  [
    'once as of an emitter',
    () => loose.once?.('x'),
    'once("x") is not a function: the signal\'s name comes first, as in once.StateChanged()',
  ],
  ['a method of the proxy', () => loose.Clear?.(), 'proxy.Clear: Clear is a method: use call.Clear(…)'],
  ['callX', () => loose.callClear?.(), 'proxy.callClear: Clear is a method: use call.Clear(…)'],
  [
    'getX',
    () => loose.getLevel?.(),
    'proxy.getLevel: Level is a property: use get.Level(), set.Level(value) or onChange(listener)',
  ],
  [
    'onX',
    () => loose.onStateChanged,
    'proxy.onStateChanged: StateChanged is a signal: use on.StateChanged(listener), once.StateChanged() or watch.StateChanged()',
  ],
  [
    'getInterface',
    () => loose.getInterface?.('x'),
    'proxy.getInterface: this is a proxy of one interface already; bus.object(name, path) resolves with an object that has interface(name)',
  ],
  ['off', () => loose.off?.('x'), 'proxy.off: end the subscription that on.…(listener) returned'],
];
for (const [what, use, text] of refusals)
  test(`${what}: the error says what to use instead`, () => void assert.is(refusal(use), text));

const namespaces = ['call', 'on', 'once', 'watch', 'get', 'set'] as const;
const probes = [
  'then',
  'catch',
  'toJSON',
  'constructor',
  'toString',
  'valueOf',
  'asymmetricMatch',
  'nodeType',
  'tagName',
];
const marks = ['$$typeof', '@@__IMMUTABLE_ITERABLE__@@', '_isMockFunction', '__esModule', 'inspect', 'hasOwnProperty'];

test('the properties that JavaScript reads of every object are undefined', async () => {
  for (const name of namespaces) {
    const namespace = proxy[name] as Record<PropertyKey, unknown>;
    for (const probe of [...probes, ...marks, Symbol.iterator, Symbol.toPrimitive, Symbol('any')]) {
      assert.is(namespace[probe], undefined, `${name}.${String(probe)}`);
    }
    for (const key of ['Objj', 'StateChange', 'Nothing']) assert.not(key in namespace);
    assert.ok(Object.keys(namespace).every((key) => typeof key === 'string'));
    assert.is(await Promise.resolve(namespace), namespace);
    nodeAssert.ok(nodeAssert.deepEqual !== undefined && inspect(namespace).startsWith(name));
    const seen: string[] = [];
    for (const key in namespace) seen.push(key);
    assert.ok(!seen.includes('constructor'));
  }
  for (const probe of [...probes, ...marks, 'anythingElse', 'Nothing']) {
    assert.type(
      (proxy as unknown as Record<string, unknown>)[probe],
      probe in Object.prototype ? 'function' : 'undefined',
      probe,
    );
  }
  assert.is(await Promise.resolve(proxy), proxy);
  assert.instance(proxy, Object);
  nodeAssert.deepStrictEqual(proxy.call, proxy.call);
  nodeAssert.throws(() => nodeAssert.deepStrictEqual(proxy, { call: 1 }), nodeAssert.AssertionError);
  assert.type(JSON.stringify(proxy.get), 'string');
  assert.type(JSON.stringify(proxy), 'string');
  assert.ok('Clear' in proxy.call && 'StateChanged' in proxy.on && !('Clear' in proxy.on));
});

test('for a member that dbus-next names otherwise, the error has the name in busbar; these names are not enumerable', async () => {
  const object = await bus.object(bus.uniqueName, '/shelf');
  const others: readonly [object, string, string][] = [
    [bus, 'getProxyObject', 'bus.object(name, path)'],
    [bus, 'disconnect', 'await bus.close()'],
    [bus, 'addMethodHandler', 'bus.addMessageHandler(handler)'],
    [bus, 'on', 'bus.subscribe(rule, listener)'],
    [object, 'getInterface', 'object.interface(name)'],
    [ServiceInterface, 'configureMembers', 'defineInterface()'],
  ];
  for (const [holder, name, use] of others) {
    const call = (holder as Record<string, () => unknown>)[name] as () => unknown;
    assert.match(
      refusal(() => call.call(holder)),
      use,
    );
    const listed: string[] = [];
    for (const key in holder) listed.push(key);
    assert.not(listed.includes(name));
    inspect(holder, { showHidden: true, getters: true });
  }
  class Own extends ServiceInterface {
    static configureMembers(): number {
      return 5;
    }
  }
  assert.is(Own.configureMembers(), 5);
  assert.is(inspect(object).split('\n')[0], `object { ${bus.uniqueName} /shelf`);
  assert.match(inspect(object), /\n {2}interface org\.example\.Shelf\n/);
});

test('a name may be requested before an object is exported if a message handler answers calls to it', async () => {
  const warnings: string[] = [];
  const note = ({ code = '' }: Error & { code?: string }) => void warnings.push(code);
  process.on('warning', note);
  await using handling = await connect({ address: daemon.address });
  const handler = handling.addMessageHandler(() => false);
  await handling.requestName('org.example.Handled');
  await new Promise(setImmediate);
  assert.equal(warnings, []);
  handler[Symbol.dispose]();
  await handling.requestName('org.example.Nothing');
  await new Promise(setImmediate);
  process.off('warning', note);
  assert.equal(warnings, ['BUSBAR_NAME_BEFORE_EXPORT']);
});

test('a member can be replaced, as mocks do', () => {
  const mocked = bus.proxy(Shelf, bus.uniqueName, '/shelf');
  const call = mocked.call as unknown as Record<string, unknown>;
  call.Other = 5;
  assert.is(call.Other, 5);
  assert.equal(Object.keys(call), ['Other']);
});

test('members can still be looked up, called and destructured', async () => {
  const { Object: objectOf } = proxy.call;
  assert.is(await objectOf('a', 1), '/a');
  assert.is(await proxy.get.Level(), 1);
  const { StateChanged } = proxy.once;
  assert.type(StateChanged, 'function');
  assert.equal(Object.keys(proxy.on), []);
  const Names = defineInterface('org.example.Names', { signals: { name: {}, length: {}, call: {}, prototype: {} } });
  const odd = bus.proxy(Names, bus.uniqueName, '/shelf');
  for (const key of ['name', 'length', 'call', 'prototype'] as const) odd.on[key](() => {}).end();
});

test('inspecting a proxy shows its object and the signatures of its members, and sends nothing', () => {
  const sent = bus.stats().messagesSent;
  const shown = [
    `proxy of org.example.Shelf { ${bus.uniqueName} /shelf`,
    '  call Object(name: s, count: u) → o',
    '  call Clear()',
    '  on StateChanged(state: s)',
    '  get set Level: u',
    '  get Name: s',
    '  set Secret: s',
    '}',
  ].join('\n');
  assert.is(inspect(bus.proxy(Shelf, bus.uniqueName, '/shelf')), shown);
  assert.is(
    inspect({ a: { b: { c: proxy } } }),
    `{ a: { b: { c: proxy of org.example.Shelf { ${bus.uniqueName} /shelf } } } }`,
  );
  assert.is(inspect(bus.proxy(Shelf, bus.uniqueName, '/shelf').get), 'get { Level, Name }');
  const methods = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`M${index}`, {}]));
  const many = bus.proxy(defineInterface('org.example.Many', { methods }), bus.uniqueName, '/shelf');
  assert.match(inspect(many), /call M29\(\)\n {2}… 70 more: methods\n\}$/);
  for (const options of [{ showHidden: true }, { depth: 0 }, { depth: null }, { showProxy: true }, { getters: true }]) {
    inspect(proxy, options);
    for (const name of namespaces) inspect(proxy[name], options);
  }
  assert.is(bus.stats().messagesSent, sent);
});

test.run();
