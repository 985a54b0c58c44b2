/**
 * Gives containers that were read with `variants: 'keep'` the types that are remembered of them, when they are written.
 *
 * - A key keeps its type while its value changes. A value that does not have that type is refused.
 * - A key that was added has no type, and neither has an element that was added to an array, unless all elements of the
 *   array had one type. A container that was moved there has the type of the variant that it was read in.
 * - A new container in the place of one that was read, such as a copy of it, has the types of that one.
 */
import { types } from 'node:util';
import { Variant } from '../values/variant.js';
import { defineProto } from './decode-container.js';
import { type KeptTypes, keptTypesOf, type VariantType } from './kept-types.js';
import { KeptVariant } from './kept-variant.js';
import { ARRAY_BYTES_MAXIMUM } from './limits.js';
import { atIndex, atKey, Misfit } from './misfit.js';
import { isPlainObject } from './plain-object.js';

/** Returns the container with variants of the remembered types; the container itself if there are none. */
export function withKeptTypes(container: unknown): unknown {
  if (typeof container !== 'object' || container === null) return container;
  const kept = keptTypesOf(container);
  return kept?.hasVariants === true ? typed(container, kept) : container;
}

/** Returns the variant that a container was read in; `undefined` if it was not read in a variant. */
export function keptVariantOf(container: object): Variant | undefined {
  const own = keptTypesOf(container)?.own;
  return own === undefined ? undefined : inVariants(own, container, undefined);
}

function typed(container: object, kept: KeptTypes): unknown {
  if (Array.isArray(container)) return kept.length === undefined ? container : typedArray(container, kept, kept.length);
  if (kept.length !== undefined) return container;
  if (types.isMap(container)) {
    return new Map(Array.from(container, ([key, content]) => [key, typedContent(kept, key, content)]));
  }
  return isPlainObject(container) ? typedObject(container, kept) : container;
}

function typedObject(container: object, kept: KeptTypes): object {
  const values = container as Readonly<Record<string, unknown>>;
  const object: Record<string, unknown> = {};
  for (const key of Object.keys(values)) {
    const content = typedContent(kept, key, values[key]);
    if (key === '__proto__') defineProto(object, content);
    else object[key] = content;
  }
  return object;
}

function typedArray(container: readonly unknown[], kept: KeptTypes, before: number): unknown {
  const { length } = container;
  // It cannot be sent, and the length may be forged.
  if (length > ARRAY_BYTES_MAXIMUM) return container;
  const elements: unknown[] = [];
  if (length === before) {
    for (let index = 0; index < length; index++) elements.push(typedContent(kept, index, container[index]));
    return elements;
  }
  if (kept.types === undefined) return container;
  // Elements may have moved, so their types are known only if all are the same.
  const [common, ...others] = new Set(kept.types.values());
  for (let index = 0; index < length; index++) {
    const content = container[index];
    if (others.length === 0) elements.push(typedVariant(common as VariantType, content, index));
    else elements.push(movedElement(content, [common as VariantType, ...others], before, length));
  }
  return elements;
}

function movedElement(content: unknown, all: readonly VariantType[], before: number, length: number): unknown {
  if (Variant.isVariant(content)) return content;
  if (typeof content === 'object' && content !== null && keptTypesOf(content)?.own !== undefined) return content;
  throw new Misfit(
    `its elements were read as variants of several types (${all.join(', ')}), and it now has ${length} of them instead of ` +
      `${before}: write them as Variants`,
  );
}

function typedContent(kept: KeptTypes, key: unknown, content: unknown): unknown {
  const inner = kept.inner?.get(key);
  const type = kept.types?.get(key);
  try {
    const own = inner === undefined ? content : replaced(content, inner);
    return type === undefined ? own : typedVariant(type, own, key);
  } catch (error) {
    throw kept.length === undefined ? atKey(key, error) : atIndex(key as number, error);
  }
}

/** Gives a new container the types of the one that it replaces. */
function replaced(content: unknown, inner: KeptTypes): unknown {
  if (typeof content !== 'object' || content === null || types.isProxy(content)) return content;
  return keptTypesOf(content) === undefined ? typed(content, inner) : content;
}

function typedVariant(type: VariantType, content: unknown, key: unknown): unknown {
  // An entry that is `undefined` is left out, and a Variant chooses another type.
  return content === undefined || Variant.isVariant(content) ? content : inVariants(type, content, key);
}

function inVariants(type: VariantType, content: unknown, key: unknown): Variant {
  let around = 0;
  while (type[around] === 'v') around++;
  const signature = type.slice(around);
  let variant: Variant =
    key === undefined ? new Variant(signature, content as never) : new KeptVariant(signature, content, key);
  for (; around > 0; around--) variant = new Variant('v', variant as never) as Variant;
  return variant;
}
