/** Nested values as text: on one line if it fits, otherwise with a line for each item. */
import { stringWidth } from '../width.js';

/** A list of items between brackets. */
export interface Group {
  readonly open: string;
  readonly close: string;
  readonly items: readonly Doc[];
  /** Before each item: the keys of an object, with what follows them. */
  readonly keys?: readonly string[];
  /** Puts as many items on a line as fit. */
  readonly fill?: boolean;
}

/** Text of one line, or a list. */
export type Doc = string | Group;

const INDENT = '  ';

/** The text of a value in lines of a width. Only the first line is not indented. */
export function layOut(doc: Doc, width: number, indent = ''): string {
  if (typeof doc === 'string') return doc;
  const line = flat(doc, width - indent.length);
  if (line !== undefined) return line;
  const inner = indent + INDENT;
  const items = doc.items.map((item, index) => {
    const key = doc.keys?.[index] ?? '';
    return key + layOut(item, width - (typeof item === 'string' ? 0 : stringWidth(key)), inner);
  });
  const lines = doc.fill ? filled(items, width - inner.length) : items.map((item) => [item]);
  const body = lines.map((line) => `${inner}${line.join(', ')}`).join(',\n');
  return `${doc.open}\n${body}\n${indent}${doc.close}`;
}

/** The text on one line, unless it is wider than the room. */
function flat(doc: Doc, room: number): string | undefined {
  if (typeof doc === 'string') return stringWidth(doc) <= room ? doc : undefined;
  let text = doc.open;
  let left = room - stringWidth(doc.open) - stringWidth(doc.close);
  for (const [index, item] of doc.items.entries()) {
    const before = `${index === 0 ? '' : ', '}${doc.keys?.[index] ?? ''}`;
    left -= stringWidth(before);
    const inner = left < 0 ? undefined : flat(item, left);
    if (inner === undefined) return undefined;
    left -= stringWidth(inner);
    text += before + inner;
  }
  return left < 0 ? undefined : text + doc.close;
}

function filled(items: readonly string[], room: number): string[][] {
  const lines: string[][] = [];
  let left = 0;
  for (const item of items) {
    const width = stringWidth(item) + 2;
    const line = lines.at(-1);
    if (line === undefined || width > left) {
      lines.push([item]);
      left = room - width;
    } else {
      line.push(item);
      left -= width;
    }
  }
  return lines;
}

/** Plain data as a layout of JSON. */
export function jsonDoc(value: unknown): Doc {
  if (Array.isArray(value)) return { open: '[', close: ']', items: value.map(jsonDoc) };
  if (typeof value === 'object' && value !== null) {
    if (value instanceof Laid) return value.doc;
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    const keys = entries.map(([key]) => `${JSON.stringify(key)}: `);
    return { open: '{', close: '}', keys, items: entries.map(([, item]) => jsonDoc(item)) };
  }
  return JSON.stringify(value) ?? 'null';
}

/** A part of plain data that is laid out already, such as a D-Bus value. */
export class Laid {
  readonly doc: Doc;

  constructor(doc: Doc) {
    this.doc = doc;
  }
}
