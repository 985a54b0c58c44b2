/**
 * Reads values with a shape: it checks the entries of their dictionaries, and takes them out of their variants. The values
 * were decoded with all variants as `Variant`, so that the types are known.
 */
import { types } from 'node:util';
import type { DictShape, Shape, ShapedType } from '../signature/shape.js';
import type { VariantChoice } from '../signature/types.js';
import { receivedVariant, type Variant } from '../values/variant.js';
import { closeDescriptors } from './close-descriptors.js';
import { defineProto } from './decode-container.js';
import { rememberTypes } from './kept-types.js';
import { atIndex, atKey, Misfit } from './misfit.js';
import { takenAs } from './plain-value.js';
import { rememberRead } from './read-keeping.js';

/** How values with a shape are read. */
export interface ShapedReading {
  /**
   * How variants are read whose types are not described. `typed`: all variants stay, also those of entries whose type is
   * known, so that the value can be written again as it was received.
   */
  readonly variants?: VariantChoice | 'typed' | undefined;
  /** Called with what is wrong, which is then read as it is. If left out, it is thrown. */
  readonly accept?: ((misfit: Misfit) => void) | undefined;
}

/**
 * Returns the value as the program gets it. Keys that are not known are left out, and descriptors in them are closed.
 *
 * @throws {@link Misfit} if a dictionary lacks a required key, or an entry has another type
 */
export function readShaped(value: unknown, shape: Shape, reading: ShapedReading): unknown {
  if (shape.kind === 'dict') return readDict(value as object, shape, reading);
  const elements: unknown[] = [];
  const kept = reading.variants === 'keep' ? rememberTypes(elements) : undefined;
  for (const [index, each] of (value as readonly unknown[]).entries()) {
    const type = shape.kind === 'array' ? shape.element : (shape.fields[index] as ShapedType);
    try {
      const content = readType(each, type, reading);
      elements.push(content);
      if (kept !== undefined)
        rememberRead(kept, index, content, type.signature === 'v' ? (each as Variant) : undefined);
    } catch (error) {
      throw atIndex(index, error);
    }
  }
  if (kept !== undefined) kept.length = elements.length;
  return elements;
}

function readDict(value: object, shape: DictShape, reading: ShapedReading): object {
  const isMap = types.isMap(value);
  const map = new Map<string, unknown>();
  const object: Record<string, unknown> = {};
  const read = isMap ? map : object;
  const kept = reading.variants === 'keep' ? rememberTypes(read) : undefined;
  const found = new Set<string>();
  for (const [key, each] of isMap ? (value as ReadonlyMap<string, unknown>) : Object.entries(value)) {
    const entry: ShapedType | undefined = shape.entries.get(key) ?? shape.others;
    if (entry === undefined || isOtherType(shape, key, entry, each, reading)) {
      closeDescriptors(each);
      continue;
    }
    found.add(key);
    let content: unknown;
    try {
      content = shape.wraps ? readEntry(each as Variant, entry, reading) : readType(each, entry, reading);
    } catch (error) {
      throw atKey(key, error);
    }
    if (kept !== undefined) rememberRead(kept, key, content, shape.wraps ? (each as Variant) : undefined);
    if (isMap) map.set(key, content);
    else if (key === '__proto__') defineProto(object, content);
    else object[key] = content;
  }
  for (const [key, { optional, signature }] of shape.entries) {
    if (!optional && !found.has(key)) {
      refuse(reading, atKey(key, new Misfit(`the entry is missing: dict() requires it (${signature})`)));
    }
  }
  return read;
}

/** Whether an entry without a description of its own is left out, because it does not have the type of `'...'`. */
function isOtherType(
  shape: DictShape,
  key: string,
  entry: ShapedType,
  value: unknown,
  reading: ShapedReading,
): boolean {
  if (!shape.wraps || entry.signature === 'v' || reading.accept !== undefined || shape.entries.has(key)) return false;
  return (value as Variant).signature !== entry.signature;
}

/** Reads an entry out of its variant. */
function readEntry(variant: Variant, entry: ShapedType, reading: ShapedReading): unknown {
  const { signature, value } = variant;
  const { variants } = reading;
  if (entry.signature === 'v') return variants === 'typed' ? variant : takenAs(variant, 'v', variants);
  const isOfType = signature === entry.signature;
  if (!isOfType) refuse(reading, new Misfit(`expected ${entry.signature}, got ${signature}`));
  const content = isOfType ? readType(value, entry, reading) : takenAs(value, signature, plainOr(variants));
  return variants === 'typed' ? receivedVariant(signature, content) : content;
}

function readType(value: unknown, { signature, shape }: ShapedType, reading: ShapedReading): unknown {
  return shape === undefined ? takenAs(value, signature, plainOr(reading.variants)) : readShaped(value, shape, reading);
}

/** With all variants kept, a value is read as with `wrap`. */
function plainOr(variants: ShapedReading['variants']): VariantChoice | undefined {
  return variants === 'typed' ? 'wrap' : variants;
}

function refuse({ accept }: ShapedReading, misfit: unknown): void {
  if (accept === undefined || !(misfit instanceof Misfit)) throw misfit;
  accept(misfit);
}
