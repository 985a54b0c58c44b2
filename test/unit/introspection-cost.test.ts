// time limit: 120 s
// The cost of introspection data within its limits. The data comes from peers, and parsing blocks the event loop.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import { parseIntrospection, parseReceivedIntrospection } from '../../src/interface/xml/parse.js';
import { PARTS_MAXIMUM } from '../../src/interface/xml/xml.js';
import { patience } from '../helpers/patience.js';

const test = suite('cost of introspection data');

const LENGTH_MAXIMUM = 4 * 1024 * 1024;

/** The processor time of one round of the event loop at most. It used to be that of the whole document: seconds. */
const TURN_LIMIT = 100;

/** Other processes make the processor slower for a while. A document that blocks the loop blocks it at each attempt. */
const ATTEMPTS = 4;

/** The most processor time, in milliseconds, between two rounds of the event loop while `run` runs. */
async function longestTurn(run: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let isOver = false;
  let before = process.cpuUsage();
  const nextRound = () => {
    const { user, system } = process.cpuUsage(before);
    longest = Math.max(longest, (user + system) / 1000);
    before = process.cpuUsage();
    if (!isOver) setImmediate(nextRound);
  };
  setImmediate(nextRound);
  await run();
  isOver = true;
  await new Promise((resolve) => setImmediate(resolve));
  return longest;
}

/** As many repetitions as a document may have. */
function full(head: string, unit: (index: number) => string, parts: number, tail: string): string {
  const units: string[] = [];
  let room = LENGTH_MAXIMUM - head.length - tail.length;
  for (let index = 0; (index + 1) * parts <= PARTS_MAXIMUM - 10; index++) {
    const next = unit(index);
    room -= next.length;
    if (room < 0) break;
    units.push(next);
  }
  return head + units.join('') + tail;
}

const [open, close] = ['<node><interface name="a.b">', '</interface></node>'];
/** A struct of `i` and `u` for each number. */
const struct = (index: number) => `(${index.toString(2).replaceAll('0', 'i').replaceAll('1', 'u')})`;

const documents: Readonly<Record<string, string>> = {
  properties: full(open, (index) => `<property name="p${index}" type="s" access="read"/>`, 4, close),
  methods: full(open, (index) => `<method name="m${index}"/>`, 2, close),
  'methods of many arguments': full(
    open,
    (index) => `<method name="m${index}">${'<arg type="s"/>'.repeat(250)}</method>`,
    502,
    close,
  ),
  overloads: full(open, (index) => `<method name="m"><arg type="${struct(index)}"/></method>`, 4, close),
  'distinct types': full(
    open,
    (index) => `<property name="p${index}" access="read" type="${struct(index)}"/>`,
    4,
    close,
  ),
  'long types': full(
    open,
    (index) => `<method name="m${index}"><arg type="(${'s'.repeat(200)})${struct(index)}"/></method>`,
    4,
    close,
  ),
  interfaces: full('<node>', (index) => `<interface name="a.b${index}"/>`, 2, '</node>'),
  children: full('<node>', (index) => `<node name="n${index}"/>`, 2, '</node>'),
  annotations: full(open, (index) => `<annotation name="a.b${index}" value=""/>`, 3, close),
  attributes: full(
    '<node>',
    () => `<x ${Array.from({ length: 1000 }, (_, index) => `a${index}=""`).join(' ')}/>`,
    1001,
    '</node>',
  ),
  'deep nodes': full(
    '<node name="/a">',
    (index) => `${'<node name="a">'.repeat(100)}<node name="b${index}"/>${'</node>'.repeat(100)}`,
    202,
    '</node>',
  ),
  'arguments of one method': full(`${open}<method name="m">`, () => '<arg type="s"/>', 2, `</method>${close}`),
  'annotations of one method': full(
    `${open}<method name="m">`,
    (index) => `<annotation name="a.b${index}" value=""/>`,
    3,
    `</method>${close}`,
  ),
  'unusable elements': full('<node>', () => '<arg/>', 1, '</node>'),
  'unknown elements': full('<node>', () => '<x/>', 1, '</node>'),
  'XML entities': full('<node>', () => '&amp;', 0, '</node>'),
  'character references': full('<node>', () => '&#97;', 0, '</node>'),
  'references in an attribute': full('<node a="', () => '&#97;', 0, '"/>'),
  comments: full('<node>', () => '<!---->', 0, '</node>'),
  'processing instructions': full('<node>', () => '<?a?>', 0, '</node>'),
  'character data': full('<node>', () => '<![CDATA[]]>', 0, '</node>'),
  declarations: full('<!DOCTYPE node [', () => '<!ENTITY a "b">', 0, ']><node/>'),
  'texts of declarations': full('<!DOCTYPE node [', () => '"x"', 0, ']><node/>'),
  'line ends': full('<node>', () => '\r\n', 0, '</node>'),
  'a long name': full('<node name="', () => '/a', 0, '"/>'),
  'a long type': full(`${open}<property name="p" access="read" type="`, () => 'a', 0, `"/>${close}`),
};

for (const [what, xml] of Object.entries(documents)) {
  test(`a document full of ${what} does not block the event loop`, async () => {
    assert.ok(xml.length <= LENGTH_MAXIMUM);
    const read = () =>
      parseReceivedIntrospection(xml).catch((error: unknown) => {
        // A document that another limit refuses must not take longer.
        assert.instance(error, InvalidArgumentError);
        assert.not.match((error as Error).message, /elements and attributes|characters is beyond/);
      });
    const attempts: number[] = [];
    do {
      // Garbage collection of the previous document is not part of the cost.
      globalThis.gc?.();
      attempts.push(await longestTurn(read));
    } while (Math.min(...attempts) >= TURN_LIMIT * patience && attempts.length < ATTEMPTS);
    assert.ok(Math.min(...attempts) < TURN_LIMIT * patience, `${attempts.map((time) => time.toFixed()).join(', ')} ms`);
  });
}

test('reading in slices gives the same result as reading at once', async () => {
  const outcome = (work: () => unknown) =>
    Promise.resolve()
      .then(work)
      .catch(({ message }: Error) => message);
  for (const xml of Object.values(documents)) {
    for (const part of [xml.slice(0, 50_000), `${xml.slice(0, 20_000)}${xml.slice(-100)}`]) {
      assert.equal(
        await outcome(() => parseReceivedIntrospection(part)),
        await outcome(() => parseIntrospection(part)),
      );
    }
  }
});

test('elements and attributes are counted together, and one beyond the limit is refused', () => {
  const node = (attributes: number, elements: number) =>
    `<node ${Array.from({ length: attributes }, (_, index) => `a${index}=""`).join(' ')}>${'<x/>'.repeat(elements)}</node>`;
  parseIntrospection(node(100, PARTS_MAXIMUM - 101));
  for (const [attributes, elements] of [
    [100, PARTS_MAXIMUM - 100],
    [0, PARTS_MAXIMUM],
  ] as const) {
    assert.throws(() => parseIntrospection(node(attributes, elements)), /more than 300000 elements and attributes/);
  }
  parseIntrospection(node(100, PARTS_MAXIMUM), { maximumLength: 8 * 1024 * 1024 });
  parseIntrospection(node(1000, 0));
  assert.throws(() => parseIntrospection(node(1001, 0)), /more than 1000 attributes of an element/);
});

test('a document that is too long is refused without reading it', () => {
  const node = (length: number) => `<node>${'x'.repeat(length - 13)}</node>`;
  parseIntrospection(node(LENGTH_MAXIMUM));
  assert.throws(
    () => parseIntrospection(node(LENGTH_MAXIMUM + 1)),
    /4194305 characters is beyond the limit of 4194304/,
  );
  parseIntrospection(node(LENGTH_MAXIMUM + 1), { maximumLength: LENGTH_MAXIMUM + 1 });
});

test.run();
