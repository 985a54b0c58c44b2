// The differences of two descriptions of an interface.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Difference, defineInterface, interfaceDifferences, parseIntrospection } from '../../src/index.js';

const test = suite('differences of interfaces');

const Lamp = defineInterface('org.example.Lamp', {
  methods: { Dim: { in: ['level:u'], out: ['before:u'] }, Off: { noReply: true } },
  signals: { Dimmed: { args: ['level:u'] } },
  properties: { Level: { type: 'u' }, 'max-level': { type: 'u', access: 'read', emits: 'const' } },
});

function differencesOf(members: Parameters<typeof defineInterface>[1]): readonly Difference[] {
  return interfaceDifferences(Lamp.description, defineInterface('org.example.Lamp' as string, members).description);
}

const shown = (differences: readonly Difference[]) =>
  differences.map(({ of, name, kind, expected, found }) => [of, name, kind, expected, found].join(' ').trim());

test('a description has no differences from itself, its XML, and other names of arguments', () => {
  assert.equal(interfaceDifferences(Lamp.description, Lamp.description), []);
  const { members } = Lamp;
  const renamed = { ...members, methods: { ...members.methods, Dim: { in: 'u', out: 'u', docs: 'Dims.' } } };
  assert.equal(differencesOf(renamed), []);
});

test('an interface that does not exist is one difference', () => {
  const [only, ...others] = interfaceDifferences(Lamp.description, undefined);
  assert.equal(others, []);
  assert.equal(only, {
    interface: 'org.example.Lamp',
    of: 'interface',
    name: 'org.example.Lamp',
    kind: 'missing',
    expected: undefined,
    found: undefined,
    isFailure: true,
    message: 'interface org.example.Lamp does not exist',
  });
});

test('each kind of difference is found, with both values', () => {
  const found = differencesOf({
    methods: { Dim: { in: ['level:i'], out: 'us', deprecated: true }, Off: {}, Blink: {} },
    signals: { Dimmed: { args: 'us', deprecated: true } },
    properties: { Level: { type: 'y', access: 'read', emits: false }, 'max-level': { type: 'u', access: 'read' } },
  });
  assert.equal(shown(found), [
    'method Dim in u i',
    'method Dim out u us',
    'method Dim deprecated false true',
    'method Off noReply true false',
    'method Blink extra',
    'signal Dimmed args u us',
    'signal Dimmed deprecated false true',
    'property Level type u y',
    'property Level access readwrite read',
    'property Level emits true false',
    'property max-level emits const true',
  ]);
  assert.equal(
    found.filter(({ isFailure }) => !isFailure).map(({ name }) => name),
    ['Blink'],
  );
  assert.is(found[0]?.message, 'method org.example.Lamp.Dim has in "i": expected "u"');
});

test('missing members are failures', () => {
  assert.equal(shown(differencesOf({})), [
    'method Dim missing',
    'method Off missing',
    'signal Dimmed missing',
    'property Level missing',
    'property max-level missing',
  ]);
});

test('overloads are compared by their arguments, in any order', () => {
  const overloaded = (...types: string[]) => {
    const methods = types.map((type) => `<method name="Add"><arg type="${type}" direction="in"/></method>`);
    const xml = `<node><interface name="org.example.Sum">${methods.join('')}</interface></node>`;
    return parseIntrospection(xml).interfaces.get('org.example.Sum') as typeof Lamp.description;
  };
  assert.equal(interfaceDifferences(overloaded('i', 's'), overloaded('s', 'i')), []);
  assert.equal(interfaceDifferences(overloaded('s'), overloaded('i', 's')), []);
  assert.equal(shown(interfaceDifferences(overloaded('i', 's'), overloaded('i'))), ['method Add(s) missing']);
  assert.equal(shown(interfaceDifferences(overloaded('s'), overloaded('i'))), ['method Add in s i']);
});

test('what is no description is refused', () => {
  assert.throws(
    () => interfaceDifferences({} as never, undefined),
    /expected: expected the description of an interface/,
  );
  assert.throws(() => interfaceDifferences(Lamp.description, Lamp as never), /found: expected the description/);
});

test.run();
