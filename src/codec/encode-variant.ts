/**
 * Writing variants: of the type that a `Variant` names, or of the type that goes without saying.
 *
 * @see D-Bus specification, type VARIANT
 */
import { types } from 'node:util';
import { BoundedCache } from '../base/bounded-cache.js';
import { InvalidArgumentError } from '../base/errors.js';
import { checkSingle } from '../signature/parse.js';
import { Variant } from '../values/variant.js';
import { isPlainObject } from './encode-container.js';
import { compile, type ValueEncoder } from './encoder.js';
import { checkCount } from './least-size.js';
import { tooDeepText } from './limits.js';
import { describe, Misfit } from './misfit.js';
import type { Writer } from './writer.js';

interface Content {
  readonly write: ValueEncoder;
  readonly depth: number;
}

const contents = new BoundedCache<Content>();

/** @param nesting how many containers of its signature the variant is in */
export function encodeVariant(nesting: number): ValueEncoder {
  return (writer, value) => {
    if (Variant.isVariant(value)) encodeContent(writer, nesting, value.signature, value.value);
    else encodeContent(writer, nesting, inferSignature(value), value);
  };
}

/** Writes a variant with a value of a type. */
export function encodeContent(writer: Writer, nesting: number, signature: string, value: unknown): void {
  const content = contents.get(signature) ?? newContent(signature);
  const outerDepth = writer.depth;
  const depth = outerDepth + nesting + 1;
  if (depth + content.depth > writer.depthMaximum) throw new Misfit(tooDeepText(writer.depthMaximum));
  writer.depth = depth;
  writer.signature(signature);
  content.write(writer, value);
  writer.depth = outerDepth;
}

function newContent(signature: string): Content {
  try {
    const depth = checkSingle(signature);
    if (!contents.isFamiliar(signature)) return { write: compile(signature, 0, 0, true), depth };
    return contents.add(signature, { write: compile(signature, 0, 0, false), depth });
  } catch (error) {
    throw error instanceof InvalidArgumentError ? new Misfit(error.message) : error;
  }
}

function areStrings(values: readonly unknown[]): boolean {
  const { length } = values;
  // Of more than can be sent, and be it only claimed, none is looked at.
  checkCount('s', 0, length);
  return length > 0 && values.every((element) => typeof element === 'string');
}

/**
 * The type that goes without saying. An empty array might be of any type and a mixed one is of none, so these need a
 * `Variant`, as everything does that is not in the table of values.
 */
function inferSignature(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 's';
    case 'boolean':
      return 'b';
    case 'number':
      // An integer has no negative zero.
      return (value | 0) === value && (value !== 0 || 1 / value > 0) ? 'i' : 'd';
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return 'x';
      break;
    case 'object':
      if (types.isUint8Array(value)) return 'ay';
      if (Array.isArray(value) && areStrings(value)) return 'as';
      if (isPlainObject(value)) return 'a{sv}';
  }
  throw new Misfit(
    `expected v, got ${describe(value)}: use a Variant to say which type is meant ` +
      "(what is read with variants: 'wrap' keeps its types, and can be written as it is)",
  );
}
