/**
 * Compiles the function that writes values of one type from the functions of the types within it. Variants are here
 * too, because the type within a variant is known only when it is written.
 *
 * @see D-Bus specification, section "Container types"
 */
import { BoundedCache } from '../base/bounded-cache.js';
import { InvalidArgumentError } from '../base/errors.js';
import { endOfType } from '../signature/grammar.js';
import { type BasicCode, checkSingle } from '../signature/parse.js';
import { Variant } from '../values/variant.js';
import { basicEncoders } from './encode-basic.js';
import { encodeArray, encodeDictionary, encodeNumbers, encodeStruct } from './encode-container.js';
import { inferSignature, stringsOf } from './infer-signature.js';
import { isKeeping } from './kept-types.js';
import { tooDeepText } from './limits.js';
import { Misfit } from './misfit.js';
import type { ValueEncoder } from './value-codec.js';
import { keptVariantOf } from './write-kept.js';
import type { Writer } from './writer.js';

/**
 * Returns the function that writes values of the type that begins at `at` in a valid signature.
 *
 * @param nesting the number of containers of its signature that enclose the type
 * @param lazily whether the types within arrays are compiled only when an array has elements
 */
export function compile(signature: string, at: number, nesting: number, lazily: boolean): ValueEncoder {
  const code = signature[at];
  if (code === 'a') return compileArray(signature, at, nesting, lazily);
  if (code !== '(') return code === 'v' ? encodeVariant(nesting) : basicEncoders[code as BasicCode];
  const fields: ValueEncoder[] = [];
  for (let field = at + 1; signature[field] !== ')'; field = endOfType(signature, field)) {
    fields.push(compile(signature, field, nesting + 1, lazily));
  }
  return encodeStruct(signature, at, fields);
}

function compileArray(signature: string, at: number, nesting: number, lazily: boolean): ValueEncoder {
  if (signature[at + 1] === '{') {
    return encodeDictionary(signature, at, compileElement(signature, at + 3, nesting + 2, lazily));
  }
  const writeElement = compileElement(signature, at + 1, nesting + 1, lazily);
  return encodeNumbers(signature, at, writeElement) ?? encodeArray(signature, at, writeElement);
}

/** Like {@link compile}, for elements, of which there may be none. */
function compileElement(signature: string, at: number, nesting: number, lazily: boolean): ValueEncoder {
  const code = signature[at];
  if (!lazily || (code !== 'a' && code !== '(')) return compile(signature, at, nesting, lazily);
  let write: ValueEncoder | undefined;
  return (writer, value) => {
    write ??= compile(signature, at, nesting, lazily);
    write(writer, value);
  };
}

interface Content {
  readonly write: ValueEncoder;
  readonly depth: number;
}

const contents = new BoundedCache<Content>();

/** @param nesting the number of containers of its signature that enclose the variant */
function encodeVariant(nesting: number): ValueEncoder {
  return (writer, value) => {
    if (Variant.isVariant(value)) encodeContent(writer, nesting, value.signature, value.value);
    else if (!isKeeping || typeof value !== 'object' || value === null) writeInferred(writer, nesting, value);
    else writeKept(writer, nesting, value);
  };
}

function writeInferred(writer: Writer, nesting: number, value: unknown): void {
  if (Array.isArray(value)) encodeContent(writer, nesting, 'as', stringsOf(value));
  else encodeContent(writer, nesting, inferSignature(value), value);
}

/** Writes a container in the variant that it was read in, if it was read in one. */
function writeKept(writer: Writer, nesting: number, value: object): void {
  const kept = keptVariantOf(value);
  if (kept === undefined) writeInferred(writer, nesting, value);
  else encodeContent(writer, nesting, kept.signature, kept.value);
}

/** Writes a variant with a value of the type that the signature tells. */
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
