/** Match rules: which rules buses accept, how rules are written, and which messages match. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import {
  compileMatchRule,
  formatMatchRule,
  type MatchableMessage,
  type MatchRule,
  senderToVerify,
} from '../../src/bus/rules/match-rule.js';
import { parseMatchRule } from '../../src/bus/rules/parse-match-rule.js';
import { sharedPath } from '../helpers/paths.js';

/** A rule from the tests of other projects, with the answers of two daemons. */
interface Verdict {
  readonly rule: string;
  readonly dbus_daemon: string;
  readonly dbus_broker: string;
}

const corpus = sharedPath('data/match-rules/match-rules.json');
const fuzz = sharedPath('data/systemd-fuzz/fuzz-bus-match');

/** Rules on which the daemons disagree, and the reason for the choice of busbar. */
const disagreements: Readonly<Record<string, boolean>> = {
  // dbus-broker reads a missing index as 0; the specification requires a number.
  "arg='foo'": false,
  "arg='x'": false,
  // For dbus-daemon the backslash escapes the comma; by the specification, a comma cannot be written outside of quotes.
  'arg0=a\\,b': false,
  // dbus-daemon takes an empty key for the end of the rule.
  '=x': false,
  // dbus-broker does not know eavesdrop; the specification has it.
  "eavesdrop='true'": true,
  "eavesdrop='false'": true,
  "type='signal',eavesdrop='true',arg0namespace='org.freedesktop'": true,
};

/** A rule without conditions that every message meets, because they are not written. */
function withoutAlwaysMet(rule: MatchRule): MatchRule {
  const { eavesdrop, pathNamespace, ...others } = rule;
  const isAlwaysMet = pathNamespace === '/' && (rule.type === 'signal' || rule.type === 'method_call');
  return {
    ...others,
    ...(eavesdrop === true ? { eavesdrop } : {}),
    ...(pathNamespace === undefined || isAlwaysMet ? {} : { pathNamespace }),
  } as MatchRule;
}

const isInvalid = (error: unknown) => error instanceof InvalidArgumentError;

const test = suite('match rules');

test('rules are accepted and refused as the daemons do', () => {
  if (corpus === undefined) {
    console.log('skipped: no ../shared/data/match-rules/match-rules.json');
    return;
  }
  const table = JSON.parse(readFileSync(corpus, 'utf8')) as Verdict[];
  assert.is(table.length, 190);
  for (const { rule, dbus_daemon, dbus_broker } of table) {
    const agreed = dbus_daemon.startsWith('accept') === dbus_broker.startsWith('accept');
    const accepted = agreed ? dbus_daemon.startsWith('accept') : disagreements[rule];
    assert.type(accepted, 'boolean', `no entry decides about ${rule}`);
    if (accepted) {
      const parsed = parseMatchRule(rule);
      assert.equal(parseMatchRule(formatMatchRule(parsed)), withoutAlwaysMet(parsed), rule);
      compileMatchRule(parsed);
    } else {
      assert.throws(() => parseMatchRule(rule), isInvalid, rule);
    }
  }
});

test('rules of a fuzzer are parsed or refused', () => {
  if (fuzz === undefined) {
    console.log('skipped: no ../shared/data/systemd-fuzz/fuzz-bus-match');
    return;
  }
  const files = readdirSync(fuzz);
  assert.is(files.length, 2);
  for (const line of files.flatMap((file) => readFileSync(join(fuzz, file), 'latin1').split(/[\n\0]/))) {
    try {
      formatMatchRule(parseMatchRule(line));
    } catch (error) {
      assert.ok(isInvalid(error), line);
    }
  }
});

test('rules are written in one order, whatever the order of their keys', () => {
  const rule: MatchRule = {
    arg10path: '/b/',
    arg2: 'two',
    arg0namespace: 'org.example',
    pathNamespace: '/a',
    member: 'M',
    type: 'signal',
    interface: 'a.b',
    sender: 'c.d',
    destination: ':1.5',
    eavesdrop: false,
  };
  const text =
    "type='signal',sender='c.d',interface='a.b',member='M',path_namespace='/a',destination=':1.5'," +
    "arg0namespace='org.example',arg2='two',arg10path='/b/'";
  assert.is(formatMatchRule(rule), text);
  assert.is(formatMatchRule({ ...rule, eavesdrop: true }), `${text},eavesdrop='true'`);
  assert.is(formatMatchRule(Object.fromEntries(Object.entries(rule).reverse())), text);
  assert.is(formatMatchRule({}), '');
  assert.is(formatMatchRule({ member: undefined, arg0: undefined }), '');
});

test('conditions that are always met are not written', () => {
  assert.is(formatMatchRule({ eavesdrop: false }), '');
  assert.is(formatMatchRule({ type: 'signal', pathNamespace: '/' }), "type='signal'");
  assert.is(formatMatchRule({ type: 'method_call', pathNamespace: '/' }), "type='method_call'");
  // Replies have no path, so these conditions are needed.
  assert.is(formatMatchRule({ type: 'error', pathNamespace: '/' }), "type='error',path_namespace='/'");
  assert.is(formatMatchRule({ pathNamespace: '/' }), "path_namespace='/'");
});

test('values are quoted as in the examples of the specification', () => {
  const rule = { arg0: "'", arg1: '\\', arg2: ',', arg3: '\\\\' };
  assert.is(formatMatchRule(rule), "arg0=''\\''',arg1='\\',arg2=',',arg3='\\\\'");
  assert.equal(parseMatchRule("arg0=''\\''',arg1='\\',arg2=',',arg3='\\\\'"), rule);
  assert.equal(parseMatchRule("arg0=\\',arg1=\\,arg2=',',arg3=\\\\"), rule);
});

test('rules can be written and read again, whatever their values', () => {
  const element = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,5}$/);
  const elements = (separator: string) =>
    fc.array(element, { minLength: 2, maxLength: 4 }).map((list) => list.join(separator));
  const path = elements('/').map((text) => `/${text}`);
  const text = fc
    .oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.string({ unit: fc.constantFrom("'", '\\', ',', '=', ' ') }),
    )
    .filter((value) => !value.includes('\0'));
  const header = fc.record(
    {
      type: fc.constantFrom('method_call', 'method_return', 'error', 'signal'),
      sender: elements('.'),
      interface: elements('.'),
      member: element,
      destination: fc.nat().map((id) => `:1.${id}`),
      eavesdrop: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  const anyPath = fc.constantFrom('path', 'pathNamespace').chain((key) => path.map((value) => ({ [key]: value })));
  const argument = fc.tuple(fc.nat(63), fc.constantFrom('', 'path'), text);
  const args = fc.uniqueArray(argument, { selector: ([index]) => index, maxLength: 5 });
  fc.assert(
    fc.property(header, fc.option(anyPath), args, (fields, paths, list) => {
      const rule = {
        ...fields,
        ...paths,
        ...Object.fromEntries(list.map(([n, kind, value]) => [`arg${n}${kind}`, value])),
      };
      assert.equal(parseMatchRule(formatMatchRule(rule as MatchRule)), withoutAlwaysMet(rule as MatchRule));
    }),
  );
});

test('rules that no bus would accept are refused with the reason', () => {
  const refusals: readonly [object, RegExp][] = [
    [{ type: 'sginal' }, /invalid type of a match rule "sginal": expected method_call/],
    [{ sender: 'x' }, /invalid sender of a match rule "x": it needs at least two elements/],
    [{ interface: 'x' }, /invalid interface of a match rule "x"/],
    [{ member: 'a.b' }, /invalid member of a match rule "a.b"/],
    [{ path: 'x' }, /invalid path of a match rule "x"/],
    [{ pathNamespace: '/x/' }, /invalid path namespace of a match rule "\/x\/"/],
    [{ destination: 'x' }, /invalid destination of a match rule "x"/],
    [{ path: '/x', pathNamespace: '/' }, /a path or a path namespace, not both/],
    [{ arg64: 'x' }, /arg64 of a match rule: only arguments 0 to 63/],
    [{ arg64path: 'x' }, /arg64path of a match rule: only arguments 0 to 63/],
    [{ arg1namespace: 'x' }, /only arg0namespace exists/],
    [{ arg0namespace: '' }, /^invalid arg0namespace of a match rule "": it is empty$/],
    [{ arg0namespace: 'a.' }, /^invalid arg0namespace of a match rule "a\.": an element is empty at character 2$/],
    [{ arg0namespace: 'a b' }, /^invalid arg0namespace of a match rule "a b": " " at character 1 /],
    [{ arg0: 'x', arg0path: '/x' }, /one condition for each argument; argument 0 has two/],
    [{ arg0: 'x', arg0namespace: 'x' }, /one condition for each argument; argument 0 has two/],
    [{ arg0: 5 }, /arg0 of a match rule must be a string/],
    [{ arg0: 'a\0b' }, /NUL/],
    [{ arg0: '\uD800' }, /lone surrogate/],
    [{ arg00: 'x' }, /no key "arg00"/],
    [{ path_namespace: '/x' }, /no key "path_namespace"; did you mean pathNamespace\? Known: type,.*/],
    [{ eavesdrop: 'true' }, /must be true or false/],
    [{ arg0: 'é'.repeat(510) }, /has 1027 bytes; buses accept at most 1024/],
  ];
  for (const [rule, reason] of refusals) {
    assert.throws(
      () => formatMatchRule(rule as MatchRule),
      (error: Error) => isInvalid(error) && reason.test(error.message),
      JSON.stringify(rule),
    );
  }
  assert.is(Buffer.byteLength(formatMatchRule({ arg0: 'x'.repeat(1017) })), 1024);
});

test('text that breaks the grammar is refused with the reason', () => {
  const refusals: readonly [string, RegExp][] = [
    ["type='signal',,member='x'", /a key followed by "=" is missing at character 14/],
    ["arg0='x", /an apostrophe is missing at the end of the value of "arg0"/],
    ["sendr='a.b'", /"sendr" is not a key of match rules/],
    ["__proto__='a.b'", /"__proto__" is not a key of match rules/],
    ["arg1='a',arg01='b'", /the key "arg01" is given twice/],
    ["eavesdrop='maybe'", /eavesdrop must be true or false/],
  ];
  for (const [text, reason] of refusals) {
    assert.throws(
      () => parseMatchRule(text),
      (error: Error) => isInvalid(error) && reason.test(error.message),
      text,
    );
  }
});

/** A body of these values, of which only strings are read. */
function body(...values: readonly unknown[]): Pick<MatchableMessage, 'stringAt'> {
  return { stringAt: (index) => values[index] as string };
}

const signal: MatchableMessage = {
  type: 4,
  sender: ':1.7',
  path: '/com/example/foo/bar',
  interface: 'com.example.I',
  member: 'Changed',
  signature: 'sos',
  ...body('com.example.backend1.foo', '/aa/bb/cc', '/aa/bb/'),
};

function meets(rule: MatchRule, changes: Partial<MatchableMessage> = {}): boolean {
  formatMatchRule(rule);
  return compileMatchRule(rule)({ ...signal, ...changes });
}

test('the header is compared', () => {
  assert.ok(meets({}));
  const { sender, path, interface: interfaceName, member } = signal as Required<MatchableMessage>;
  assert.ok(meets({ type: 'signal', sender, path, interface: interfaceName, member }));
  assert.not(meets({ type: 'method_call' }));
  assert.ok(meets({ type: 'method_call' }, { type: 1 }));
  assert.ok(meets({ type: 'method_return' }, { type: 2 }));
  assert.ok(meets({ type: 'error' }, { type: 3 }));
  assert.not(meets({ sender: ':1.8' }));
  assert.not(meets({ path: '/com/example/foo' }));
  assert.not(meets({ interface: 'com.example.J' }));
  assert.not(meets({ member: 'Changed2' }));
  assert.not(meets({ destination: ':1.1' }));
  assert.ok(meets({ destination: ':1.1' }, { destination: ':1.1' }));
});

test('a condition on the interface is never met by a message without one', () => {
  assert.not(meets({ interface: 'com.example.I' }, { interface: undefined }));
  assert.not(meets({ path: '/a' }, { path: undefined }));
  assert.not(meets({ pathNamespace: '/' }, { path: undefined }));
  assert.not(meets({ member: 'Changed' }, { member: undefined }));
});

test('a path namespace is met by the path and all paths below it', () => {
  assert.ok(meets({ pathNamespace: '/' }));
  assert.ok(meets({ pathNamespace: '/' }, { path: '/' }));
  assert.ok(meets({ pathNamespace: '/com/example/foo' }));
  assert.ok(meets({ pathNamespace: '/com/example/foo' }, { path: '/com/example/foo' }));
  assert.not(meets({ pathNamespace: '/com/example/foo' }, { path: '/com/example/foobar' }));
  assert.not(meets({ pathNamespace: '/com/example/foo' }, { path: '/com/example' }));
});

test('a condition on an argument is met by strings only', () => {
  assert.ok(meets({ arg0: 'com.example.backend1.foo', arg2: '/aa/bb/' }));
  assert.not(meets({ arg0: 'com.example.backend1' }));
  assert.not(meets({ arg1: '/aa/bb/cc' }), 'argument 1 is an object path');
  assert.not(meets({ arg3: 'x' }), 'there is no argument 3');
  assert.not(meets({ arg0: 'x' }, { signature: '', ...body() }));
  assert.not(meets({ arg0: 'x' }, { signature: 'g', ...body('x') }));
  assert.not(meets({ arg0: 'x' }, { signature: 'v', ...body('x') }));
  assert.ok(meets({ arg1: 'x' }, { signature: '(is)sa{sv}', ...body([1, ''], 'x', {}) }));
  assert.ok(meets({ arg0: '' }, { signature: 's', ...body('') }));
});

test('a condition on the path of an argument is met as in the table of the specification', () => {
  const meetsArgument = (value: string, signature: string) =>
    meets({ arg0path: '/aa/bb/' }, { signature, ...body(value) });
  for (const signature of ['s', 'o']) {
    for (const value of ['/', '/aa/', '/aa/bb/', '/aa/bb/cc/', '/aa/bb/cc']) assert.ok(meetsArgument(value, signature));
    for (const value of ['/aa/b', '/aa', '/aa/bb', '']) assert.not(meetsArgument(value, signature));
  }
  assert.not(meetsArgument('/aa/bb/', 'g'));
  assert.ok(meets({ arg1path: '/aa/bb/cc', arg2path: '/aa/bb/cc' }));
});

test('a namespace is met by the name and all names that continue it', () => {
  const meetsArgument = (value: string, signature = 's') =>
    meets({ arg0namespace: 'com.example.backend1' }, { signature, ...body(value) });
  for (const value of ['com.example.backend1', 'com.example.backend1.foo', 'com.example.backend1.foo.bar']) {
    assert.ok(meetsArgument(value));
  }
  for (const value of ['com.example.backend', 'com.example.backend12', 'com.example', ''])
    assert.not(meetsArgument(value));
  assert.not(meetsArgument('com.example.backend1', 'o'));
  assert.ok(meets({ arg0namespace: 'com' }));
});

test('a rule with a well-known sender leaves the sender to be verified', () => {
  assert.is(senderToVerify({ sender: 'com.example' }), 'com.example');
  assert.ok(meets({ sender: 'com.example' }));
  assert.is(senderToVerify({ sender: ':1.7' }), undefined);
  assert.is(senderToVerify({}), undefined);
  assert.is(senderToVerify({ sender: 'org.freedesktop.DBus' }), undefined);
  assert.not(meets({ sender: 'org.freedesktop.DBus' }), 'no other connection can pass for the bus');
  assert.ok(meets({ sender: 'org.freedesktop.DBus' }, { sender: 'org.freedesktop.DBus' }));
});

test('a body that cannot match is not decoded', () => {
  const message = {
    ...signal,
    stringAt(): string {
      throw new InvalidArgumentError('the body is faulty');
    },
  };
  assert.ok(compileMatchRule({ member: 'Changed' })(message));
  assert.not(compileMatchRule({ arg1: 'x' })(message));
  assert.not(compileMatchRule({ arg0: 'x' })(message), 'a faulty body meets no condition on arguments');
});

test.run();
