/**
 * Decoded values in a form that programs in other languages can write too: only lists and strings, and every value has its
 * type. `y 5`, `s text`, `ay 00ff`; `["as", element…]`, `["(is)", field…]`, `["a{sv}", key, value, …]`, `["v", value]`. The
 * readers in `readers/` print their JSON.
 */
import type { FileDescriptor, Variant } from '../../src/index.js';
import { SignatureReader } from '../interop/values-notation.js';

export type TypedText = string | readonly TypedText[];

/**
 * The typed text of values as busbar reads them with `variants: 'wrap'`. Descriptors are numbered in the order of their
 * appearance, because the numbers of the kernel are arbitrary.
 */
export function typedTexts(signature: string, values: readonly unknown[]): TypedText[] {
  const seen: FileDescriptor[] = [];
  const number = (fd: FileDescriptor) => {
    if (!seen.includes(fd)) seen.push(fd);
    return seen.indexOf(fd);
  };
  return textsOf(signature, values, number);
}

type Numbering = (fd: FileDescriptor) => number;

function textsOf(signature: string, values: readonly unknown[], number: Numbering): TypedText[] {
  const reader = new SignatureReader(signature);
  return values.map((value) => textOf(reader.next(), value, number));
}

function textOf(type: string, value: unknown, number: Numbering): TypedText {
  switch (type[0]) {
    case 'd':
      return `d ${bits(value as number)}`;
    case 'h':
      return `h ${typeof value === 'object' ? number(value as FileDescriptor) : value}`;
    case 'v': {
      const { signature, value: content } = value as Variant;
      return ['v', textOf(signature, content, number)];
    }
    case '(':
      return [type, ...textsOf(type.slice(1, -1), value as unknown[], number)];
    case 'a':
      return arrayText(type, value, number);
    default:
      return `${type} ${value}`;
  }
}

function arrayText(type: string, value: unknown, number: Numbering): TypedText {
  const element = type.slice(1);
  if (element === 'y') return `ay ${(value as Buffer).toString('hex')}`;
  if (element[0] !== '{') return [type, ...(value as unknown[]).map((item) => textOf(element, item, number))];
  const pairs = value instanceof Map ? [...value] : Object.entries(value as object);
  return [type, ...pairs.flatMap((pair) => textsOf(element.slice(1, -1), pair, number))];
}

/** JavaScript has one NaN only, whatever its bits. */
function bits(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString('hex');
}

const NEGATIVE_ZERO = 'd 8000000000000000';
const ZERO = 'd 0000000000000000';

/**
 * The same text for equivalent values: a dictionary has no order, the last of equal keys counts (the specification leaves
 * it to the receiver), and the key of a JavaScript Map, or a Python dict, cannot be -0.
 */
export function normalText(text: TypedText): TypedText {
  if (typeof text === 'string') return text;
  const [type, ...items] = text.map(normalText);
  if (!(type as string).startsWith('a{')) return [type as string, ...items];
  const entries = new Map<string, readonly TypedText[]>();
  for (let i = 0; i < items.length; i += 2) {
    const [key, value] = items.slice(i, i + 2) as [TypedText, TypedText];
    const name = key === NEGATIVE_ZERO ? ZERO : (key as string);
    entries.set(name, [name, value]);
  }
  const names = [...entries.keys()].sort();
  return [type as string, ...names.flatMap((name) => entries.get(name) as readonly TypedText[])];
}
