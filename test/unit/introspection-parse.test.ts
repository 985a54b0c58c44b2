/** Parsing of introspection data: real files, the notes of the specification, odd members, and hostile documents. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import type { Problem } from '../../src/diagnostics/problems.js';
import type { InterfaceDescription, NodeDescription } from '../../src/interface/description.js';
import { introspectionXml } from '../../src/interface/xml/generate.js';
import { type ParseIntrospectionOptions, parseIntrospection } from '../../src/interface/xml/parse.js';
import { sharedPath } from '../helpers/paths.js';

/** Parses, and returns the description and the problems that were reported meanwhile. */
function parse(
  xml: string,
  options?: ParseIntrospectionOptions,
): { node: NodeDescription; reports: readonly string[] } {
  const reports: string[] = [];
  const listen = (problem: unknown) => {
    const { kind, message } = problem as Problem;
    assert.is(kind, 'introspection');
    reports.push(message);
  };
  subscribe('busbar:problem', listen);
  try {
    return { node: parseIntrospection(xml, options), reports };
  } finally {
    unsubscribe('busbar:problem', listen);
  }
}

/** The one interface of a node with the given elements. */
function parseMembers(members: string): { description: InterfaceDescription; reports: readonly string[] } {
  const { node, reports } = parse(`<node><interface name="a.b">${members}</interface></node>`);
  return { description: node.interfaces.get('a.b') as InterfaceDescription, reports };
}

const refuses = (xml: string, reason: RegExp, options?: ParseIntrospectionOptions) =>
  assert.throws(
    () => parseIntrospection(xml, options),
    (error: Error) => error instanceof InvalidArgumentError && reason.test(error.message),
  );

/**
 * The number of unusable members in the files of other projects: names of one element, an invalid type, a child with
 * dashes.
 */
const leftOut: Readonly<Record<string, number>> = {
  'glib_gio_tests_test-codegen.xml': 7,
  'zbus_zbus_xml_tests_data_invalid_arg_type.xml': 1,
  'zbus_zbus_xml_tests_data_sample_object0.xml': 1,
};

const test = suite('introspection data');

for (const folder of ['introspection-debian', 'introspection-peers', 'dbus-fast', 'python-dbus-next']) {
  test(`the files in ${folder} can be read, and are the same when written again`, () => {
    const directory = sharedPath(`data/${folder}`);
    if (directory === undefined) {
      console.log(`skipped: no ../shared/data/${folder}`);
      return;
    }
    const files = readdirSync(directory).filter((file) => file.endsWith('.xml'));
    assert.ok(files.length > 0);
    for (const file of files) {
      const { node, reports } = parse(readFileSync(join(directory, file), 'utf8'));
      assert.is(reports.length, leftOut[file] ?? 0, file);
      assert.ok(node.interfaces.size > 0, file);
      assert.equal(parse(introspectionXml(node)), { node, reports: [] }, file);
    }
  });
}

test('the example of the specification is described completely', () => {
  const { node, reports } = parse(`<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
     "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
    <node name="/com/example/sample_object0">
      <interface name="com.example.SampleInterface0">
        <method name="Frobate">
          <arg name="foo" type="i" direction="in"/>
          <arg name="bar" type="as" direction="out"/>
          <arg name="baz" type="a{us}" direction="out"/>
          <annotation name="org.freedesktop.DBus.Deprecated" value="true"/>
        </method>
        <method name="Mogrify"><arg type="(iiav)"/></method>
        <signal name="Changed"><arg name="new_value" type="b"/></signal>
        <property name="Bar" type="y" access="readwrite"/>
      </interface>
      <node name="child_of_sample_object"/>
      <node name="another_child_of_sample_object"/>
    </node>`);
  const none = new Map<string, string>();
  const leaf = { path: undefined, interfaces: new Map(), children: new Map() };
  assert.equal(reports, []);
  assert.equal(node, {
    path: '/com/example/sample_object0',
    interfaces: new Map([
      [
        'com.example.SampleInterface0',
        {
          name: 'com.example.SampleInterface0',
          methods: new Map([
            [
              'Frobate',
              {
                name: 'Frobate',
                in: [{ name: 'foo', signature: 'i' }],
                out: [
                  { name: 'bar', signature: 'as' },
                  { name: 'baz', signature: 'a{us}' },
                ],
                inSignature: 'i',
                outSignature: 'asa{us}',
                annotations: none,
                deprecated: true,
                noReply: false,
              },
            ],
            [
              'Mogrify',
              {
                name: 'Mogrify',
                in: [{ name: undefined, signature: '(iiav)' }],
                out: [],
                inSignature: '(iiav)',
                outSignature: '',
                annotations: none,
                deprecated: false,
                noReply: false,
              },
            ],
          ]),
          signals: new Map([
            [
              'Changed',
              {
                name: 'Changed',
                args: [{ name: 'new_value', signature: 'b' }],
                signature: 'b',
                annotations: none,
                deprecated: false,
              },
            ],
          ]),
          properties: new Map([
            [
              'Bar',
              { name: 'Bar', signature: 'y', access: 'readwrite', emits: true, annotations: none, deprecated: false },
            ],
          ]),
          annotations: none,
        },
      ],
    ]),
    children: new Map([
      ['child_of_sample_object', leaf],
      ['another_child_of_sample_object', leaf],
    ]),
  });
});

test('an empty node is an object with children', () => {
  assert.equal(parse('<node/>').node, { path: undefined, interfaces: new Map(), children: new Map() });
  const { node } = parse('<node><node name="a"/><node name="b/c"/><node name="_1"/></node>');
  assert.equal([...node.children.keys()], ['a', 'b/c', '_1']);
});

test('children are described in place, and a child that is listed twice once', () => {
  const { node, reports } = parse(
    `<node>
      <node name="a"/>
      <node name="a"><interface name="x.y"/><node name="b"><interface name="x.z"/></node></node>
      <node name="a"><interface name="x.q"/></node>
    </node>`,
  );
  assert.equal([...(node.children.get('a')?.interfaces.keys() ?? [])], ['x.y']);
  assert.ok(node.children.get('a')?.children.get('b')?.interfaces.has('x.z'));
  assert.is(reports.length, 1);
});

test('names of properties and arguments that are not member names are kept', () => {
  const { description, reports } = parseMembers(`
    <method name="M"><arg name="0-foo-bar" type="i"/><arg name="" type="s"/><arg name="zwei Wörter" type="s"/></method>
    <property name="0-baz-qux" type="y" access="write"/>
    <property name="a.b &amp; &quot;c&quot;" type="s" access="read"/>
    <property name="__proto__" type="s" access="read"/>`);
  assert.equal(reports, []);
  assert.equal(
    description.methods.get('M')?.in.map(({ name }) => name),
    ['0-foo-bar', undefined, 'zwei Wörter'],
  );
  assert.equal([...description.properties.keys()], ['0-baz-qux', 'a.b & "c"', '__proto__']);
});

test('annotations are kept, and EmitsChangedSignal is inherited from the interface', () => {
  const emits = (value: string) =>
    `<annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="${value}"/>`;
  const { description, reports } = parseMembers(`
    <annotation name="org.example.Note" value="of the interface"/>
    <property name="Inherits" type="s" access="read"/>
    <property name="True" type="s" access="read">${emits('true')}</property>
    <property name="Const" type="s" access="read">${emits('const')}</property>
    <property name="False" type="s" access="read">${emits('false')}</property>
    <property name="Odd" type="s" access="read">${emits('perhaps')}<annotation name="x" value="1"/></property>
    ${emits('invalidates')}
    <method name="M">
      <arg name="a" type="s"><annotation name="org.gtk.GDBus.C.ForceGVariant" value="true"/></arg>
      <annotation name="org.freedesktop.DBus.Method.NoReply" value="true"/>
      <annotation name="org.freedesktop.DBus.GLib.CSymbol" value="m"/>
      <annotation name="org.example.Unknown" value=""/>
    </method>`);
  const emitted = [...description.properties.values()].map(({ name, emits }) => [name, emits]);
  assert.equal(Object.fromEntries(emitted), {
    Inherits: 'invalidates',
    True: true,
    Const: 'const',
    False: false,
    Odd: 'invalidates',
  });
  assert.equal(reports.length, 1);
  assert.match(reports[0] as string, /EmitsChangedSignal cannot be "perhaps"/);
  assert.equal(description.properties.get('Odd')?.annotations, new Map([['x', '1']]));
  assert.is(description.annotations.get('org.example.Note'), 'of the interface');
  const method = description.methods.get('M');
  assert.is(method?.noReply, true);
  assert.equal(
    method?.annotations,
    new Map([
      ['org.freedesktop.DBus.GLib.CSymbol', 'm'],
      ['org.example.Unknown', ''],
    ]),
  );
  assert.equal(method?.in[0]?.annotations, new Map([['org.gtk.GDBus.C.ForceGVariant', 'true']]));
});

test('a method that is described twice with different arguments is kept by name and signature', () => {
  const { description, reports } = parseMembers(`
    <method name="Get"><arg type="s"/></method>
    <method name="Get"><arg type="s"/><arg type="u"/></method>
    <method name="Get"/>
    <method name="Get"><arg type="s" direction="in"/><arg type="i" direction="out"/></method>
    <method name="Get"><arg type="su"/></method>`);
  assert.equal([...description.methods.keys()], ['Get', 'Get(su)', 'Get()']);
  assert.ok([...description.methods.values()].every(({ name }) => name === 'Get'));
  assert.is(reports.length, 2);
  assert.match(reports[0] as string, /it is described twice/);
  assert.match(reports[1] as string, /must be one complete type/);
});

test('an odd member affects only itself, and is reported with place and reason', () => {
  const odd: readonly [string, RegExp][] = [
    ['<method name="1st"/>', /<method name="1st"> cannot be used: invalid member name "1st": it begins with a digit/],
    ['<method name="a.b"/>', /invalid member name "a\.b"/],
    ['<method/>', /<method> cannot be used: <method> has no name/],
    ['<method name="M"><arg name="x"/></method>', /<arg> has no type/],
    ['<method name="M"><arg type="z"/></method>', /invalid signature "z"/],
    ['<method name="M"><arg type=""/></method>', /must be one complete type, but is empty/],
    ['<method name="M"><arg type="s" direction="inout"/></method>', /in or out, not "inout"/],
    [`<method name="M">${`<arg type="${'i'.repeat(1)}"/>`.repeat(256)}</method>`, /256 bytes/],
    ['<signal name="S-S"/>', /<signal name="S-S"> cannot be used/],
    ['<signal name="S"><arg type="()"/></signal>', /a struct must have a field/],
    ['<property name="" type="s" access="read"/>', /its name is empty/],
    ['<property name="P" access="read"/>', /<property> has no type/],
    ['<property name="P" type="ss" access="read"/>', /must be one complete type/],
    ['<property name="P" type="s"/>', /<property> has no access/],
    ['<property name="P" type="s" access="rw"/>', /read, write or readwrite, not "rw"/],
    ['<annotation name="A"/>', /<annotation> has no value/],
    ['<annotation value="A"/>', /<annotation> has no name/],
    ['<annotation name="Z" value="1"/><annotation name="Z" value="2"/>', /it is given twice/],
    ['<signal name="Good"/>', /it is described twice/],
    ['<property name="Good" type="s" access="read"/>', /it is described twice/],
  ];
  for (const [member, reason] of odd) {
    const { description, reports } = parseMembers(
      `<method name="Good"/><signal name="Good"/><property name="Good" type="i" access="read"/>\n${member}`,
    );
    assert.is(reports.length, 1, member);
    assert.match(reports[0] as string, /^introspection data, line 2: /);
    assert.match(reports[0] as string, reason);
    const { methods, signals, properties } = description;
    for (const members of [methods, signals, properties]) assert.equal([...members.keys()], ['Good'], member);
  }
});

test('an odd interface, child or root name affects only itself', () => {
  const { node, reports } = parse(
    `<node name="relative">
      <interface name="single"/><interface/><interface name="a.b"/><interface name="a.b"/>
      <node/><node name=""/><node name="/absolute"/><node name="with-dash"/><node name="good"/>
    </node>`,
    { origin: 'org.example /' },
  );
  assert.is(node.path, undefined);
  assert.equal([...node.interfaces.keys()], ['a.b']);
  assert.equal([...node.children.keys()], ['good']);
  assert.is(reports.length, 8);
  for (const report of reports) assert.match(report, /^introspection data of org\.example \/, line \d: /);
});

test('everything that the specification does not know is accepted', () => {
  const { node, reports } = parse(`\uFEFF
    <?xml version="1.0" encoding="UTF-8"?>
    <!DOCTYPE node [<!ENTITY own "org.example">]>
    <?xml-stylesheet href="x"?>
    <!-- <node> -->
    <node xmlns:doc="http://www.freedesktop.org/dbus/1.0/doc.dtd" unexpected="boo">
      text <![CDATA[<method name="x"/>]]> &own; &nbsp; &#65;
      <doc:doc><doc:para name="&own;">Text &own; <interface name="in.documentation"/></doc:para></doc:doc>
      <method name="Misplaced"/>
      <unknown><interface name="in.unknown"><method name="M"/></interface></unknown>
      <interface name="a.b" unexpected="boo">
        <doc:doc><method name="InDocumentation"/></doc:doc>
        <method name="M" tp:name-for-bindings="m">
          <arg type="s" doc:x="y" tp:type="Foo"><doc:summary>of the argument</doc:summary></arg><unknown/>
        </method>
      </interface>
    </node>`);
  assert.equal(reports, []);
  assert.equal([...node.interfaces.keys()], ['a.b']);
  assert.equal([...(node.interfaces.get('a.b')?.methods.keys() ?? [])], ['M']);
  assert.is(node.interfaces.get('a.b')?.methods.get('M')?.inSignature, 's');
});

test('a text that is not introspection data is refused with the reason', () => {
  refuses('', /is empty/);
  refuses(' \n', /is empty/);
  refuses('hello', /not well-formed XML: 1:5: text data outside of root node/);
  refuses('<interface name="a.b"/>', /root of introspection data is <node>, not <interface>/);
  refuses('<html><node/></html>', /not <html>/);
  refuses('<node><interface name="a.b"></node>', /not well-formed XML: 1:35: unexpected close tag/);
  refuses('<node>\n<interface name="a.b"', /not well-formed XML: 2:/);
  refuses('<node', /not well-formed XML/);
  refuses('<node/><node/>', /only one root/);
  refuses('<node name="/a" name="/b"/>', /duplicate attribute/);
  refuses('<node name="/a\0"/>', /disallowed character/);
  refuses('<node name=/a/>', /unquoted attribute/);
  refuses(undefined as unknown as string, /must be a string, not undefined/);
});

test('entities are not expanded', () => {
  const declarations = ['<!ENTITY l0 "lol">'];
  for (let level = 1; level < 20; level++) {
    declarations.push(`<!ENTITY l${level} "${`&l${level - 1};`.repeat(10)}">`);
  }
  const bomb = (body: string) => `<?xml version="1.0"?><!DOCTYPE node [${declarations.join('')}]>${body}`;
  refuses(bomb('<node><interface name="a.b&l19;"/></node>'), /undefined entity.*Entities are not expanded/);
  refuses(bomb('<node><interface name="&l19;"/></node>'), /undefined entity/);
  assert.is(parse(bomb('<node>&l19;<doc:doc x="&l19;">&l19;</doc:doc></node>')).node.interfaces.size, 0);
  refuses('<!DOCTYPE node [<!ENTITY x SYSTEM "file:///etc/passwd">]><node name="&x;"/>', /undefined entity/);
  refuses('<node name="/&constructor;"/>', /undefined entity/);
  refuses('<node name="/&__proto__;"/>', /undefined entity/);
  assert.is(parse('<node name="/&#97;&#x62;"/>').node.path, '/ab');
});

test('size and depth are limited', () => {
  const started = process.hrtime.bigint();
  const large = `<node>${'<doc:para name="a.b"/> '.repeat(500_000)}</node>`;
  refuses(large, /introspection data of 11500013 characters is beyond the limit of 4194304/);
  const nested = (element: string, depth: number) => `<${element}>`.repeat(depth) + `</${element}>`.repeat(depth);
  refuses(nested('node', 10_000), /nested deeper than 128 elements/);
  refuses(`<node>${nested('doc:para', 10_000)}</node>`, /nested deeper than 128 elements/);
  refuses('<node>'.repeat(600_000), /nested deeper than 128 elements/);
  assert.ok(Number(process.hrtime.bigint() - started) < 2e9, 'refusing is quick');

  const deepest = `${'<node name="a">'.repeat(128)}${'</node>'.repeat(128)}`.replace(' name="a"', '');
  let depth = 0;
  for (let node: NodeDescription | undefined = parse(deepest).node; node; node = node.children.get('a')) depth++;
  assert.is(depth, 128);
  refuses('<node><interface name="a.b"/></node>', /deeper than 1 elements/, { maximumDepth: 1 });
  refuses('<node/>', /7 characters is beyond the limit of 6/, { maximumLength: 6 });
  assert.is(parse(large, { maximumLength: 2 ** 24 }).node.interfaces.size, 0);
});

test('unusable elements are limited', () => {
  const odd = (count: number) => `<node>${'<interface/>'.repeat(count)}<interface name="a.b"/></node>`;
  const { node, reports } = parse(odd(1000));
  assert.is(reports.length, 1000);
  assert.is(node.interfaces.size, 1);
  refuses(odd(1001), /introspection data has more than 1000 elements that cannot be used/);
  refuses(
    `<node><node name="a"><interface name="a.b">${'<method/>'.repeat(1001)}</interface></node></node>`,
    /more than 1000/,
  );
});

test('annotations of one element are limited', () => {
  const annotated = (count: number) => {
    const annotations = Array.from({ length: count }, (_, i) => `<annotation name="a.b${i}" value=""/>`).join('');
    return `<node><interface name="a.b">${annotations}</interface><interface name="a.c"/></node>`;
  };
  assert.equal([...parse(annotated(1000)).node.interfaces.keys()], ['a.b', 'a.c']);
  const { node, reports } = parse(annotated(1001));
  assert.equal([...node.interfaces.keys()], ['a.c']);
  assert.match(String(reports[0]), /more than 1000 annotations/);
});

test('foreign entities are limited', () => {
  const documented = (count: number) =>
    `<node><doc:doc>${'&ensp;'.repeat(count)}</doc:doc><interface name="a.b"/></node>`;
  assert.is(parse(documented(1000)).node.interfaces.size, 1);
  refuses(documented(1001), /introspection data has more than 1000 undefined entities/);
});

test('a node with thousands of children is read', () => {
  const names = Array.from({ length: 50_000 }, (_, index) => `unit_${index}_2eservice`);
  const { node } = parse(`<node>${names.map((name) => `<node name="${name}"/>`).join('\n')}</node>`);
  assert.equal([...node.children.keys()], names);
});

test('damaged data is read or refused, without another effect', () => {
  const file = sharedPath('data/introspection-peers/glib_gio_tests_test-codegen.xml');
  if (file === undefined) {
    console.log('skipped: no ../shared/data/introspection-peers');
    return;
  }
  const xml = readFileSync(file, 'utf8').slice(0, 6000);
  const piece = fc.oneof(
    fc.constantFrom('<', '>', '"', '&', ';', '/', '<node>', '</node>', '<!--', ']]>', '<![CDATA[', '&amp;', '\0', '<?'),
    fc.string({ unit: 'binary', maxLength: 5 }),
  );
  const damage = fc.array(fc.tuple(fc.nat(xml.length), fc.nat(20), piece), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(damage, fc.boolean(), (places, isClosed) => {
      let damaged = isClosed ? `${xml.slice(0, xml.lastIndexOf('<property'))}</interface></node>` : xml;
      for (const [at, length, inserted] of places)
        damaged = damaged.slice(0, at) + inserted + damaged.slice(at + length);
      try {
        const node = parseIntrospection(damaged);
        assert.equal(parse(introspectionXml(node)), { node, reports: [] });
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
      }
    }),
    { numRuns: 300 },
  );
});

test('several types in one argument of a signal or result are several arguments, as in Tracker 3', () => {
  const { description, reports } = parseMembers(`
    <signal name="GraphUpdated"><arg type="sa{ii}" name="updates"/><arg type="u"/></signal>
    <method name="Query">
      <arg type="s" direction="in"/><arg type="a(s)uv" direction="out" name="rows"/><arg type="b" direction="out"/>
    </method>
    <method name="Refused"><arg type="ss" direction="in"/></method>
    <method name="Empty"><arg type="" direction="out"/></method>
    <signal name="Empty"><arg type=""/></signal>
    <property name="Two" type="ss" access="read"/>`);
  const updated = description.signals.get('GraphUpdated');
  assert.is(updated?.signature, 'sa{ii}u');
  assert.equal(
    updated?.args.map((arg) => [arg.name, arg.signature]),
    [
      ['updates', 's'],
      ['updates', 'a{ii}'],
      [undefined, 'u'],
    ],
  );
  const query = description.methods.get('Query');
  assert.is(query?.outSignature, 'a(s)uvb');
  assert.equal(
    query?.out.map((arg) => arg.name),
    ['rows', 'rows', 'rows', undefined],
  );
  assert.equal([[...description.methods.keys()], [...description.signals.keys()]], [['Query'], ['GraphUpdated']]);
  assert.is(description.properties.size, 0);
  assert.is(reports.length, 4);
});

test.run();
