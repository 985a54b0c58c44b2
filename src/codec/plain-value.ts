/**
 * Removes the variants from a received value, and remembers their types if the property keeps them. Values are decoded once, with their variants. A plain value has
 * containers of its own, so that changing them does not change the received value, and shares its strings, buffers and
 * descriptors.
 */
import { types } from 'node:util';
import type { VariantChoice } from '../signature/types.js';
import { Variant } from '../values/variant.js';
import { isPlainObject } from './plain-object.js';
import { plainKeeping } from './read-keeping.js';

/**
 * Returns a value as a setter gets it.
 *
 * @param signature the signature of the value: without variants, the value is plain already
 */
export function takenAs(received: unknown, signature: string, variants: VariantChoice = 'plain'): unknown {
  if (variants === 'wrap' || !signature.includes('v')) return received;
  return variants === 'keep' ? plainKeeping(received, signature) : plain(received);
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Variant.isVariant(value)) return plain(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (types.isMap(value)) return new Map(Array.from(value, ([key, content]) => [key, plain(content)]));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, content]) => [key, plain(content)]));
}
