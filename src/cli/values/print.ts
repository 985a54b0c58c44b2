/**
 * Values as text, in two notations that `read.ts` reads back. Values are as the library reads them with `variants: 'wrap'`
 * and `dictionaries: 'map'`.
 *
 * - **JSON**, for programs: as busctl prints it. Integers have all their digits, bytes are an array of numbers, a variant
 *   is `{"type": "u", "data": 5}`, the keys of dictionaries are strings, and the doubles that JSON does not have are the
 *   strings `"NaN"`, `"Infinity"` and `"-Infinity"`.
 * - **for people**: the same, but a variant is its signature and its value, `u 5`, and bytes are `"text"` or `0x0aff`.
 */
import { printable } from '../../base/printable.js';
import type { DictEntryType, FileDescriptor, Type, Variant } from '../../index.js';
import { library } from '../library.js';
import type { Output } from '../output.js';
import { describeDescriptor } from './describe-descriptor.js';
import type { Doc, Group } from './layout.js';

/** A notation. Paints parts of it if there are colours. */
interface Notation {
  readonly string: (text: string) => string;
  readonly literal: (text: string) => string;
  readonly key: (text: string) => string;
  readonly bytes: (bytes: Uint8Array) => Doc;
  readonly variant: (signature: string, value: Doc) => Doc;
}

const PLAIN_JSON: Notation = {
  string: quote,
  literal: (text) => text,
  key: quote,
  bytes: (bytes) => list([...bytes].map(String), true),
  variant: (signature, data) => ({
    open: '{',
    close: '}',
    keys: ['"type": ', '"data": '],
    items: [quote(signature), data],
  }),
};

/** A value of one complete type as JSON. */
export function jsonValue(signature: string, value: unknown): Doc {
  return docOf(single(signature), value, PLAIN_JSON);
}

/** The values of a message as JSON. */
export function jsonValues(signature: string, values: readonly unknown[]): Doc {
  return list(library.parseSignature(signature).map((type, index) => docOf(type, values[index], PLAIN_JSON)));
}

/** A value of one complete type for people. */
export function readableValue(output: Output, signature: string, value: unknown): Doc {
  const paint = output.paint.bind(output);
  return docOf(single(signature), value, {
    string: (text) => paint('green', quote(text)),
    literal: (text) => paint('yellow', text),
    key: quote,
    bytes: (bytes) => readableBytes(bytes, paint),
    variant: (type, content) => {
      const prefix = `${paint('dim', type)} `;
      return typeof content === 'string' ? prefix + content : { ...content, open: prefix + content.open };
    },
  });
}

function single(signature: string): Type {
  return library.parseSignature(signature)[0] as Type;
}

function docOf(type: Type, value: unknown, notation: Notation): Doc {
  switch (type.code) {
    case 's':
    case 'o':
    case 'g':
      return notation.string(value as string);
    case 'd':
      return numberDoc(value as number, notation);
    case 'h':
      return notation.string(describeDescriptor(value as FileDescriptor));
    case 'v': {
      const { signature, value: content } = value as Variant;
      return notation.variant(signature, docOf(single(signature), content, notation));
    }
    case '(':
      return list(type.fields.map((field, index) => docOf(field, (value as readonly unknown[])[index], notation)));
    case 'a':
      return arrayDoc(type.element, value, notation);
    default:
      return notation.literal(String(value));
  }
}

function arrayDoc(element: Type | DictEntryType, value: unknown, notation: Notation): Doc {
  if (element.code === 'y') return notation.bytes(value as Uint8Array);
  if (element.code !== '{') {
    const isNumbers = 'nqiuxtdb'.includes(element.code);
    return list(
      (value as readonly unknown[]).map((item) => docOf(element, item, notation)),
      isNumbers,
    );
  }
  const entries = [...(value as ReadonlyMap<unknown, unknown>)];
  const keys = entries.map(([key]) => `${notation.key(keyText(element, key))}: `);
  return { open: '{', close: '}', keys, items: entries.map(([, item]) => docOf(element.value, item, notation)) };
}

/** The keys of JSON are strings. */
function keyText({ key: type }: DictEntryType, key: unknown): string {
  if (type.code === 'd') return doubleText(key as number);
  return type.code === 'h' ? describeDescriptor(key as FileDescriptor) : String(key);
}

function numberDoc(value: number, notation: Notation): Doc {
  return Number.isFinite(value) ? notation.literal(doubleText(value)) : notation.string(doubleText(value));
}

function doubleText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function list(items: readonly Doc[], fill = false): Group {
  return { open: '[', close: ']', items, fill };
}

/** A JSON string without characters that a terminal takes for commands. */
function quote(text: string): string {
  return printable(JSON.stringify(text));
}

/** The shortest text for which bytes are taken for text: shorter ones are numbers more often. */
const TEXT_MINIMUM = 3;

/** Text if it is some, perhaps with the NUL at the end that C has; otherwise hexadecimal digits. */
function readableBytes(bytes: Uint8Array, paint: Output['paint']): Doc {
  if (bytes.length === 0) return '[]';
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = buffer.toString('utf8');
  const body = text.endsWith('\0') ? text.slice(0, -1) : text;
  const isText = body.length >= TEXT_MINIMUM && !/[\p{Cc}\p{Cn}\ufffd]/u.test(body);
  return isText ? paint('green', quote(text)) : paint('yellow', `0x${buffer.toString('hex')}`);
}
