/** Bodies that other implementations wrote: the codec writes the same bytes, and reads the same values. */
import { deepStrictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Reader } from '../../src/codec/reader.js';
import { Writer } from '../../src/codec/writer.js';
import { parseSignature, type Type } from '../../src/signature/parse.js';
import { Variant, variant } from '../../src/values/variant.js';
import { sharedPath } from '../helpers/paths.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('codec: bytes of other implementations');

function encode(signature: string, values: readonly unknown[]): string {
  const writer = new Writer();
  writer.beginMessage();
  encoderFor(signature)(writer, values);
  return Buffer.from(writer.bytes.subarray(0, writer.position)).toString('hex');
}

function decode(signature: string, body: Uint8Array, variants: 'plain' | 'wrap'): unknown[] {
  const memory = new ArrayBuffer(body.length);
  new Uint8Array(memory).set(body);
  return decoderFor(signature, { variants })(new Reader(memory).open(0, body.length));
}

/** The body of a little-endian message. */
function bodyOf(message: Buffer): Buffer {
  return message.subarray(message.length - message.readUInt32LE(4));
}

interface Example {
  readonly message: { readonly signature: string; readonly body?: readonly unknown[] };
  readonly data: string;
}

/**
 * The value of busbar for one in the JSON of the tables, where a variant is `{ signature, value }` and a 64-bit integer is
 * a number.
 */
function fromJson(type: Type, json: unknown): unknown {
  switch (type.code) {
    case 'v': {
      const { signature, value } = json as { signature: string; value: unknown };
      return variant(signature, fromJson(parseSignature(signature)[0] as Type, value));
    }
    case '(':
      return (json as unknown[]).map((value, index) => fromJson(type.fields[index] as Type, value));
    case 'a': {
      const { element } = type;
      if (element.code !== '{') return (json as unknown[]).map((value) => fromJson(element, value));
      return Object.fromEntries(
        Object.entries(json as object).map(([key, value]) => [key, fromJson(element.value, value)]),
      );
    }
    case 'x':
    case 't':
      return BigInt(json as number);
    default:
      return json;
  }
}

for (const source of ['dbus-fast', 'python-dbus-next']) {
  const file = sharedPath(`data/${source}/messages.json`);
  testUnless(file ? undefined : 'the corpus is absent', test, `bodies of ${source} are written and read alike`, () => {
    const examples = JSON.parse(readFileSync(file as string, 'utf8')) as readonly Example[];
    assert.ok(examples.length > 10);
    for (const { message, data } of examples) {
      const { signature, body = [] } = message;
      const bytes = bodyOf(Buffer.from(data, 'hex'));
      const values = parseSignature(signature).map((type, index) => fromJson(type, body[index]));
      assert.is(encode(signature, values), bytes.toString('hex'), signature);
      deepStrictEqual(decode(signature, bytes, 'wrap'), values);
    }
  });
}

/** The Go values of the table, by their text there. One entry of the table is cut off, and left out. */
const goValues: Readonly<Record<string, readonly [signature: string, values: readonly unknown[]]>> = {
  'int32(0)': ['i', [0]],
  'true, false': ['bb', [true, false]],
  'byte(0), uint16(12), int16(32), uint32(43)': ['yqnu', [0, 12, 32, 43]],
  'int64(-1), uint64(1<<64 - 1)': ['xt', [-1n, 2n ** 64n - 1n]],
  'math.Inf(+1)': ['d', [Number.POSITIVE_INFINITY]],
  '"foo"': ['s', ['foo']],
  'Signature{"ai"}': ['g', ['ai']],
  '[]int16{42, 256}': ['an', [[42, 256]]],
  'MakeVariant("foo")': ['v', [variant.s('foo')]],
  'MakeVariant(MakeVariant(Signature{"v"}))': ['v', [variant.v(variant.g('v'))]],
  'map[int32]bool{42: true}': ['a{ib}', [new Map([[42, true]])]],
  'map[string]Variant{}, byte(42)': ['a{sv}y', [{}, 42]],
  '[]uint64{}, byte(42)': ['aty', [[], 42]],
  'uint16(1), true': ['qb', [1, true]],
};

const go = sharedPath('data/peer-tables/godbus-proto.json');
testUnless(go ? undefined : 'the corpus is absent', test, 'bodies of godbus are written and read alike', () => {
  const entries = JSON.parse(readFileSync(go as string, 'utf8')) as readonly {
    go_values: string;
    little_endian: string;
  }[];
  const used = entries.filter(({ go_values }) => go_values in goValues);
  assert.is(used.length, Object.keys(goValues).length);
  for (const { go_values, little_endian } of used) {
    const [signature, values] = goValues[go_values] as [string, unknown[]];
    assert.is(encode(signature, values), little_endian, go_values);
    deepStrictEqual(decode(signature, Buffer.from(little_endian, 'hex'), 'wrap'), values);
  }
});

const objects = sharedPath('data/dbus-fast/get_managed_objects.hex');
testUnless(
  objects ? undefined : 'the corpus is absent',
  test,
  'the objects of BlueZ are read, and written back',
  () => {
    const signature = 'a{oa{sa{sv}}}';
    const bytes = bodyOf(Buffer.from(readFileSync(objects as string, 'utf8').trim(), 'hex'));
    const values = decode(signature, bytes, 'wrap');
    assert.is(encode(signature, values), bytes.toString('hex'));

    const [plain] = decode(signature, bytes, 'plain') as [Record<string, Record<string, Record<string, unknown>>>];
    const [wrapped] = values as [Record<string, Record<string, Record<string, unknown>>>];
    const adapter = plain['/org/bluez/hci0']?.['org.bluez.Adapter1'];
    const wrappedAdapter = wrapped['/org/bluez/hci0']?.['org.bluez.Adapter1'];
    assert.type(adapter?.Address, 'string');
    assert.ok(wrappedAdapter?.Address instanceof Variant);
    assert.is((wrappedAdapter.Address as Variant).value, adapter?.Address);
    assert.ok(Object.keys(plain).length > 100);
  },
);

test.run();
