// Any text as an element of an object path, as sd-bus writes it.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError, isObjectPath, parseSignature, pathEscape, pathUnescape } from '../../src/index.js';
import { thrown } from '../helpers/rejection.js';

const test = suite('path label');

test('elements are those of sd-bus', () => {
  for (const [text, element] of [
    ['', '_'],
    ['abc', 'abc'],
    ['dbus.service', 'dbus_2eservice'],
    ['123', '_3123'],
    ['a1', 'a1'],
    ['_', '_5f'],
    ['_5f', '_5f5f'],
    ['foo-bar@1', 'foo_2dbar_401'],
    ['ä', '_c3_a4'],
    ['/', '_2f'],
  ] as const) {
    assert.is(pathEscape(text), element);
    assert.is(pathUnescape(element), text);
  }
  assert.is(pathUnescape('a_zz_2'), 'a_zz_2');
});

test('every text is an element, and comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const element = pathEscape(text);
      assert.ok(isObjectPath(`/${element}`));
      assert.is(pathUnescape(element), text);
    }),
  );
});

test('other values are refused', () => {
  const values = [
    () => pathEscape(5 as never),
    () => pathUnescape('a/b'),
    () => pathUnescape(''),
    () => pathUnescape(null as never),
  ];
  for (const run of values) assert.instance(thrown(run), InvalidArgumentError);
});

test('a signature is parsed into types', () => {
  assert.equal(
    parseSignature('sa{sv}').map(({ code, signature }) => [code, signature]),
    [
      ['s', 's'],
      ['a', 'a{sv}'],
    ],
  );
  assert.instance(
    thrown(() => parseSignature('a')),
    InvalidArgumentError,
  );
});

test.run();
