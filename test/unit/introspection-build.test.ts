/** Definitions of interfaces: the descriptions that they become, and the mistakes that are refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import {
  type InterfaceInput,
  interfaceDescription,
  methodDescription,
  propertyDescription,
  signalDescription,
} from '../../src/interface/build.js';

const DEPRECATED = 'org.freedesktop.DBus.Deprecated';
const NO_REPLY = 'org.freedesktop.DBus.Method.NoReply';
const EMITS = 'org.freedesktop.DBus.Property.EmitsChangedSignal';

const test = suite('interface definitions');

test('become descriptions', () => {
  const description = interfaceDescription('org.example.Module', {
    methods: { TestMethod: { in: ['kind:s', 'devices:a{sas}'], out: 'su' } },
    signals: { TestSignal: { args: ['a{ss}'] } },
    properties: { 'Free-Name': { type: 'a{ss}' } },
  });
  const none = new Map<string, string>();
  assert.equal(description, {
    name: 'org.example.Module',
    methods: new Map([
      [
        'TestMethod',
        {
          name: 'TestMethod',
          in: [
            { name: 'kind', signature: 's' },
            { name: 'devices', signature: 'a{sas}' },
          ],
          out: [
            { name: undefined, signature: 's' },
            { name: undefined, signature: 'u' },
          ],
          inSignature: 'sa{sas}',
          outSignature: 'su',
          annotations: none,
          deprecated: false,
          noReply: false,
        },
      ],
    ]),
    signals: new Map([
      [
        'TestSignal',
        {
          name: 'TestSignal',
          args: [{ name: undefined, signature: 'a{ss}' }],
          signature: 'a{ss}',
          annotations: none,
          deprecated: false,
        },
      ],
    ]),
    properties: new Map([
      [
        'Free-Name',
        {
          name: 'Free-Name',
          signature: 'a{ss}',
          access: 'readwrite',
          emits: true,
          annotations: none,
          deprecated: false,
        },
      ],
    ]),
    annotations: none,
  });
});

test('members may be given as pairs, and keep their order', () => {
  const description = interfaceDescription('a.b', {
    methods: new Map([
      ['B', {}],
      ['A', { in: 's' }],
    ]),
  });
  assert.equal([...description.methods.keys()], ['B', 'A']);
});

test('annotations may be given, and options override them', () => {
  const annotations = { [DEPRECATED]: 'true', [NO_REPLY]: 'true', 'org.example.Note': 'x' };
  const method = methodDescription('M', { annotations });
  assert.is(method.deprecated, true);
  assert.is(method.noReply, true);
  assert.equal(method.annotations, new Map([['org.example.Note', 'x']]));
  assert.is(methodDescription('M', { annotations, deprecated: false }).deprecated, false);
  assert.is(signalDescription('S', { annotations }).deprecated, true);
  assert.is(propertyDescription('P', { type: 's', annotations: { [EMITS]: 'invalidates' } }).emits, 'invalidates');
  assert.is(propertyDescription('P', { type: 's', annotations: { [EMITS]: 'const' }, emits: false }).emits, false);
  const inherited = interfaceDescription('a.b', {
    annotations: { [EMITS]: 'const' },
    properties: { P: { type: 's' }, Q: { type: 's', emits: true } },
  });
  assert.is(inherited.properties.get('P')?.emits, 'const');
  assert.is(inherited.properties.get('Q')?.emits, true);
});

test('unusable definitions are refused, with the place and the reason', () => {
  const refusals: readonly [string, object, string | RegExp][] = [
    ['single', {}, 'invalid interface name "single": it needs at least two elements separated by "."'],
    [
      'a.b',
      { methods: { '1st': {} } },
      'interface a.b: method "1st": invalid member name "1st": it begins with a digit',
    ],
    [
      'a.b',
      { methods: { M: { in: ['x:z'] } } },
      /^interface a\.b: method "M": "in": argument 0 .*"z" is not a type code/,
    ],
    ['a.b', { methods: { M: { out: ['x:ss'] } } }, /^interface a\.b: method "M": "out": .*one complete type/],
    ['a.b', { methods: { M: { in: '(s' } } }, /^interface a\.b: method "M": "in": invalid signature "\(s"/],
    ['a.b', { methods: { M: { in: Array(256).fill('y') } } }, /256 bytes/],
    ['a.b', { methods: { M: { out: 's', noReply: true } } }, /a method without reply cannot have "out" arguments/],
    [
      'a.b',
      { methods: { M: null } },
      /method "M": expected an object, as in \{ in: \['name:s'\], out: 's' \}, got null$/,
    ],
    ['a.b', { methods: { M: { in: ['a\0:s'] } } }, /argument name "a\\u0000" contains a character/],
    ['a.b', { signals: { 'S.S': {} } }, /^interface a\.b: signal "S\.S": invalid member name/],
    ['a.b', { signals: { S: { args: ['()'] } } }, /signal "S": "args": .*a struct must have a field/],
    [
      'a.b',
      { properties: { P: {} } },
      /property "P": "type" is missing: give the signature of its value, as in \{ type: 's' \}$/,
    ],
    ['a.b', { properties: { P: 's' } }, /property "P": expected an object, as in \{ type: 's' \}, got "s"$/],
    ['a.b', { properties: { P: { type: '' } } }, /must be one complete type, but is empty/],
    ['a.b', { properties: { P: { type: 'ss' } } }, /must be one complete type/],
    ['a.b', { properties: { P: { type: 's', access: 'rw' } } }, /access must be one of "read", "write", "readwrite"/],
    [
      'a.b',
      { properties: { P: { type: 's', emits: 'maybe' } } },
      /emits must be one of true, "invalidates", "const", false/,
    ],
    ['a.b', { properties: { '': { type: 's' } } }, /a property name cannot be empty/],
    [
      'a.b',
      { properties: { 'a\uFFFE': { type: 's' } } },
      /contains a character that introspection data cannot contain/,
    ],
    [
      'a.b',
      { annotations: { x: '\uD800' } },
      /annotation "x" .* contains a character that introspection data cannot contain/,
    ],
    ['a.b', { annotations: { x: 5 } }, /annotation "x" must be a string, not number/],
    ['a.b', { annotations: { [EMITS]: 'maybe' } }, /EmitsChangedSignal cannot be "maybe"/],
  ];
  for (const [name, input, reason] of refusals) {
    assert.throws(
      () => interfaceDescription(name, input as InterfaceInput),
      (error: Error) => {
        assert.instance(error, InvalidArgumentError);
        if (typeof reason === 'string') assert.is(error.message, reason);
        else assert.match(error.message, reason);
        return true;
      },
      JSON.stringify(input),
    );
  }
});

test('a name that occurs twice is refused, per kind of member', () => {
  const twice = [
    ['M', {}],
    ['M', { in: 's' }],
  ] as const;
  assert.throws(() => interfaceDescription('a.b', { methods: twice }), /method "M": is defined twice/);
  assert.throws(() => interfaceDescription('a.b', { signals: [twice[0], twice[0]] }), /signal "M": is defined twice/);
  const description = interfaceDescription('a.b', {
    methods: { M: {} },
    signals: { M: {} },
    properties: { M: { type: 's' } },
  });
  assert.ok(description.methods.has('M') && description.signals.has('M') && description.properties.has('M'));
});

test('members may have the names of inherited properties of objects', () => {
  const description = interfaceDescription('a.b', {
    methods: [
      ['constructor', {}],
      ['__proto__', { in: 's' }],
    ],
    properties: { toString: { type: 's' } },
  });
  assert.equal([...description.methods.keys()], ['constructor', '__proto__']);
  assert.equal([...description.properties.keys()], ['toString']);
});

test.run();
