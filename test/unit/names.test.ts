/**
 * Names and paths: every entry in the tables of other projects, the limits of the specification, and the texts of errors.
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import * as names from '../../src/base/names.js';
import { sharedPath } from '../helpers/paths.js';

/** A row of the tables: the verdict of the project's own tests, and the answers of three libraries. */
interface Verdict {
  readonly kind: string;
  readonly value?: string;
  /** The value as bytes, if it is not UTF-8. */
  readonly hex?: string;
  readonly peer_tables: Readonly<Record<string, boolean>>;
  readonly libdbus: boolean | null;
  readonly sdbus: boolean | null;
  readonly glib: boolean | null;
}

const corpus = sharedPath('data/names/names.json');
const rules: Readonly<Record<string, readonly [(value: string) => boolean, (value: string) => void]>> = {
  path: [names.isObjectPath, names.checkObjectPath],
  interface: [names.isInterfaceName, names.checkInterfaceName],
  member: [names.isMemberName, names.checkMemberName],
  error: [names.isErrorName, names.checkErrorName],
  bus_name: [names.isBusName, names.checkBusName],
};

/**
 * If the libraries disagree, the specification decides: members never begin with a digit (sd-bus accepts it), and unique
 * names need two elements, neither of them empty (libdbus checks the characters only; GLib allows `:.a`).
 */
function expected({ kind, value, libdbus, sdbus, glib }: Verdict): boolean {
  const verdicts = [libdbus, sdbus, glib].filter((verdict) => verdict !== null);
  if (verdicts.every((verdict) => verdict === verdicts[0])) return verdicts[0] as boolean;
  if (kind === 'member' && value !== undefined && /^[0-9]/.test(value)) return false;
  if (kind === 'bus_name' && value !== undefined && /^:([^.]*$|\.)/.test(value)) return false;
  throw new Error(`the libraries disagree on ${kind} ${value}, and no rule decides`);
}

const test = suite('names');

test('names are accepted and refused as by the other projects', () => {
  if (corpus === undefined) {
    console.log('skipped: no ../shared/data/names/names.json');
    return;
  }
  const table = (JSON.parse(readFileSync(corpus, 'utf8')) as Verdict[]).filter(({ kind }) => kind in rules);
  assert.is(table.length, 182);
  for (const row of table) {
    const value = row.value ?? Buffer.from(row.hex as string, 'hex').toString();
    const [is, check] = rules[row.kind] as (typeof rules)[string];
    assert.is(is(value), expected(row), `${row.kind} ${value}`);
    if (is(value)) check(value);
    else
      assert.throws(
        () => check(value),
        (error: unknown) => error instanceof InvalidArgumentError,
      );
  }
});

test('a name may have 255 characters and not one more', () => {
  const longest = `a.${'b'.repeat(253)}`;
  for (const is of [names.isBusName, names.isWellKnownName, names.isInterfaceName, names.isErrorName]) {
    assert.ok(is(longest));
    assert.not(is(`${longest}b`));
  }
  assert.ok(names.isUniqueName(`:1.${'0'.repeat(252)}`));
  assert.not(names.isUniqueName(`:1.${'0'.repeat(253)}`));
  assert.ok(names.isMemberName('m'.repeat(255)));
  assert.not(names.isMemberName('m'.repeat(256)));
});

test('an object path may be as long as a message', () => {
  const path = '/a'.repeat(4_000_000);
  assert.ok(names.isObjectPath(path));
  assert.not(names.isObjectPath(`${path}/`));
  assert.not(names.isObjectPath(`${path}//a`));
  assert.not(names.isObjectPath(`${path}-`));
});

test('a long object path follows the grammar at every place', () => {
  const grammar = /^\/(?:[A-Za-z0-9_]+(?:\/[A-Za-z0-9_]+)*)?$/;
  for (const path of ['/a'.repeat(200), '/element_1'.repeat(70), `/${'Z'.repeat(1500)}`]) {
    assert.ok(names.isObjectPath(path));
    for (let at = 0; at <= path.length; at++) {
      for (const inserted of ['/', '-', '.', ' ', '\0', '\n', 'é', 'K', '\ud800', 'x', '9', '_']) {
        const changed = path.slice(0, at) + inserted + path.slice(at);
        if (names.isObjectPath(changed) !== grammar.test(changed)) assert.unreachable(JSON.stringify(changed));
      }
    }
  }
});

test('a bus name is unique or well-known, never both', () => {
  for (const name of [':1.42', ':a.b', ':1.0-x']) {
    assert.ok(names.isUniqueName(name) && names.isBusName(name));
    assert.not(names.isWellKnownName(name));
  }
  for (const name of ['org.example', 'org.freedesktop.DBus', 'a-b.c-d', '-a.-b']) {
    assert.ok(names.isWellKnownName(name) && names.isBusName(name));
    assert.not(names.isUniqueName(name));
  }
});

test('a name that ends with a line break is refused', () => {
  for (const [is] of Object.values(rules)) assert.not(is('a.b\n'));
  assert.not(names.isObjectPath('/a\n'));
  assert.not(names.isUniqueName(':1.1\n'));
});

test('a value that is not a string is refused with a reason', () => {
  for (const value of [undefined, null, 5, {}, ['a.b'], new String('a.b')]) {
    assert.not(names.isMemberName(value as string));
    assert.throws(
      () => names.checkMemberName(value as string),
      /expected a string, got (undefined|null|number|object)/,
    );
  }
});

test('the error of an invalid name has the broken rule and the place', () => {
  const refusals: readonly [(value: string, what?: string) => void, string, string][] = [
    [names.checkInterfaceName, '', 'invalid interface name "": it is empty'],
    [names.checkInterfaceName, 'org', 'invalid interface name "org": it needs at least two elements separated by "."'],
    [names.checkInterfaceName, 'org..x', 'invalid interface name "org..x": an element is empty at character 4'],
    [names.checkInterfaceName, '.x', 'invalid interface name ".x": an element is empty at character 0'],
    [names.checkInterfaceName, 'org.x.', 'invalid interface name "org.x.": an element is empty at character 6'],
    [
      names.checkInterfaceName,
      'org.7zip',
      'invalid interface name "org.7zip": the element "7zip" begins with a digit at character 4',
    ],
    [
      names.checkInterfaceName,
      'org.a-b',
      'invalid interface name "org.a-b": "-" at character 5 (allowed: A-Z a-z 0-9 _ and "." between elements)',
    ],
    [names.checkBusName, ':', 'invalid bus name ":": nothing follows the ":"'],
    [names.checkBusName, ':1', 'invalid bus name ":1": it needs at least two elements separated by "."'],
    [names.checkUniqueName, 'a.b', 'invalid unique name "a.b": a unique name begins with ":"'],
    [names.checkWellKnownName, ':1.2', 'invalid well-known name ":1.2": only unique names begin with ":"'],
    [names.checkMemberName, '1st', 'invalid member name "1st": it begins with a digit'],
    [names.checkMemberName, 'a.b', 'invalid member name "a.b": "." at character 1 (allowed: A-Z a-z 0-9 _)'],
    [names.checkMemberName, '😀', 'invalid member name "😀": "😀" at character 0 (allowed: A-Z a-z 0-9 _)'],
    [names.checkObjectPath, '', 'invalid object path "": it is empty'],
    [names.checkObjectPath, 'a', 'invalid object path "a": it does not begin with "/"'],
    [names.checkObjectPath, '/a/', 'invalid object path "/a/": only the root path ends with "/"'],
    [names.checkObjectPath, '/a//b', 'invalid object path "/a//b": an element is empty at character 3'],
    [
      names.checkObjectPath,
      '/a-b',
      'invalid object path "/a-b": "-" at character 2 (allowed: A-Z a-z 0-9 _ and "/" between elements)',
    ],
  ];
  for (const [check, value, message] of refusals) {
    assert.throws(
      () => check(value),
      (error: Error) => {
        assert.is(error.message, message);
        return true;
      },
    );
  }
  assert.throws(() => names.checkBusName('x', 'destination'), /^invalid destination "x"/);
  assert.throws(() => names.checkMemberName('m'.repeat(300)), /…": it has 300 characters, 255 are allowed$/);
});

test('the verdict on a name is the same after many others', () => {
  for (let index = 0; index < 10_000; index++) assert.ok(names.isObjectPath(`/flood/${index}`));
  assert.ok(names.isObjectPath('/flood/0'));
  assert.not(names.isObjectPath('/flood/0/'));
});

test.run();
