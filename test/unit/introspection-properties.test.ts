/**
 * Random introspection data: every document that can be read is written so that it reads back the same, and parsing
 * terminates.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import { introspectionXml } from '../../src/interface/xml/generate.js';
import { parseIntrospection } from '../../src/interface/xml/parse.js';

const test = suite('introspection: properties');

const names = fc.constantFrom(
  'a.b',
  'a.b.C',
  'Get',
  'Set',
  'x',
  '/a',
  '/',
  'a/b',
  '',
  '1',
  'constructor',
  '__proto__',
  'é',
);
const annotations = fc.constantFrom(
  'org.freedesktop.DBus.Deprecated',
  'org.freedesktop.DBus.Method.NoReply',
  'org.freedesktop.DBus.Property.EmitsChangedSignal',
  'a.note',
);
const values: Readonly<Record<string, fc.Arbitrary<string>>> = {
  name: fc.oneof(names, annotations),
  type: fc.constantFrom('s', 'a{sv}', '(ii)', 'v', 'ss', '', '(', 'a'.repeat(33), 's'.repeat(256)),
  direction: fc.constantFrom('in', 'out', 'inout', ''),
  access: fc.constantFrom('read', 'write', 'readwrite', 'none'),
  value: fc.constantFrom('true', 'false', 'const', 'invalidates', 'maybe', '&amp;', '&#10;', '&#xD;', '\t'),
};
const attributes = fc
  .uniqueArray(fc.constantFrom(...Object.keys(values)), { maxLength: 5 })
  .chain((keys) =>
    fc.tuple(...keys.map((key) => (values[key] as fc.Arbitrary<string>).map((value) => ` ${key}="${value}"`))),
  )
  .map((list) => list.join(''));

/** Nested elements in random order, mostly where they belong. */
const { element } = fc.letrec<{ element: string }>((tie) => ({
  element: fc
    .tuple(
      fc.constantFrom('node', 'interface', 'method', 'signal', 'property', 'arg', 'annotation', 'tp:docstring'),
      attributes,
      fc.oneof(
        { depthSize: 'small', maxDepth: 5 },
        fc.constant(''),
        fc.array(tie('element'), { maxLength: 4 }).map((all) => all.join('')),
      ),
    )
    .map(([name, written, content]) => `<${name}${written}>${content}</${name}>`),
}));
const member = fc
  .tuple(fc.constantFrom('method', 'signal', 'property'), attributes, fc.array(element, { maxLength: 3 }))
  .map(([name, written, content]) => `<${name}${written}>${content.join('')}</${name}>`);
const documents = fc
  .array(
    fc.oneof(
      element,
      fc.array(member, { maxLength: 5 }).map((all) => `<interface name="a.b">${all.join('')}</interface>`),
    ),
  )
  .map((all) => `<node>${all.join('')}</node>`);

test('every document that can be read is written so that it reads back the same', () => {
  let members = 0;
  fc.assert(
    fc.property(documents, (xml) => {
      const node = parseIntrospection(xml);
      for (const { methods, signals, properties } of node.interfaces.values()) {
        members += methods.size + signals.size + properties.size;
      }
      const written = introspectionXml(node);
      assert.equal(parseIntrospection(written), node);
      assert.is(introspectionXml(parseIntrospection(written)), written);
    }),
    { numRuns: 1500 },
  );
  assert.ok(members > 100, `only ${members} members were read, which proves nothing`);
});

test('any text is read or refused, at once', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '=',
      '&',
      ';',
      '/',
      '!',
      '?',
      '[',
      ']',
      '--',
      '<!DOCTYPE',
      '<!ENTITY',
      '<![CDATA[',
    ),
    fc.constantFrom('<node>', '</node>', '<node name="', '<interface name="a.b">', '</interface>', '&a;', '&#0;', '\0'),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      try {
        parseIntrospection(pieces.join(''));
      } catch (error) {
        assert.instance(error, InvalidArgumentError);
      }
    }),
    { numRuns: 3000 },
  );
});

test('nested entities are not expanded, however many there are', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 50 }), (levels, width) => {
      const declared = Array.from({ length: levels }, (_, level) => {
        return `<!ENTITY e${level} "${level === 0 ? 'x' : `&e${level - 1};`.repeat(width)}">`;
      });
      const bomb = `<!DOCTYPE node [${declared.join('')}]>`;
      const last = `&e${levels - 1};`;
      // In text it would be skipped; in an attribute it is an error.
      assert.equal(parseIntrospection(`${bomb}<node>${last}</node>`).children.size, 0);
      const isRefused = (error: unknown) => error instanceof InvalidArgumentError;
      assert.throws(() => parseIntrospection(`${bomb}<node><node name="${last}"/></node>`), isRefused);
    }),
    { numRuns: 50 },
  );
});

test('depth is limited at the same element, whatever the elements are', () => {
  const kinds = fc.constantFrom('node', 'interface', 'method', 'unknown');
  fc.assert(
    fc.property(
      kinds,
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 150 }),
      (kind, depth, maximumDepth) => {
        const xml = `<node>${`<${kind} name="a">`.repeat(depth)}${`</${kind}>`.repeat(depth)}</node>`;
        const read = () => parseIntrospection(xml, { maximumDepth });
        if (depth + 1 <= maximumDepth) read();
        else assert.throws(read, (error: unknown) => error instanceof InvalidArgumentError);
      },
    ),
    { numRuns: 200 },
  );
});

test.run();
