/** Match rules, against a direct implementation of the specification, for random rules and messages. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import {
  compileMatchRule,
  formatMatchRule,
  type MatchableMessage,
  type MatchRule,
} from '../../src/bus/rules/match-rule.js';
import { parseMatchRule } from '../../src/bus/rules/parse-match-rule.js';
import { type Indexed, RuleIndex } from '../../src/bus/rules/rule-index.js';
import { isMet, types } from '../helpers/match-model.js';

const test = suite('match rules: properties');

// Few values of each kind, so that rules match messages.
const paths = fc.constantFrom('/', '/a', '/a/b', '/ab', '/a/b/c');
const interfaces = fc.constantFrom('a.b', 'a.b.c', 'a.bc');
const members = fc.constantFrom('A', 'B');
const uniqueNames = fc.constantFrom(':1.1', ':1.2', 'org.freedesktop.DBus');
const texts = fc.constantFrom(
  '',
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/a/b/',
  '/ab',
  'a',
  'a.b',
  'a.b.c',
  'ab',
  "it's",
  '\\',
  'x,y',
);

type Condition = readonly [key: string, value: string];

const conditions: fc.Arbitrary<readonly Condition[]> = fc
  .uniqueArray(fc.tuple(fc.nat(2), fc.constantFrom('', 'path', 'namespace'), texts), {
    selector: ([index]) => index,
    maxLength: 3,
  })
  .map((list) =>
    list.map(([index, kind, value]) => {
      const isNamespace = kind === 'namespace' && index === 0 && /^[a-z.]+$/.test(value);
      return [`arg${index}${kind === 'path' ? kind : isNamespace ? kind : ''}`, value];
    }),
  );

const rules: fc.Arbitrary<MatchRule> = fc
  .tuple(
    fc.record(
      {
        type: fc.constantFrom('method_call', 'method_return', 'error', 'signal'),
        sender: uniqueNames,
        interface: interfaces,
        member: members,
        destination: fc.constantFrom(':1.1', ':1.2'),
      },
      { requiredKeys: [] },
    ),
    fc.option(fc.tuple(fc.constantFrom('path', 'pathNamespace'), paths), { nil: undefined }),
    conditions,
  )
  .map(
    ([header, path, args]) =>
      ({ ...header, ...(path && { [path[0]]: path[1] }), ...Object.fromEntries(args) }) as MatchRule,
  );

const messages: fc.Arbitrary<MatchableMessage> = fc
  .record({
    type: fc.integer({ min: 1, max: 4 }),
    sender: fc.option(uniqueNames, { nil: undefined }),
    destination: fc.option(fc.constantFrom(':1.1', ':1.2'), { nil: undefined }),
    path: fc.option(paths, { nil: undefined }),
    interface: fc.option(interfaces, { nil: undefined }),
    member: fc.option(members, { nil: undefined }),
    args: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.tuple(fc.constant('s'), texts) },
        { weight: 1, arbitrary: fc.tuple(fc.constant('o'), paths) },
        { weight: 1, arbitrary: fc.tuple(fc.constant('u'), fc.nat(3)) },
      ),
      { maxLength: 3 },
    ),
  })
  .map(({ args, ...header }) => ({
    ...header,
    signature: args.map(([code]) => code).join(''),
    stringAt: (index: number) => args[index]?.[1] as string,
  }));

/** A rule, and a message that meets most of its conditions: random ones would seldom match. */
const encounters = fc.tuple(rules.filter(isValid), messages, fc.nat(9)).map(([rule, message, spared]) => {
  const { type, pathNamespace: _, eavesdrop: __, ...asked } = rule;
  const header = Object.entries({ ...asked, type: type === undefined ? message.type : types.indexOf(type) });
  const taken = header.filter(([key], index) => !key.startsWith('arg') && index !== spared);
  const met = { ...message, ...Object.fromEntries(taken) } as MatchableMessage;
  // Every call and signal has a path.
  const path = met.type === 1 || met.type === 4 ? (met.path ?? '/') : met.path;
  return [rule, { ...met, path }] as const;
});

function isValid(rule: MatchRule): boolean {
  try {
    formatMatchRule(rule);
    return true;
  } catch (error) {
    assert.instance(error, InvalidArgumentError);
    return false;
  }
}

test('a rule matches exactly the messages that the specification says', () => {
  let met = 0;
  fc.assert(
    fc.property(encounters, ([rule, message]) => {
      const expected = isMet(rule, message);
      if (expected) met++;
      assert.is(compileMatchRule(rule)(message), expected);
      assert.is(compileMatchRule(parseMatchRule(formatMatchRule(rule)))(message), expected);
    }),
    { numRuns: 4000 },
  );
  assert.ok(met > 300, `only ${met} messages matched, which proves nothing`);
});

test('an index finds the rules that a message matches, whatever was added and removed before', () => {
  let found = 0;
  const isMetBy = (message: MatchableMessage, { rule }: { rule: MatchRule }) => isMet(rule, message);
  const lists = fc.array(fc.tuple(rules.filter(isValid), fc.boolean()), { maxLength: 20 });
  fc.assert(
    fc.property(lists, encounters, (list, [rule, message]) => {
      // As every signal has.
      fc.pre(message.member !== undefined && message.path !== undefined);
      const entries = [...list, [rule, true] as const].map(([each, stays]) => ({ rule: each, stays, place: 0 }));
      const index = new RuleIndex<(typeof entries)[0], MatchableMessage>(isMetBy);
      for (const entry of entries) index.add(entry);
      for (const entry of entries) if (!entry.stays) index.remove(entry);
      const expected = entries.filter((entry) => entry.stays && isMetBy(message, entry));
      const actual = index.find(message);
      assert.equal(new Set(actual), new Set(expected));
      assert.is(actual.length, expected.length);
      found += actual.length;
    }),
    { numRuns: 4000 },
  );
  assert.ok(found > 300, `only ${found} rules were found, which proves nothing`);
});

test('a signal is compared with one of ten thousand rules that differ in member, path or first argument', () => {
  let compared = 0;
  const index = new RuleIndex<Indexed, MatchableMessage>((message, { rule }) => {
    compared++;
    return isMet(rule, message);
  });
  const keys = ['member', 'path', 'arg0'] as const;
  const common = { member: 'Changed', path: '/a', arg0: 'a' };
  for (let i = 0; i < 9_999; i++) {
    const key = keys[i % keys.length] as (typeof keys)[number];
    index.add({ rule: { ...common, [key]: `${common[key]}${i}` }, place: 0 });
  }
  const only = { rule: common, place: 0 };
  index.add(only);
  const message = { type: 4, member: 'Changed', path: '/a', signature: 's', stringAt: () => 'a' };
  const found = index.find(message);
  assert.equal([found.length, found[0] === only], [1, true]);
  assert.is(compared, 1);
});

test('any text is parsed as a rule that is written the same way again, or refused', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'type',
      'signal',
      'sender',
      'path',
      'path_namespace',
      'arg0',
      'arg0path',
      'arg63',
      'arg64',
      'arg007',
    ),
    fc.constantFrom(
      '=',
      ',',
      "'",
      '\\',
      "\\'",
      ' ',
      '/',
      '/a',
      'a.b',
      ':1.1',
      'eavesdrop',
      'true',
      'interface',
      'member',
    ),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  const pairs = fc.tuple(word, word).map(([key, value]) => `${key}='${value}'`);
  const rule = fc.oneof(
    fc.array(word, { maxLength: 12 }).map((words) => words.join('')),
    fc.array(pairs, { maxLength: 4 }).map((list) => list.join(',')),
  );
  fc.assert(
    fc.property(rule, (text) => {
      let parsed: MatchRule;
      try {
        parsed = parseMatchRule(text);
      } catch (error) {
        assert.instance(error, InvalidArgumentError);
        return;
      }
      const written = formatMatchRule(parsed);
      assert.equal(parseMatchRule(written), parsed);
      assert.is(formatMatchRule(parseMatchRule(written)), written);
    }),
    { numRuns: 5000 },
  );
});

test.run();
