// Documentation of interfaces, members and arguments: from definitions and classes into introspection data, and back.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  defineInterface,
  describe,
  type Emits,
  type InterfaceDescription,
  InvalidArgumentError,
  introspectionXml,
  method,
  parseIntrospection,
  property,
  ServiceInterface,
  signal,
} from '../../src/index.js';
import { legacy } from '../helpers/legacy-decorator.js';

const test = suite('documentation in introspection data');
const NAME = 'org.example.Printer';

const defined = defineInterface(NAME, {
  docs: 'A printer.',
  methods: {
    Print: {
      in: ['text:s', 'copies:u'],
      out: ['job:o'],
      docs: 'Prints a text.\n\nReturns at once: see "Done".',
      argumentDocs: { text: 'The text, as <plain> & simple UTF-8.', job: 'The job.' },
    },
    Stop: { deprecated: true },
  },
  signals: { Done: { args: ['job:o'], docs: 'A job has ended.', argumentDocs: { job: 'The job.' } } },
  properties: { Ink: { type: 'u', access: 'read', docs: 'In percent.' } },
});

class Standard extends ServiceInterface {
  constructor() {
    super({ name: NAME, docs: 'A printer.' });
  }

  @method({
    in: ['text:s', 'copies:u'],
    out: ['job:o'],
    docs: 'Prints a text.\n\nReturns at once: see "Done".',
    argumentDocs: { text: 'The text, as <plain> & simple UTF-8.', job: 'The job.' },
  })
  Print(_text: string, _copies: number): string {
    return '/';
  }

  @method({ deprecated: true })
  Stop(): void {}

  @signal({ args: ['job:o'], docs: 'A job has ended.', argumentDocs: { job: 'The job.' } })
  Done(job: string): Emits<string> {
    return job;
  }

  @property({ type: 'u', access: 'read', docs: 'In percent.' })
  accessor Ink = 0;
}

class Legacy extends ServiceInterface {
  Ink = 0;
  constructor() {
    super({ name: NAME, docs: 'A printer.' });
  }
  Print(_text: string, _copies: number): string {
    return '/';
  }
  Stop(): void {}
  Done(job: string): Emits<string> {
    return job;
  }
}
const text = 'Prints a text.\n\nReturns at once: see "Done".';
const argumentDocs = { text: 'The text, as <plain> & simple UTF-8.', job: 'The job.' };
legacy(method({ in: ['text:s', 'copies:u'], out: ['job:o'], docs: text, argumentDocs }), Legacy, 'Print');
legacy(method({ deprecated: true }), Legacy, 'Stop');
legacy(signal({ args: ['job:o'], docs: 'A job has ended.', argumentDocs: { job: 'The job.' } }), Legacy, 'Done');
legacy(property({ type: 'u', access: 'read', docs: 'In percent.' }), Legacy, 'Ink');

const xmlOf = (description: InterfaceDescription) =>
  introspectionXml({ path: undefined, interfaces: new Map([[NAME, description]]), children: new Map() });

const DOC = 'org.gtk.GDBus.DocString';
const expected = `  <interface name="${NAME}">
    <annotation name="${DOC}" value="A printer."/>
    <method name="Print">
      <arg name="text" type="s" direction="in">
        <annotation name="${DOC}" value="The text, as &lt;plain&gt; &amp; simple UTF-8."/>
      </arg>
      <arg name="copies" type="u" direction="in"/>
      <arg name="job" type="o" direction="out">
        <annotation name="${DOC}" value="The job."/>
      </arg>
      <annotation name="${DOC}" value="Prints a text.&#10;&#10;Returns at once: see &quot;Done&quot;."/>
    </method>
    <method name="Stop">
      <annotation name="org.freedesktop.DBus.Deprecated" value="true"/>
    </method>
    <signal name="Done">
      <arg name="job" type="o">
        <annotation name="${DOC}" value="The job."/>
      </arg>
      <annotation name="${DOC}" value="A job has ended."/>
    </signal>
    <property name="Ink" type="u" access="read">
      <annotation name="${DOC}" value="In percent."/>
    </property>
  </interface>`;

for (const [what, description] of [
  ['a definition', defined.description],
  ['a class', describe(Standard)],
  ['an instance of a class in the other dialect', describe(new Legacy())],
] as const) {
  test(`${what} is written with its documentation, and read again`, () => {
    const xml = xmlOf(description);
    assert.ok(xml.includes(expected), xml);
    const read = parseIntrospection(xml).interfaces.get(NAME) as InterfaceDescription;
    assert.equal(read, defined.description);
    assert.is(read.docs, 'A printer.');
    assert.is(read.methods.get('Print')?.docs, text);
    assert.is(read.methods.get('Print')?.in[0]?.docs, argumentDocs.text);
    assert.is(read.methods.get('Print')?.in[1]?.docs, undefined);
    assert.is(read.signals.get('Done')?.args[0]?.docs, 'The job.');
    assert.is(read.properties.get('Ink')?.docs, 'In percent.');
    assert.is(xmlOf(read), xml);
  });
}

test('what has no documentation has no field for it', () => {
  const { description } = defineInterface(NAME, { methods: { Print: { in: ['text:s'] } } });
  assert.not('docs' in description);
  assert.not('docs' in (description.methods.get('Print') ?? {}));
  assert.not(xmlOf(description).includes('annotation'));
});

test('an annotation of that name is documentation', () => {
  const { description } = defineInterface(NAME, {
    methods: { Print: { annotations: { [DOC]: 'Prints.', 'a.b': 'c' } } },
  });
  const print = description.methods.get('Print');
  assert.is(print?.docs, 'Prints.');
  assert.equal([...(print?.annotations ?? [])], [['a.b', 'c']]);
});

test('documentation of an argument that does not exist is refused, and so is what is no text', () => {
  const print = (given: object) => () => defineInterface(NAME, { methods: { Print: { in: ['text:s'], ...given } } });
  const cases: readonly [object, RegExp][] = [
    [{ argumentDocs: { txt: '' } }, /"argumentDocs": there is no argument "txt"; did you mean text\?/],
    [{ argumentDocs: { text: 5 } }, /"argumentDocs": annotation "text" must be a string/],
    [{ argumentDocs: ['text'] }, /"argumentDocs"/],
    [{ docs: 5 }, /"docs" must be a string, not number/],
    [{ docs: 'a\0b' }, /"docs" .* contains a character that introspection data cannot contain/],
  ];
  for (const [given, message] of cases) {
    assert.throws(print(given), (error: Error) => error instanceof InvalidArgumentError && message.test(error.message));
  }
});

test.run();
