/** The grammar of names, against the rules of the specification one by one, for texts that are nearly names. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import {
  checkBusName,
  checkInterfaceName,
  checkMemberName,
  checkObjectPath,
  isBusName,
  isInterfaceName,
  isMemberName,
  isObjectPath,
  isUniqueName,
  isWellKnownName,
} from '../../src/base/names.js';

const test = suite('names: properties');

/** Mostly characters of names, and sometimes another one. */
const unit = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...'abZ_09./:-') },
  { weight: 1, arbitrary: fc.constantFrom('\0', '\n', ' ', 'é', '\ud800', '😀') },
);
const texts = fc.oneof(
  fc.string({ unit, maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('a', '.', '/'), minLength: 250, maxLength: 260 }),
  fc.nat(300).map((length) => `a.${'b'.repeat(length)}`),
);

const isElement = (element: string, allowed: string, leadingDigits: boolean) =>
  element !== '' &&
  [...element].every((character) => allowed.includes(character)) &&
  (leadingDigits || !'0123456789'.includes(element[0] as string));

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_';

/** "All names must not exceed the maximum name length", "must contain at least one . character", and so on. */
function isDotted(name: string, allowed: string, leadingDigits: boolean): boolean {
  const elements = name.split('.');
  return elements.length >= 2 && elements.every((element) => isElement(element, allowed, leadingDigits));
}

const models: readonly (readonly [(value: string) => boolean, (value: string) => boolean])[] = [
  [isInterfaceName, (name) => name.length <= 255 && isDotted(name, letters, false)],
  [isMemberName, (name) => name.length <= 255 && isElement(name, letters, false)],
  [isUniqueName, (name) => name.length <= 255 && name[0] === ':' && isDotted(name.slice(1), `${letters}-`, true)],
  [isWellKnownName, (name) => name.length <= 255 && isDotted(name, `${letters}-`, false)],
  [isObjectPath, isPath],
];

function isPath(path: string): boolean {
  if (path === '/') return true;
  const [first, ...elements] = path.split('/');
  return first === '' && elements.length > 0 && elements.every((element) => isElement(element, letters, true));
}

test('a text is accepted as a name exactly when it follows the rules', () => {
  fc.assert(
    fc.property(texts, (text) => {
      for (const [judge, model] of models) {
        assert.is(judge(text), model(text), `${judge.name}(${JSON.stringify(text)})`);
        // An accepted name is remembered, and must stay accepted.
        assert.is(judge(text), model(text));
      }
      assert.is(isBusName(text), isUniqueName(text) || isWellKnownName(text));
    }),
    { numRuns: 5000 },
  );
});

test('every refused text has a reason', () => {
  const checks = [
    [isBusName, checkBusName],
    [isInterfaceName, checkInterfaceName],
    [isMemberName, checkMemberName],
    [isObjectPath, checkObjectPath],
  ] as const;
  fc.assert(
    fc.property(texts, (text) => {
      for (const [judge, check] of checks) {
        if (judge(text)) check(text);
        else
          assert.throws(
            () => check(text),
            (error: Error) => error instanceof InvalidArgumentError && /: \S/.test(error.message),
          );
      }
    }),
    { numRuns: 2000 },
  );
});

test.run();
