/**
 * Copies values of which several messages are made, or which are compared before they are sent. A value may have getters,
 * and each of them is called once: a second call may return another value, or open another file descriptor.
 */
import { types } from 'node:util';
import { FileDescriptor } from '../values/file-descriptor.js';
import { receivedVariant, Variant } from '../values/variant.js';
import { isKeeping, keepTypes } from './kept-types.js';
import { ARRAY_BYTES_MAXIMUM, DEPTH_MAXIMUM } from './limits.js';
import { isPlainObject } from './plain-object.js';
import { ShapedValue } from './shaped-value.js';

/**
 * Returns a copy of a value without getters. A value that cannot be read, or is nested too deeply, is returned itself:
 * the encoder refuses it and names the place.
 */
export function readOnce(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  try {
    return copyOf(value, 0);
  } catch {
    return value;
  }
}

function copyOf(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAXIMUM) return value;
  if (FileDescriptor.isFileDescriptor(value) || ArrayBuffer.isView(value)) return value;
  const copy = copyOfContainer(value, depth);
  return isKeeping ? keepTypes(copy, value) : copy;
}

function copyOfContainer(value: object, depth: number): object {
  if (Array.isArray(value)) return copyOfArray(value, depth + 1);
  if (types.isMap(value)) return new Map([...value].map(([key, content]) => [key, copyOf(content, depth + 1)]));
  if (Variant.isVariant(value)) return receivedVariant(value.signature, copyOf(value.value, depth + 1));
  if (value instanceof ShapedValue) return new ShapedValue(value.shape, copyOf(value.value, depth));
  if (!isPlainObject(value)) return value;
  const object = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.keys(object).map((key) => [key, copyOf(object[key], depth + 1)]));
}

function copyOfArray(value: readonly unknown[], depth: number): readonly unknown[] {
  const { length } = value;
  // An array of this length cannot be sent, and the length may be forged.
  if (!(length <= ARRAY_BYTES_MAXIMUM)) return value;
  const copy: unknown[] = [];
  for (let index = 0; index < length; index++) copy.push(copyOf(value[index], depth));
  return copy;
}
