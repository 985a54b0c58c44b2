import { deepStrictEqual } from 'node:assert/strict';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Writer } from '../../src/codec/writer.js';
import { Variant, variant } from '../../src/values/variant.js';

const test = suite('variant');

test('a variant has a signature and a value', () => {
  const value = variant('a{sv}', { Name: 'x' });
  assert.instance(value, Variant);
  assert.is(value.signature, 'a{sv}');
  assert.equal(value.value, { Name: 'x' });
});

test('there is a short form for basic types, variants, and arrays of these', () => {
  const made = [
    variant.y(1),
    variant.b(true),
    variant.n(1),
    variant.q(1),
    variant.i(1),
    variant.u(1),
    variant.x(1n),
    variant.t(1n),
    variant.d(1),
    variant.s(''),
    variant.o('/'),
    variant.g('s'),
    variant.h(0),
    variant.v(1),
    variant.ay([1]),
    variant.ab([true]),
    variant.an([1]),
    variant.aq([1]),
    variant.ai([1]),
    variant.au([1]),
    variant.ax([1n]),
    variant.at([1n]),
    variant.ad([1]),
    variant.as(['']),
    variant.ao(['/']),
    variant.ag(['s']),
    variant.ah([0]),
    variant.av([1, variant.u(1)]),
  ];
  const signatures = 'y b n q i u x t d s o g h v ay ab an aq ai au ax at ad as ao ag ah av';
  assert.is(made.map(({ signature }) => signature).join(' '), signatures);
  assert.is(inspect(variant.av([variant.u(1)])), 'variant.av([ variant.u(1) ])');
  for (const value of made) encoderFor('v')(new Writer(), [value]);
});

test('the signature must be one complete type', () => {
  for (const signature of ['', 'ss', 'a', 'z', 'a{vs}']) {
    assert.throws(
      () => variant(signature as string, 1),
      (error: unknown) => error instanceof InvalidArgumentError,
    );
  }
});

test('a value of another type is refused when it is written, with its path', () => {
  const body = { a: variant('a(su)', [['x', -1]]) };
  assert.throws(() => encoderFor('a{sv}')(new Writer(), [body]), /^argument 0\.a\[0\]\[1\]: expected u .*, got -1/);
});

test('equal variants are equal', () => {
  deepStrictEqual(variant.u(5), new Variant('u', 5));
  assert.equal(variant.as(['a']), new Variant('as', ['a']));
  assert.not.equal(variant.u(5), variant.i(5));
});

test('a variant of another copy of the package is one', () => {
  const foreign = Object.create(
    { [Symbol.for('busbar.Variant')]: true },
    { signature: { value: 'y' }, value: { value: 7 } },
  );
  assert.ok(Variant.isVariant(foreign));
  assert.instance(foreign, Variant);
  const writer = new Writer();
  encoderFor('v')(writer, [foreign]);
  assert.equal([...writer.bytes.subarray(0, writer.position)], [1, 0x79, 0, 7]);
});

test('an invalid signature of another copy is refused with the path', () => {
  const foreign = Object.create(
    { [Symbol.for('busbar.Variant')]: true },
    { signature: { value: 'z' }, value: { value: 7 } },
  );
  assert.throws(() => encoderFor('av')(new Writer(), [[foreign]]), /^argument 0\[0\]: invalid signature "z"/);
});

test('other values are not variants', () => {
  for (const value of [undefined, null, 1, {}, { signature: 's', value: '' }]) assert.not(Variant.isVariant(value));
});

test('inspecting a variant shows the code that makes it', () => {
  assert.is(inspect(variant.u(5)), 'variant.u(5)');
  assert.is(inspect(variant('a{sv}', { a: variant.s('x') })), "variant('a{sv}', { a: variant.s('x') })");
  assert.is(inspect([[[variant.u(5)]]]), '[ [ [ [Variant u] ] ] ]');
  assert.is(
    inspect(variant('v', variant('v', variant('v', variant.u(5)))), { depth: 1 }),
    'variant.v(variant.v([Variant v]))',
  );
});

test.run();
