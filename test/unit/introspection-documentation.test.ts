// Documentation beside annotations: elements and comments, in the styles that services use.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type InterfaceDescription, parseIntrospection } from '../../src/index.js';

const test = suite('documentation in introspection data');

function parsed(content: string): InterfaceDescription {
  const { interfaces } = parseIntrospection(`<node>${content}</node>`, { documentation: true });
  return interfaces.values().next().value as InterfaceDescription;
}

const method = (xml: string) => parsed(`<interface name="a.b">${xml}</interface>`).methods.get('M');

test('<doc:doc> documents interfaces, members and arguments', () => {
  const { docs, methods, properties } = parsed(`
    <interface name="a.b">
      <doc:doc><doc:description><doc:para>Of the
        interface, <doc:tt>in</doc:tt> short.</doc:para><doc:para>More.</doc:para></doc:description></doc:doc>
      <method name="M">
        <arg name="x" type="s" direction="in"><doc:doc><doc:summary> The x. </doc:summary></doc:doc></arg>
        <doc:doc><doc:description>Does it.</doc:description>
          <doc:errors><doc:error name="a.Error">if not</doc:error></doc:errors></doc:doc>
      </method>
      <property name="P" type="s" access="read"><doc:doc><doc:para>A value.</doc:para></doc:doc></property>
    </interface>`);
  assert.is(docs, 'Of the interface, in short.\n\nMore.');
  assert.is(methods.get('M')?.docs, 'Does it.\n- a.Error: if not');
  assert.is(methods.get('M')?.in[0]?.docs, 'The x.');
  assert.is(properties.get('P')?.docs, 'A value.');
});

test('lists have an item a line, and code keeps its lines', () => {
  const docs = method(`<method name="M"><doc:doc><doc:para>One of:</doc:para><doc:list>
    <doc:item><doc:term>a</doc:term><doc:definition>the first</doc:definition></doc:item>
    <doc:item><doc:term>b</doc:term><doc:definition>the second</doc:definition></doc:item></doc:list>
    <doc:example><doc:code>
one
  two
</doc:code></doc:example></doc:doc></method>`)?.docs;
  assert.is(docs, 'One of:\n- a: the first\n- b: the second\n\none\n  two');
});

test('<tp:docstring> documents what it is in, and not what is around an element of its own', () => {
  const { docs, methods } = parsed(`
    <interface name="a.b">
      <tp:enum name="E"><tp:docstring>Not of the interface.</tp:docstring></tp:enum>
      <tp:docstring xmlns="http://www.w3.org/1999/xhtml"><p>A <strong>player</strong>.</p>
        <ul><li>one</li><li>two</li></ul></tp:docstring>
      <method name="M"><tp:docstring>Plays.<tp:rationale>So that it plays.</tp:rationale></tp:docstring></method>
    </interface>`);
  assert.is(docs, 'A player.\n- one\n- two');
  assert.is(methods.get('M')?.docs, 'Plays.\n\nSo that it plays.');
});

test('a comment that begins with the name of the element documents it and its arguments', () => {
  const found = method(`
    <!--
      M:
      @x: Object path for the session,
        on two lines
      @y: there is currently
      no y
      @z: the last

      Does it.

        indented
    -->
    <method name="M">
      <arg name="x" type="s" direction="in"/><arg name="y" type="s" direction="in"/>
      <arg name="z" type="s" direction="out"/>
    </method>`);
  assert.is(found?.docs, 'Does it.\n\n  indented');
  assert.equal(
    found?.in.map(({ docs }) => docs),
    ['Object path for the session, on two lines', 'there is currently no y'],
  );
  assert.is(found?.out[0]?.docs, 'the last');
});

test('a sentence after the arguments is about the member, and the first line may have its text', () => {
  const found = method(
    '<!--\n M:\n @x: The x.\n Get the list.\n --><method name="M"><arg name="x" type="s"/></method>',
  );
  assert.is(found?.in[0]?.docs, 'The x.');
  assert.is(found?.docs, 'Get the list.');
  assert.is(method('<!-- M: Short. --><method name="M"/>')?.docs, 'Short.');
});

test('an interface has its short description first', () => {
  const { docs } = parsed('<!--\n a.b\n @short_description: A thing\n\n It does.\n--><interface name="a.b"/>');
  assert.is(docs, 'A thing\n\nIt does.');
});

test('a comment of another name, or before another element, documents nothing', () => {
  assert.is(method('<!-- Other: text --><method name="M"/>')?.docs, undefined);
  assert.is(method('<!-- a comment --><method name="M"/>')?.docs, undefined);
  assert.is(method('<!-- M: text --><signal name="S"/><method name="M"/>')?.docs, undefined);
  assert.is(method('<signal name="S"><!-- M: text --></signal><method name="M"/>')?.docs, undefined);
});

test('an annotation counts before everything else', () => {
  const annotated = '<annotation name="org.gtk.GDBus.DocString" value="annotated"/>';
  assert.is(method(`<!-- M: comment --><method name="M">${annotated}<doc:doc>x</doc:doc></method>`)?.docs, 'annotated');
});

test('without the option there is no documentation, and descriptions are the same otherwise', () => {
  const xml = '<node><!-- a.b: c --><interface name="a.b"><doc:doc>text</doc:doc><method name="M"/></interface></node>';
  const without = parseIntrospection(xml).interfaces.get('a.b');
  assert.is(without?.docs, undefined);
  assert.equal(
    { ...parseIntrospection(xml, { documentation: true }).interfaces.get('a.b'), docs: undefined },
    {
      ...without,
      docs: undefined,
    },
  );
  assert.throws(() => parseIntrospection(xml, { documentation: 'yes' as never }), /documentation: expected a boolean/);
});

test.run();
