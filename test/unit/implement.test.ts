// Objects for interfaces that are defined as data.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError, UnknownMethodError, UnknownPropertyError } from '../../src/base/errors.js';
import type { Problem } from '../../src/diagnostics/problems.js';
import { defineInterface } from '../../src/interface/define-interface.js';
import { implement } from '../../src/service/implement/implement.js';
import { exportableOf } from '../../src/service/objects/exportable.js';
import { callContext, RecordingOutlet } from '../helpers/recording-outlet.js';
import { rejection, thrown } from '../helpers/rejection.js';

const test = suite('implement');

const Module = defineInterface('org.example.dbustest.Module', {
  methods: { TestMethod: { in: ['kind:s', 'count:u'], out: ['result:s'] }, Fail: {}, constructor: { out: 's' } },
  // biome-ignore lint/suspicious/noThenProperty: members may have any name
  signals: { TestSignal: { args: ['vms:a{ss}'] }, Pair: { args: 'su' }, then: {} },
  properties: {
    TestProperty: { type: 'a{ss}' },
    Level: { type: 'u' },
    Version: { type: 's', access: 'read', emits: 'const' },
    Secret: { type: 's', access: 'write' },
  },
});

function exported() {
  const secrets: string[] = [];
  let level = 1;
  const module = implement(Module, {
    async TestMethod(kind, count, context) {
      return `${kind} ${count} ${context.sender}`;
    },
    Fail() {
      throw new Error('failed');
    },
    constructor: () => 'called',
    TestProperty: {},
    Level: {
      get: async () => level,
      set: async (value) => {
        await Promise.resolve();
        if (value > 100) throw new Error('too much');
        level = value;
      },
    },
    Version: '1.0',
    Secret: {
      set(value) {
        secrets.push(value);
      },
    },
  });
  const outlet = new RecordingOutlet();
  const exportable = exportableOf(module);
  outlet.attachTo(exportable);
  return { module, outlet, exportable, secrets };
}

const changed = (values: Record<string, unknown>) => [{ changed: values, invalidated: [] }];

test('methods get their arguments, and then the context', async () => {
  const { exportable } = exported();
  assert.is(exportable.description, Module.description);
  assert.is(await exportable.callMethod('TestMethod', ['vm', 2], callContext(':1.9')), 'vm 2 :1.9');
  assert.is(exportable.callMethod('constructor', [], callContext()), 'called');
  assert.match(thrown(() => exportable.callMethod('Fail', [], callContext())).message, 'failed');
  assert.instance(
    thrown(() => exportable.callMethod('toString', [], callContext())),
    UnknownMethodError,
  );
});

test('methods have the object of members as this', () => {
  const Counter = defineInterface('org.example.Counter', { methods: { Next: { out: 'u' } } });
  class Implementation {
    count = 0;
    Next(): number {
      return ++this.count;
    }
  }
  const implementation = new Implementation();
  const exportable = exportableOf(implement(Counter, implementation as Pick<Implementation, 'Next'>));
  exportable.callMethod('Next', [], callContext());
  assert.is(exportable.callMethod('Next', [], callContext()), 2);
  assert.is(implementation.count, 2);
});

test('signals are emitted by name', async () => {
  const { module, outlet } = exported();
  module.emit.TestSignal({ vm: 'up' });
  module.emit.Pair('a', 5);
  module.emit['then()']();
  assert.equal(await outlet.settled(), [
    { signal: 'TestSignal', values: [{ vm: 'up' }] },
    { signal: 'Pair', values: ['a', 5] },
    { signal: 'then', values: [] },
  ]);
});

test('a property that is given as a value is stored, read, assigned and announced', async () => {
  const { module, outlet, exportable } = exported();
  module.properties.TestProperty = { vm: 'up' };
  assert.equal(module.properties.TestProperty, { vm: 'up' });
  assert.equal(exportable.properties.get('TestProperty'), { vm: 'up' });
  assert.equal(await outlet.settled(), changed({ TestProperty: { vm: 'up' } }));
  exportable.properties.set('TestProperty', { vm: 'down' });
  assert.equal(module.properties.TestProperty, { vm: 'down' });
  assert.equal(await outlet.settled(), changed({ TestProperty: { vm: 'down' } }));
  module.properties.Version = '2.0';
  assert.is(exportable.properties.get('Version'), '2.0');
  assert.equal(await outlet.settled(), []);
});

test('a property behind asynchronous functions is announced when it is set, with its new value', async () => {
  const { module, outlet, exportable } = exported();
  assert.is(await exportable.properties.get('Level'), 1);
  const done = exportable.properties.set('Level', 7);
  assert.instance(done, Promise);
  await done;
  assert.equal(await outlet.settled(), changed({ Level: 7 }));
  assert.is(await module.properties.Level, 7);
  assert.match((await rejection(exportable.properties.set('Level', 500) as Promise<void>)).message, 'too much');
  assert.equal(await outlet.settled(), []);
});

test('a rejected assignment whose promise is not accessible is reported', async () => {
  const { module, outlet } = exported();
  const problems: Problem[] = [];
  const listener = (problem: unknown) => void problems.push(problem as Problem);
  subscribe('busbar:problem', listener);
  (module.properties as { Level: unknown }).Level = 500;
  assert.equal(await outlet.settled(), []);
  unsubscribe('busbar:problem', listener);
  assert.is(problems.length, 1);
  assert.match(problems[0]?.message ?? '', 'Level');
});

test('a slow getter does not overtake a later change with an older value', async () => {
  const Slow = defineInterface('org.example.Slow', { properties: { Value: { type: 'u', access: 'read' } } });
  const pending: ((value: number) => void)[] = [];
  const get = () => new Promise<number>((resolve) => pending.push(resolve));
  const slow = implement(Slow, { Value: { get } });
  const outlet = new RecordingOutlet();
  outlet.attachTo(slow);
  slow.emitPropertiesChanged(['Value']);
  await outlet.settled();
  slow.emitPropertiesChanged(['Value']);
  await outlet.settled();
  assert.is(pending.length, 2);
  pending[1]?.(2);
  assert.equal(await outlet.settled(), changed({ Value: 2 }));
  pending[0]?.(1);
  assert.equal(await outlet.settled(), []);
});

test('a write-only property gets the values that are set, and announces nothing', async () => {
  const { outlet, exportable, secrets } = exported();
  exportable.properties.set('Secret', 'password');
  assert.equal(secrets, ['password']);
  assert.equal(await outlet.settled(), []);
});

test('values that change by themselves are announced by emitPropertiesChanged', async () => {
  const { module, outlet } = exported();
  module.emitPropertiesChanged(['Level']);
  assert.equal(await outlet.settled(), changed({ Level: 1 }));
  module.emitPropertiesChanged({ Level: 3 });
  assert.equal(await outlet.settled(), changed({ Level: 3 }));
  assert.instance(
    thrown(() => module.emitPropertiesChanged(['Version'] as never)),
    InvalidArgumentError,
  );
});

test('a value of another type is refused, first or later', () => {
  const { module } = exported();
  const error = thrown(() => {
    (module.properties as { TestProperty: unknown }).TestProperty = { a: 5 };
  });
  assert.instance(error, InvalidArgumentError);
  assert.match(error.message, 'property TestProperty.a: expected');
  const One = defineInterface('org.example.One', { properties: { Value: { type: 'u' } } });
  assert.match(thrown(() => implement(One, { Value: 'one' as never })).message, 'property Value: expected');
});

test('a dictionary with get and set as keys is a value, not a pair of functions', () => {
  const One = defineInterface('org.example.One', { properties: { Value: { type: 'a{ss}' } } });
  assert.equal(implement(One, { Value: { get: 'a', set: 'b' } }).properties.Value, { get: 'a', set: 'b' });
});

test('bytes, typed arrays and maps of any realm are values, although they have functions get and set', () => {
  const given = {
    Bytes: Buffer.from('hi'),
    Numbers: new Int32Array([1, 2]) as unknown as number[],
    Names: runInNewContext('new Map([[1, "a"]])') as Map<number, string>,
  };
  const Typed = defineInterface('org.example.Typed', {
    properties: { Bytes: { type: 'ay' }, Numbers: { type: 'ai' }, Names: { type: 'a{us}' } },
  });
  const { properties } = implement(Typed, given);
  assert.is(properties.Bytes, given.Bytes);
  assert.is(properties.Numbers, given.Numbers);
  assert.is(properties.Names, given.Names);
  const Any = defineInterface('org.example.Any', { properties: { Value: { type: 'v' } } });
  assert.is(implement(Any, { Value: given.Bytes }).properties.Value, given.Bytes);
});

test('unknown names cannot be emitted, assigned, read or set', () => {
  const { module, exportable } = exported();
  assert.is((module.emit as Record<string, unknown>).Other, undefined);
  assert.is((module.emit as Record<string, unknown>).toString, undefined);
  assert.throws(() => {
    (module.properties as Record<string, unknown>).Other = 5;
  });
  assert.instance(
    thrown(() => exportable.properties.get('__proto__')),
    UnknownPropertyError,
  );
  assert.instance(
    thrown(() => exportable.properties.set('TestMethod', 1)),
    UnknownPropertyError,
  );
});

test('missing and unknown members, and members of the wrong kind, are refused', () => {
  const Small = defineInterface('org.example.Small', {
    methods: { Echo: {}, toString: { out: 's' } },
    properties: { Count: { type: 'u' }, Secret: { type: 's', access: 'write' } },
  });
  const good = { Echo() {}, toString: () => '', Count: 1, Secret: '' };
  implement(Small, good);
  const { Echo: _, ...withoutEcho } = good;
  const { toString: __, ...withoutToString } = good;
  const { Count: ___, ...withoutCount } = good;
  const refusals: [object, RegExp][] = [
    [withoutEcho, /has no method Echo: add a function$/],
    [withoutToString, /has no method toString: add a function$/],
    [withoutCount, /has no property Count: add its first value, or functions { get, set }$/],
    [{ ...good, Ecco() {} }, /no method or property Ecco; did you mean Echo/],
    [{ ...good, Echo: 5 }, /method Echo: expected a function, got 5$/],
    [{ ...good, Count: { get: () => 1 } }, /no function "set": add it, or define the property with access: 'read'$/],
    [{ ...good, Count: { set() {} } }, /no function "get": add it, or define the property with access: 'write'$/],
    [{ ...good, Count: undefined }, /has no property Count: add its first value/],
    [{ ...good, Secret: { get: () => '' } }, /no function "set"/],
    [5 as never, /^members: expected an object with the methods and properties of org.example.Small, got 5$/],
  ];
  for (const [members, message] of refusals) {
    const error = thrown(() => implement(Small, members as never));
    assert.instance(error, InvalidArgumentError);
    assert.match(error.message, message);
  }
});

test('a method and a property of one name require a class', () => {
  const Both = defineInterface('org.example.Both', { methods: { Name: {} }, properties: { Name: { type: 's' } } });
  assert.match(thrown(() => implement(Both, { Name: '' } as never)).message, 'use a class with decorators');
});

test.run();
