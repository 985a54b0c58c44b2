import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import { parseArguments } from '../../src/interface/arguments.js';

const test = suite('arguments');

test('a signature is a list of unnamed arguments', () => {
  assert.equal(parseArguments('sa{sas}'), [
    { name: undefined, signature: 's' },
    { name: undefined, signature: 'a{sas}' },
  ]);
  assert.equal(parseArguments(''), []);
});

test('arguments are named, or a signature alone', () => {
  assert.equal(parseArguments(['kind:s', 'a{sas}', ':u']), [
    { name: 'kind', signature: 's' },
    { name: undefined, signature: 'a{sas}' },
    { name: undefined, signature: 'u' },
  ]);
  assert.equal(parseArguments([]), []);
});

test('names are free text; the last colon separates them from the signature', () => {
  assert.equal(parseArguments(['a-b c:d:(uu)']), [{ name: 'a-b c:d', signature: '(uu)' }]);
});

test('an argument is one complete type', () => {
  assert.throws(
    () => parseArguments(['a:s', 'b:ss']),
    /argument 1 of the list, "b:ss": signature "ss" must be one complete type, but has 2: s, s/,
  );
  assert.throws(() => parseArguments(['name:']), /argument 0 of the list, "name:": .* but is empty/);
});

test('an invalid signature says which argument has it', () => {
  const refused = (list: string | readonly string[], message: RegExp) =>
    assert.throws(
      () => parseArguments(list),
      (error: unknown) => error instanceof InvalidArgumentError && message.test(error.message),
    );
  refused(['a:z'], /argument 0 of the list, "a:z": invalid signature "z": "z" is not a type code, at offset 0/);
  refused('a{vs}', /invalid signature "a\{vs\}"/);
  refused([5 as unknown as string], /argument 0 of the list must be "name:signature", not number/);
  refused({} as unknown as string, /must be a signature or an array/);
});

test.run();
