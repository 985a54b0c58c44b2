/**
 * Makes plain values of values that were decoded with their variants, and remembers the types of these variants. A
 * plain container is a new one where the decoded container has variants.
 */
import { types } from 'node:util';
import { endOfType } from '../signature/grammar.js';
import type { Variant } from '../values/variant.js';
import { defineProto } from './decode-container.js';
import { type KeptTypes, keptTypesOf, rememberTypes } from './kept-types.js';

/** Makes the values of a body plain. */
export function readKeeping(values: readonly unknown[], signature: string): unknown[] {
  const plain: unknown[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = endOfType(signature, at);
    plain.push(plainKeeping(values[plain.length], signature.slice(at, end)));
    at = end;
  }
  return plain;
}

/** Makes a value of one complete type plain. */
export function plainKeeping(value: unknown, type: string): unknown {
  if (!type.includes('v')) return value;
  if (type === 'v') return contentKeeping(value as Variant);
  if (type[0] === '(') return plainStruct(value as readonly unknown[], type);
  if (type[1] === '{') return plainDictionary(value as object, type.slice(3, -1));
  return plainArray(value as readonly unknown[], type.slice(1));
}

/** Makes the value of a variant plain. If it is a container, its type in the variant is remembered, too. */
export function contentKeeping(variant: Variant): unknown {
  return openVariant(variant, '').content;
}

/**
 * Makes an entry of a dictionary plain.
 *
 * @param dictionary the plain dictionary that will have the entry
 */
export function entryKeeping(dictionary: object, key: string, variant: Variant): unknown {
  return remember(rememberTypes(dictionary), key, variant, 'v');
}

function openVariant(
  { signature, value }: Variant,
  around: string,
): { readonly type: string; readonly content: unknown } {
  if (signature === 'v') return openVariant(value as Variant, `${around}v`);
  const content = plainKeeping(value, signature);
  const type = around + signature;
  // Bytes have this type without being told.
  if (typeof content === 'object' && content !== null && type !== 'ay') rememberTypes(content).own = type;
  return { type, content };
}

function plainStruct(value: readonly unknown[], type: string): unknown[] {
  const fields: unknown[] = [];
  const kept = rememberTypes(fields);
  for (let at = 1; fields.length < value.length; ) {
    const end = endOfType(type, at);
    const index = fields.length;
    fields.push(remember(kept, index, value[index], type.slice(at, end)));
    at = end;
  }
  kept.length = fields.length;
  return fields;
}

function plainArray(value: readonly unknown[], type: string): unknown[] {
  const elements: unknown[] = [];
  const kept = rememberTypes(elements);
  for (let index = 0; index < value.length; index++) elements.push(remember(kept, index, value[index], type));
  kept.length = elements.length;
  return elements;
}

function plainDictionary(value: object, type: string): object {
  if (types.isMap(value)) {
    const map = new Map<unknown, unknown>();
    const kept = rememberTypes(map);
    for (const [key, content] of value) map.set(key, remember(kept, key, content, type));
    return map;
  }
  const object: Record<string, unknown> = {};
  const kept = rememberTypes(object);
  for (const [key, each] of Object.entries(value)) {
    const content = remember(kept, key, each, type);
    if (key === '__proto__') defineProto(object, content);
    else object[key] = content;
  }
  return object;
}

/** Makes a value in a container plain, and remembers its types for the container. */
function remember(kept: KeptTypes, key: unknown, value: unknown, type: string): unknown {
  if (type !== 'v') {
    const content = plainKeeping(value, type);
    rememberInner(kept, key, content);
    return content;
  }
  const opened = openVariant(value as Variant, '');
  kept.types ??= new Map();
  kept.types.set(key, opened.type);
  rememberInner(kept, key, opened.content);
  return opened.content;
}

/**
 * Remembers the types of a value that a container has, and which was read in another way than here.
 *
 * @param variant the variant that the value was read in, if it was in one
 */
export function rememberRead(kept: KeptTypes, key: unknown, content: unknown, variant?: Variant): void {
  if (variant !== undefined) {
    const type = variantType(variant);
    kept.types ??= new Map();
    kept.types.set(key, type);
    if (typeof content === 'object' && content !== null && type !== 'ay') rememberTypes(content).own = type;
  }
  rememberInner(kept, key, content);
}

function variantType({ signature, value }: Variant): string {
  return signature === 'v' ? `v${variantType(value as Variant)}` : signature;
}

function rememberInner(kept: KeptTypes, key: unknown, content: unknown): void {
  const inner = typeof content === 'object' && content !== null ? keptTypesOf(content) : undefined;
  if (inner === undefined || !inner.hasVariants) return;
  kept.inner ??= new Map();
  kept.inner.set(key, inner);
}
