// Members whose names have a meaning in JavaScript (`then`, `toString`): they can be used, and JavaScript does not call
// them by itself.
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, describe, implement, type MessageBus } from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('awkward names');
const NAME = 'org.example.Awkward';
const NAMES = [
  'then',
  'toJSON',
  'catch',
  'finally',
  'constructor',
  '__proto__',
  'toString',
  'valueOf',
  'hasOwnProperty',
];
const PROPERTY = 'org.example.AwkwardProperties';

const methods = defineInterface(NAME, {
  methods: Object.fromEntries(NAMES.map((name) => [name, { in: 's', out: 's' }])),
  signals: Object.fromEntries(NAMES.map((name) => [name, { args: 's' }])),
});
const properties = defineInterface(PROPERTY, {
  properties: Object.fromEntries(NAMES.map((name) => [name, { type: 's' }])),
});

/** The name of a member in a proxy. */
const keyOf = (name: string) => (name === 'then' || name === 'toJSON' ? `${name}()` : name);
const own = (entries: (readonly [string, unknown])[]) => Object.fromEntries(entries) as never;

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `members of any name work, and JavaScript calls none of them by itself: ${daemon}`,
    async () => {
      await using bus = await PrivateBus.start({ daemon });
      await using client = await connect({ address: bus.address });
      await using service = await connect({ address: bus.address });
      const module = implement(methods, own(NAMES.map((name) => [name, (text: string) => `${name} ${text}`])));
      const settings = implement(properties, own(NAMES.map((name) => [name, `first ${name}`])));
      service.export('/awkward', module);
      service.export('/awkward', settings);

      const introspected = await client.object(service.uniqueName, '/awkward');
      for (const [calls, values] of [
        [
          client.proxy(methods, service.uniqueName, '/awkward'),
          client.proxy(properties, service.uniqueName, '/awkward'),
        ],
        [introspected.interface(NAME), introspected.interface(PROPERTY)],
      ] as const) {
        await assertQuiet(client, calls);
        await assertQuiet(client, values);
        for (const name of NAMES) {
          const key = keyOf(name);
          assert.is(await at(calls.call, key)('text'), `${name} text`, name);
          const next = at(calls.once, key)();
          await client.listNames();
          at(module.emit, key)(`signal ${name}`);
          assert.equal(await next, [`signal ${name}`], name);
          await at(values.set, key)(`new ${name}`);
          assert.is(await at(values.get, key)(), `new ${name}`, name);
          assert.is((settings.properties as Record<string, unknown>)[name], `new ${name}`, name);
          await at(values.set, key)(`first ${name}`);
        }
        const all = await values.getAll();
        assert.equal(
          Object.entries(all),
          NAMES.map((name) => [name, `first ${name}`]),
        );
        assert.is(Object.getPrototypeOf(all), Object.prototype);
      }
      const before = service.stats().messagesSent;
      assert.is(await module.emit, module.emit);
      JSON.stringify(module.emit);
      assert.is(service.stats().messagesSent, before);
    },
  );
}

type Member = (...values: unknown[]) => Promise<unknown>;

function at(namespace: object, key: string): Member {
  const member = (namespace as Record<string, unknown>)[key];
  assert.type(member, 'function', key);
  return member as Member;
}

/** Awaiting, printing and copying the objects that hold the members sends nothing, and terminates. */
async function assertQuiet(client: MessageBus, proxy: object): Promise<void> {
  const { messagesSent } = client.stats();
  const { call, on, once, watch, get, set } = proxy as Record<string, Record<string | symbol, unknown>>;
  for (const namespace of [proxy, call, on, once, watch, get, set] as Record<string | symbol, unknown>[]) {
    assert.is(await namespace, namespace);
    assert.is(await Promise.resolve(namespace), namespace);
    assert.is(namespace.then, undefined);
    assert.is(namespace.toJSON, undefined);
    JSON.stringify(namespace);
    inspect(namespace, { depth: 5, showHidden: true });
    for (const symbol of [
      Symbol.toPrimitive,
      Symbol.asyncIterator,
      Symbol.iterator,
      Symbol.toStringTag,
      Symbol.dispose,
    ]) {
      assert.is(namespace[symbol], undefined);
    }
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(client.stats().messagesSent, messagesSent);
}

test('a description has the members under their own names', () => {
  assert.equal([...describe(methods).methods.keys()], NAMES);
});

test.run();
