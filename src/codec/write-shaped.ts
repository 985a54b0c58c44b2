/**
 * Makes the containers that are written for values with a shape: one level each, because the values in them are made
 * when the encoder comes to them. So errors have the path to the value, and a getter is called once.
 */
import { types } from 'node:util';
import { suggestion } from '../base/nearest-name.js';
import { printable } from '../base/printable.js';
import type { DictShape, EntryShape, ShapedType } from '../signature/shape.js';
import { receivedVariant, Variant } from '../values/variant.js';
import { isKeeping } from './kept-types.js';
import { KeptVariant } from './kept-variant.js';
import { atKey, Misfit } from './misfit.js';
import { isPlainObject } from './plain-object.js';
import { type ShapedValue, shaped } from './shaped-value.js';
import { withKeptTypes } from './write-kept.js';

/**
 * The container that is written. A value that is none is returned itself: the encoder refuses it.
 *
 * @throws {@link Misfit} if a dictionary lacks a key, or has one that is not known
 */
export function writable({ shape, value: given }: ShapedValue): unknown {
  const value = isKeeping ? withKeptTypes(given) : given;
  if (shape.kind === 'dict') {
    if (types.isMap(value)) return writtenEntries(shape, value);
    return isPlainObject(value) ? writtenEntries(shape, ownEntries(value as object)) : value;
  }
  if (!Array.isArray(value)) return value;
  if (shape.kind === 'array') return value.map((element) => shaped(shape.element.shape, element));
  return value.map((field, index) => shaped(shape.fields[index]?.shape, field));
}

/** Entries that are `undefined` are left out, as in every dictionary. */
function* ownEntries(object: object): Iterable<readonly [string, unknown]> {
  for (const key of Object.keys(object)) {
    const content = (object as Readonly<Record<string, unknown>>)[key];
    if (content !== undefined) yield [key, content];
  }
}

function writtenEntries(shape: DictShape, entries: Iterable<readonly [unknown, unknown]>): Map<unknown, unknown> {
  const written = new Map<unknown, unknown>();
  for (const [key, content] of entries) {
    const entry: ShapedType | undefined = shape.entries.get(key as string) ?? shape.others;
    if (entry === undefined) throw unknownEntry(shape, key);
    written.set(key, shape.wraps ? inVariant(entry, key, content) : shaped(entry.shape, content));
  }
  for (const [key, entry] of shape.entries) {
    if (!entry.optional && !written.has(key)) throw missingEntry(key, entry);
  }
  return written;
}

function inVariant(entry: ShapedType, key: unknown, content: unknown): unknown {
  const { signature } = entry;
  // The encoder finds the type, or takes the variant as it is.
  if (signature === 'v') return content;
  if (!Variant.isVariant(content)) return receivedVariant(signature, shaped(entry.shape, content));
  // The type that was read with `variants: 'keep'` does not count here.
  if (content.signature === signature || KeptVariant.isKept(content)) {
    return receivedVariant(signature, shaped(entry.shape, content.value));
  }
  throw atKey(key, new Misfit(`expected ${signature}, got a Variant of type ${content.signature}`));
}

function missingEntry(key: string, { signature }: EntryShape): unknown {
  const name = printable(key);
  return atKey(
    key,
    new Misfit(`the entry is missing: add it (${signature}), or write '${name}?' in dict() if it is optional`),
  );
}

function unknownEntry({ entries }: DictShape, key: unknown): unknown {
  const known = typeof key === 'string' ? suggestion(key, entries.keys()) : '';
  return atKey(key, new Misfit(`dict() has no such key${known}; write '...': 'v' in dict() to allow other keys`));
}
