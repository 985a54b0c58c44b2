// dict(), arrayOf() and structOf(): what a definition may say, and values of random shapes, which are read as they were
// written, however they are read, and refused with the key if an entry is missing or has another type.
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Misfit } from '../../src/codec/misfit.js';
import { readShaped } from '../../src/codec/read-shaped.js';
import { Reader } from '../../src/codec/reader.js';
import { ShapedValue } from '../../src/codec/shaped-value.js';
import { Writer } from '../../src/codec/writer.js';
import { arrayOf, defineInterface, dict, InvalidArgumentError, structOf, Variant, variant } from '../../src/index.js';
import { type Shape, shapedType } from '../../src/signature/shape.js';
import { singleTypes, valueOfType } from '../helpers/arbitrary-bodies.js';
import { thrown } from '../helpers/rejection.js';
import { replayable } from '../helpers/replay.js';

const test = suite('dict(): definitions and random values');

const writer = new Writer();

function encode(signature: string, value: unknown): Buffer {
  writer.reset();
  writer.beginMessage();
  encoderFor(signature)(writer, [value]);
  return Buffer.from(writer.bytes.subarray(0, writer.position));
}

/** The value with all its variants. */
function decode(signature: string, body: Uint8Array): unknown {
  const memory = new ArrayBuffer(body.length);
  new Uint8Array(memory).set(body);
  return decoderFor(signature, { variants: 'wrap' })(new Reader(memory).open(0, body.length))[0];
}

/** A described type and a value of it, as it is read with `variants: 'wrap'`. */
interface Described {
  readonly text: string;
  readonly value: unknown;
}

const leaf: fc.Arbitrary<Described> = singleTypes
  .filter((type) => type.length < 40)
  .chain((text) => valueOfType(text, 2).map((value) => ({ text, value })));

const key = fc
  .oneof(fc.string({ maxLength: 6 }), fc.constantFrom('__proto__', 'constructor', '1', 'a-b'))
  .filter((name) => !/[\0?]/.test(name) && name !== '...');

interface Entry {
  readonly name: string;
  readonly isOptional: boolean;
  readonly isThere: boolean;
  readonly of: Described;
}

const entriesOf = (of: fc.Arbitrary<Described>) =>
  fc.uniqueArray(fc.record<Entry>({ name: key, isOptional: fc.boolean(), isThere: fc.boolean(), of }), {
    selector: ({ name }) => name,
    maxLength: 4,
  });

/** As `Object.fromEntries`, which makes `__proto__` an own key too. */
function dictOf(entries: readonly Entry[]): Described {
  const text = Object.fromEntries(
    entries.map(({ name, isOptional, of }) => [isOptional ? `${name}?` : name, of.text] as const),
  );
  const there = entries.filter(({ isOptional, isThere }) => !isOptional || isThere);
  return {
    text: dict(text as Record<string, 's'>) as string,
    value: Object.fromEntries(there.map(({ name, of }) => [name, of.value])),
  };
}

const { described } = fc.letrec<{ described: Described }>((tie) => ({
  described: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    entriesOf(tie('described')).map(dictOf),
    tie('described').map(({ text, value }) => ({
      text: arrayOf(text as 's') as string,
      value: text === 'y' ? Buffer.of(value as number) : [value, value],
    })),
    fc.tuple(leaf, tie('described')).map(([first, second]) => ({
      text: structOf([first.text, second.text] as ['s', 's']) as string,
      value: [first.value, second.value],
    })),
  ),
}));

const dictionaries = entriesOf(described).map((entries) => ({ entries, of: dictOf(entries) }));

const isShaped = ({ text }: Described) => shapedType(text).shape !== undefined;

test('random values of random shapes are read as they were written, and written again with the same bytes', () => {
  fc.assert(
    fc.property(described.filter(isShaped), ({ text, value }) => {
      const { signature, shape } = shapedType(text) as { signature: string; shape: Shape };
      const body = encode(signature, new ShapedValue(shape, value));
      const sent = decode(signature, body);
      deepStrictEqual(readShaped(sent, shape, { variants: 'wrap' }), value);
      for (const variants of ['wrap', 'typed', 'keep'] as const) {
        const read = readShaped(decode(signature, body), shape, { variants });
        assert.ok(encode(signature, new ShapedValue(shape, read)).equals(body), variants);
      }
    }),
    replayable(150),
  );
});

test('an entry that is missing, of another type or not known is refused with its key, or left out when it is read', () => {
  fc.assert(
    fc.property(dictionaries, fc.nat(), ({ entries, of }, choice) => {
      const required = entries.filter(({ isOptional }) => !isOptional);
      const entry = required[choice % Math.max(1, required.length)];
      if (entry === undefined) return;
      const { name } = entry;
      const { signature, shape } = shapedType(of.text) as { signature: string; shape: Shape };
      const own = of.value as Record<string, unknown>;
      const others = Object.fromEntries(Object.entries(own).filter(([other]) => other !== name));
      const refusal = thrown(() => encode(signature, new ShapedValue(shape, others)));
      assert.instance(refusal, InvalidArgumentError);
      assert.match(refusal.message, 'the entry is missing');
      assert.throws(() => encode(signature, new ShapedValue(shape, { ...own, 'not known': 1 })), /no such key/);

      const sent = decode(signature, encode(signature, new ShapedValue(shape, own))) as Record<string, Variant>;
      const more = Object.fromEntries([...Object.entries(sent), ['not known', variant.u(1)]]);
      deepStrictEqual(readShaped(more, shape, { variants: 'wrap' }), own);
      const less = Object.fromEntries(Object.entries(sent).filter(([other]) => other !== name));
      assert.match(misfitOf(less, shape), 'the entry is missing');
      if (entry.of.text === 'v') return;
      const wrong = shapedType(entry.of.text).signature === 'u' ? variant.s('x') : variant.u(1);
      const changed = Object.fromEntries(
        Object.entries(sent).map(([other, each]) => [other, other === name ? wrong : each]),
      );
      assert.match(misfitOf(changed, shape), `got ${wrong.signature}`);
    }),
    replayable(150),
  );
});

function misfitOf(sent: unknown, shape: Shape): string {
  try {
    readShaped(sent, shape, {});
  } catch (error) {
    assert.ok(error instanceof Misfit);
    return (error as Misfit).message;
  }
  throw new Error('the value was accepted');
}

test('what a definition cannot say is refused when it is made', () => {
  const refused = (make: () => unknown, text: string) => {
    const error = thrown(make);
    assert.instance(error, InvalidArgumentError);
    assert.ok(error.message.includes(text), error.message);
  };
  refused(() => dict({ Name: 'z' } as never), 'dict(): the entry "Name": invalid signature "z"');
  refused(() => dict({ Name: 'ss' } as never), 'must be one complete type');
  refused(() => dict({ Name: 5 } as never), 'dict(): the entry "Name": expected a signature, got number');
  refused(() => dict({ Name: 's', 'Name?': 's' } as never), 'the key "Name" occurs twice');
  refused(() => dict({ Name: 's' } as never, 'a{us}' as never), 'is not a dictionary with text keys');
  refused(() => dict({ Name: 's' } as never, 'a{sa{sv}}' as never), 'but the values of the dictionary have "a{sv}"');
  refused(() => dict([] as never), 'expected an object of signatures by key');
  refused(() => arrayOf('z' as never), 'arrayOf(): invalid signature');
  refused(() => structOf<readonly string[]>('si' as never), 'structOf(): expected an array of types');
  refused(() => structOf([]), 'a struct must have a field');
  const point = dict({ Name: 's' });
  refused(
    () => new Variant(point, { Name: 'x' }),
    'dict() describes members of an interface: write the signature "a{sv}" here',
  );
  const two = `s${point}`;
  refused(() => defineInterface('a.b', { methods: { A: { in: two } } }), 'must be one complete type');
  refused(
    () => defineInterface('a.b', { methods: { A: { in: `${point}s` as string } } }),
    'a type with dict() stands alone',
  );
  refused(
    () => defineInterface('a.b', { methods: { A: { in: [`${point}${point}` as string] } } }),
    'a type with dict() stands alone',
  );
});

test('an argument may have its name before the text, and a type with a name may stand where names do not count', () => {
  const options = dict({ 'Level?': 'u' }, 'options:a{sv}');
  const { description } = defineInterface('a.b', {
    methods: { A: { in: [options, `more:${dict({ Name: 's' })}` as string, arrayOf(options, 'list')], out: options } },
    properties: { P: { type: options } },
  });
  const method = description.methods.get('A');
  assert.equal(
    method?.in.map(({ name }) => name),
    ['options', 'more', 'list'],
  );
  assert.is(method?.inSignature, 'a{sv}a{sv}aa{sv}');
  assert.is(method?.out[0]?.name, 'options');
  assert.is(description.properties.get('P')?.signature, 'a{sv}');
  assert.is(description.properties.get('P')?.shape?.kind, 'dict');
});

test.run();
