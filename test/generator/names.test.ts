// Names in generated files: of files, of what they export, and of arguments.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generateFiles } from '../../src/generator/generate.js';
import { exportedName, fileNames } from '../../src/generator/names.js';
import { defineInterface, type InterfaceDescription, type ProxyOf, parseIntrospection } from '../../src/index.js';

const test = suite('names in generated files');

test('what a file exports is named after the interface without its first two elements', () => {
  assert.is(exportedName('org.freedesktop.UPower.Device'), 'UPowerDevice');
  assert.is(exportedName('org.bluez.Adapter1'), 'Adapter1');
  assert.is(exportedName('org.freedesktop.systemd1.Manager'), 'Systemd1Manager');
  assert.is(exportedName('com.example'), 'Example');
  assert.is(exportedName('org.example.with_words._1'), 'WithWords1');
  assert.is(exportedName('org.example._1st'), '_1st');
  assert.is(exportedName('org.example.Map'), 'MapInterface');
});

test('names of files that differ only in case get a number, whatever the order', () => {
  assert.equal(fileNames(['org.a.Lamp', 'org.a.lamp', 'org.a.LAMP']), [
    'org.a.Lamp2.ts',
    'org.a.lamp3.ts',
    'org.a.LAMP.ts',
  ]);
  assert.equal(fileNames(['org.a.LAMP', 'org.a.lamp', 'org.a.Lamp']), [
    'org.a.LAMP.ts',
    'org.a.lamp3.ts',
    'org.a.Lamp2.ts',
  ]);
});

const OVERLOADED = `<node><interface name="org.example.Sum">
  <method name="Add"><arg type="i" direction="in"/></method>
  <method name="Add"><arg type="s" direction="in"/></method>
  <method name="Other"/>
</interface></node>`;

test('overloads have definitions of their own, and a class has the first of them', () => {
  const description = parseIntrospection(OVERLOADED).interfaces.get('org.example.Sum') as InterfaceDescription;
  const [client, aClass] = (['client', 'class'] as const).map((form) => generateFiles([description], form)[0]?.text);
  assert.match(
    client as string,
    /export const Sum = [\s\S]*Add: \{ in: \['i'\] \}[\s\S]*export const Sum2 = [\s\S]*Add: \{ in: \['s'\] \}/,
  );
  assert.match(aClass as string, /in: \['i'\]/);
  assert.not.match(aClass as string, /in: \['s'\]/);
  assert.match(aClass as string, /A service has one method of a name\. Sum leaves out further ones: Add\(s\)/);
});

const TELEPATHY = `<node xmlns:tp="http://telepathy.freedesktop.org/wiki/DbusSpec#extensions-v0">
  <interface name="org.example.Contacts">
    <tp:struct name="Contact"><tp:member name="Handle" type="u"/><tp:member name="Name" type="s"/></tp:struct>
    <tp:mapping name="Facts"><tp:member name="Key" type="s"/><tp:member name="Value" type="v"/></tp:mapping>
    <method name="Find">
      <arg name="facts" type="a{sv}" tp:type="Facts" direction="in"/>
      <arg type="(us)" tp:type="Contact" direction="out"/>
    </method>
  </interface></node>`;

test('types that Telepathy names have the types of their signatures', () => {
  const description = parseIntrospection(TELEPATHY, { documentation: true }).interfaces.get('org.example.Contacts');
  const [client, aClass] = (['client', 'class'] as const).map(
    (form) => generateFiles([description as InterfaceDescription], form)[0]?.text,
  );
  assert.match(client as string, "Find: { in: ['facts:a{sv}'] as [facts: 'facts:a{sv}'], out: ['(us)'] }");
  assert.match(aClass as string, 'Find(facts: Record<string, unknown>): [number, string] | Promise<[number, string]>');
});

const Labelled = defineInterface('org.example.Lamp', {
  methods: {
    Dim: {
      in: ['level:u', 'options:a{sv}'] as [level: 'level:u', options: 'options:a{sv}'],
      out: ['a:s', 'b:x'] as [a: 'a:s', b: 'b:x'],
    },
  },
  signals: { Dimmed: { args: ['level:u'] as [level: 'level:u'] } },
});
const Plain = defineInterface('org.example.Lamp', {
  methods: { Dim: { in: ['level:u', 'options:a{sv}'], out: ['a:s', 'b:x'] } },
  signals: { Dimmed: { args: ['level:u'] } },
});

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Calls<D> = ProxyOf<D> extends { readonly call: { readonly Dim: infer Dim } } ? Dim : never;
type Signals<D> = ProxyOf<D> extends { readonly once: { readonly Dimmed: infer Dimmed } } ? Dimmed : never;
const sameCalls: Same<Calls<typeof Labelled>, Calls<typeof Plain>> = true;
const sameSignals: Same<Signals<typeof Labelled>, Signals<typeof Plain>> = true;

test('a label is only a name: the types are those of the list without labels', () => {
  assert.ok(sameCalls && sameSignals);
  assert.equal(Labelled.description, Plain.description);
  // @ts-expect-error a label does not change a type
  const wrong = ['level:u'] as [level: 'level:s'];
  // @ts-expect-error and there is one for each element
  const more = ['level:u'] as [level: 'level:u', more: 'more:u'];
  assert.equal(wrong as readonly string[], more as readonly string[]);
});

test.run();
