/**
 * Removes the variants from a received value. Values are decoded once, with their variants. A plain value has
 * containers of its own, so that changing them does not change the received value, and shares its strings, buffers and
 * descriptors.
 */
import { types } from 'node:util';
import { isPlainObject } from '../../codec/encode-container.js';
import { Variant } from '../../values/variant.js';

/** @param signature the signature of the value: without variants, the value is plain already */
export function withoutVariants(received: unknown, signature: string | undefined): unknown {
  return signature?.includes('v') === true ? plain(received) : received;
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Variant.isVariant(value)) return plain(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (types.isMap(value)) return new Map(Array.from(value, ([key, content]) => [key, plain(content)]));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, content]) => [key, plain(content)]));
}
