// Interfaces written as data.
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import { defineInterface } from '../../src/interface/define-interface.js';
import { describe } from '../../src/service/class/describe.js';
import type { Emits } from '../../src/service/class/emits.js';
import { method } from '../../src/service/class/method.js';
import { property } from '../../src/service/class/property.js';
import { ServiceInterface } from '../../src/service/class/service-interface.js';
import { signal } from '../../src/service/class/signal.js';
import { thrown } from '../helpers/rejection.js';

const test = suite('defineInterface');

const Module = defineInterface('org.example.dbustest.Module', {
  methods: {
    TestMethod: { in: ['kind:s', 'devices:a{sas}'], out: ['result:s'] },
    Old: { deprecated: true, noReply: true, annotations: { 'org.example.Note': 'old' } },
  },
  signals: { TestSignal: { args: ['vms:a{ss}'] }, Nothing: {} },
  properties: {
    TestProperty: { type: 'a{ss}' },
    Version: { type: 's', access: 'read', emits: 'const' },
    'with-dash': { type: 'u', emits: 'invalidates' },
  },
});

class DecoratedModule extends ServiceInterface {
  constructor() {
    super('org.example.dbustest.Module');
  }
  @method({ in: ['kind:s', 'devices:a{sas}'], out: ['result:s'] })
  TestMethod(kind: string, _devices: Record<string, string[]>): string {
    return kind;
  }
  @method({ deprecated: true, noReply: true, annotations: { 'org.example.Note': 'old' } })
  Old(): void {}
  @signal({ args: ['vms:a{ss}'] })
  TestSignal(vms: Record<string, string>): Emits<Record<string, string>> {
    return vms;
  }
  @signal()
  Nothing(): Emits {}
  @property({ type: 'a{ss}' })
  accessor TestProperty: Record<string, string> = {};
  @property({ type: 's', access: 'read', emits: 'const' })
  accessor Version = '1';
  @property({ type: 'u', emits: 'invalidates', name: 'with-dash' })
  accessor dashed = 0;
}

test('a mistake in a definition is an error whose stack begins at the definition', () => {
  for (const members of [{ properties: { PI: 'ai' } }, { methods: { M: { in: ['x:zz'] } } }]) {
    const error = thrown(() => defineInterface('org.example.Wrong', members as never)) as Error;
    assert.is(error.cause, undefined);
    assert.match(String(error.stack).split('\n')[1] ?? '', 'define-interface.test');
    assert.is(inspect(error).split(error.message).length, 2);
  }
});

test('a definition has its name, its members as written, and their description', () => {
  assert.is(Module.name, 'org.example.dbustest.Module');
  assert.equal(Module.members.signals.TestSignal.args, ['vms:a{ss}']);
  assert.is(Module.description.methods.get('TestMethod')?.inSignature, 'sa{sas}');
  assert.is(Module.description.properties.get('TestProperty')?.access, 'readwrite');
  assert.is(describe(Module), Module.description);
  assert.is(describe(Module.description), Module.description);
});

test('a decorated class with the same members has an equal description', () => {
  assert.equal(describe(DecoratedModule), describe(Module));
});

test('an interface may be empty', () => {
  const { description } = defineInterface('org.example.Empty', {});
  assert.is(description.methods.size + description.signals.size + description.properties.size, 0);
});

test('members may have the names of properties of every object', () => {
  const names = ['constructor', 'toString', '__proto__', 'then'];
  const methods = Object.fromEntries(names.map((name) => [name, {}]));
  const { description } = defineInterface('org.example.Awkward', { methods });
  assert.equal([...description.methods.keys()].sort(), [...names].sort());
});

test('an invalid definition throws, with the place', () => {
  const refusals: [() => unknown, RegExp][] = [
    [() => defineInterface('nodots' as string, {}), /nodots/],
    [() => defineInterface('org.example.Bad', { methods: { Bad: { in: ['x:z'] as never } } }), /method "Bad".*z/],
    [() => defineInterface('org.example.Bad', { methods: { 'no-dash': {} as never } }), /no-dash/],
    [() => defineInterface('org.example.Bad', { signals: { Bad: { args: 'a' as never } } }), /signal "Bad"/],
    [() => defineInterface('org.example.Bad', { properties: { Bad: { type: 'ss' as never } } }), /property "Bad"/],
    [() => defineInterface('org.example.Bad', { properties: { Bad: {} as never } }), /property "Bad"/],
    [() => defineInterface('org.example.Bad', { methods: { Bad: 's' as never } }), /method "Bad"/],
  ];
  for (const [define, message] of refusals) {
    const error = thrown(define);
    assert.instance(error, InvalidArgumentError);
    assert.match(error.message, message);
  }
});

test.run();
