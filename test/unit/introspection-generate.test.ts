/** Generated introspection data: its form, what is left out, escaping, and reading it back. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type InterfaceInput, interfaceDescription } from '../../src/interface/build.js';
import type { InterfaceDescription, NodeDescription } from '../../src/interface/description.js';
import { standardInterfaces } from '../../src/interface/standard.js';
import { introspectionXml } from '../../src/interface/xml/generate.js';
import { parseIntrospection } from '../../src/interface/xml/parse.js';

const node = (
  interfaces: readonly InterfaceDescription[],
  children: Readonly<Record<string, NodeDescription>> = {},
): NodeDescription => ({
  path: undefined,
  interfaces: new Map(interfaces.map((description) => [description.name, description])),
  children: new Map(Object.entries(children)),
});
const leaf = node([]);

const test = suite('generated introspection data');

test('the document has the form that tools expect', () => {
  const description = interfaceDescription('org.example.dbustest.Module', {
    methods: {
      TestMethod: { in: ['kind:s', 'devices:a{sas}'], out: ['result:s'] },
      Old: { deprecated: true, noReply: true, annotations: { 'org.example.Note': 'a "b" <c> & d' } },
    },
    signals: { TestSignal: { args: ['vms:a{ss}'] }, Bare: { args: 'su' } },
    properties: {
      TestProperty: { type: 'a{ss}' },
      Read: { type: 's', access: 'read', emits: 'const' },
      Write: { type: 's', access: 'write', emits: false, deprecated: true },
      Stale: { type: 's', access: 'read', emits: 'invalidates' },
    },
  });
  const root = { ...node([description], { a: leaf, b: node([interfaceDescription('x.y')]) }), path: '/org/example' };
  assert.is(
    introspectionXml(root),
    `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<node name="/org/example">
  <interface name="org.example.dbustest.Module">
    <method name="TestMethod">
      <arg name="kind" type="s" direction="in"/>
      <arg name="devices" type="a{sas}" direction="in"/>
      <arg name="result" type="s" direction="out"/>
    </method>
    <method name="Old">
      <annotation name="org.freedesktop.DBus.Deprecated" value="true"/>
      <annotation name="org.freedesktop.DBus.Method.NoReply" value="true"/>
      <annotation name="org.example.Note" value="a &quot;b&quot; &lt;c&gt; &amp; d"/>
    </method>
    <signal name="TestSignal">
      <arg name="vms" type="a{ss}"/>
    </signal>
    <signal name="Bare">
      <arg type="s"/>
      <arg type="u"/>
    </signal>
    <property name="TestProperty" type="a{ss}" access="readwrite"/>
    <property name="Read" type="s" access="read">
      <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="const"/>
    </property>
    <property name="Write" type="s" access="write">
      <annotation name="org.freedesktop.DBus.Deprecated" value="true"/>
      <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="false"/>
    </property>
    <property name="Stale" type="s" access="read">
      <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="invalidates"/>
    </property>
  </interface>
  <node name="a"/>
  <node name="b">
    <interface name="x.y"/>
  </node>
</node>
`,
  );
});

test('the document of no interface is an empty node', () => {
  assert.ok(introspectionXml(leaf).endsWith('\n<node/>\n'));
});

test('a property has only the annotations that differ from its interface', () => {
  const annotations = { 'org.freedesktop.DBus.Property.EmitsChangedSignal': 'false' };
  const properties = { Inherits: { type: 's' }, Differs: { type: 's', emits: true } } as const;
  const root = node([interfaceDescription('a.b', { annotations, properties })]);
  const xml = introspectionXml(root);
  assert.match(xml, /<property name="Inherits" type="s" access="readwrite"\/>/);
  assert.match(xml, /<property name="Differs".*>\n *<annotation name=".*EmitsChangedSignal" value="true"\/>/);
  assert.equal(parseIntrospection(xml), root);
});

test('the standard interfaces read back the same', () => {
  const root = node(Object.values(standardInterfaces));
  assert.equal(parseIntrospection(introspectionXml(root)), root);
  assert.is(standardInterfaces.properties.methods.get('Set')?.inSignature, 'ssv');
  assert.is(standardInterfaces.properties.signals.get('PropertiesChanged')?.signature, 'sa{sv}as');
  assert.is(standardInterfaces.objectManager.methods.get('GetManagedObjects')?.outSignature, 'a{oa{sa{sv}}}');
  assert.is(standardInterfaces.objectManager.signals.get('InterfacesAdded')?.signature, 'oa{sa{sv}}');
  assert.is(standardInterfaces.objectManager.signals.get('InterfacesRemoved')?.signature, 'oas');
  assert.equal([...standardInterfaces.peer.methods.keys()], ['Ping', 'GetMachineId']);
  assert.equal([...standardInterfaces.introspectable.methods.keys()], ['Introspect']);
});

test('the document is always well-formed, whatever a description has', () => {
  const description = interfaceDescription('a.b', { properties: { P: { type: 's' } } });
  const property = { ...description.properties.get('P')!, name: 'bad\0\u{1F600}\uFFFF\uD800"' };
  const xml = introspectionXml(node([{ ...description, properties: new Map([['P', property]]) }]));
  const [name] = parseIntrospection(xml).interfaces.get('a.b')!.properties.keys();
  assert.is(name, 'bad\uFFFD\u{1F600}\uFFFD\uFFFD"');
});

test('every description reads back the same', () => {
  const member = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,6}$/);
  const interfaceName = fc.tuple(member, member).map((elements) => elements.join('.'));
  const signature = fc.constantFrom('y', 's', 'v', 'ay', 'a{sv}', '(sai)', 'a{oa{sa{sv}}}', 'h');
  const text = fc
    .oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.constantFrom('&', '<', '"', '\n', '\t', '\r', ']', '>') }),
    )
    // Text that XML cannot contain is refused when an interface is defined.
    .map((value) => value.replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, '_'));
  const args = fc
    .array(fc.tuple(fc.option(text, { nil: undefined }), signature), { maxLength: 3 })
    .map((list) => list.map(([name, type]) => (name ? `${name}:${type}` : type)));
  const annotations = fc.dictionary(text, text, { maxKeys: 2 });
  const flags = { deprecated: fc.boolean(), annotations };
  const method = fc.oneof(
    fc.record({ in: args, out: args, ...flags }, { requiredKeys: [] }),
    fc.record({ in: args, noReply: fc.boolean(), ...flags }, { requiredKeys: [] }),
  );
  const signal = fc.record({ args, ...flags }, { requiredKeys: [] });
  // A property that clients may set is not constant: that is refused, too.
  const property = fc
    .record(
      {
        type: signature,
        access: fc.constantFrom('read', 'write', 'readwrite'),
        emits: fc.constantFrom(true, 'invalidates', 'const', false),
        ...flags,
      },
      { requiredKeys: ['type'] },
    )
    .filter(({ access = 'readwrite', emits }) => emits !== 'const' || access !== 'readwrite');
  const input = fc.record(
    {
      methods: fc.dictionary(member, method, { maxKeys: 3 }),
      signals: fc.dictionary(member, signal, { maxKeys: 3 }),
      properties: fc.dictionary(
        text.filter((name) => name !== ''),
        property,
        { maxKeys: 3 },
      ),
      annotations,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(interfaceName, input), { maxLength: 3 }),
      fc.uniqueArray(member),
      (list, children) => {
        const interfaces = list.map(([name, members]) => interfaceDescription(name, members as InterfaceInput));
        const root = node(interfaces, Object.fromEntries(children.map((name) => [name, leaf])));
        const xml = introspectionXml(root);
        assert.equal(parseIntrospection(xml), root);
        assert.is(introspectionXml(parseIntrospection(xml)), xml);
      },
    ),
  );
});

test.run();
