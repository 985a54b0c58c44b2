/** Bodies and the types of the variants in them, for tests of values that keep their types. */
import { types } from 'node:util';
import type { DecodeOptions } from '../../src/codec/decode-options.js';
import { decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Reader } from '../../src/codec/reader.js';
import { Writer } from '../../src/codec/writer.js';
import { Variant } from '../../src/values/variant.js';

const writer = new Writer();

export function encode(signature: string, values: readonly unknown[]): Buffer {
  writer.reset();
  writer.beginMessage();
  encoderFor(signature)(writer, values);
  return Buffer.from(writer.bytes.subarray(0, writer.position));
}

export function decode(signature: string, body: Uint8Array, options?: DecodeOptions): unknown[] {
  const memory = new ArrayBuffer(body.length);
  new Uint8Array(memory).set(body);
  return decoderFor(signature, options)(new Reader(memory).open(0, body.length));
}

/**
 * The types of the variants in a body of one value: each variant is replaced by its signature, or, if there are more
 * variants in it, by what {@link typesIn} makes of its value.
 */
// biome-ignore lint/suspicious/noExplicitAny: tests compare the parts of it
export function readTypes(signature: string, body: Uint8Array): any {
  return typesIn(decode(signature, body, { variants: 'wrap' })[0]);
}

function typesIn(value: unknown): unknown {
  if (Variant.isVariant(value)) return typeOf(value);
  if (Array.isArray(value)) return value.map(typesIn);
  if (types.isMap(value)) return new Map([...value].map(([key, content]) => [key, typesIn(content)]));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, content]) => [key, typesIn(content)]));
}

function typeOf({ signature, value }: Variant): unknown {
  if (signature === 'v') return `v ${typeOf(value as Variant)}`;
  if (!signature.includes('v')) return signature;
  const inner = typesIn(value);
  return signature[0] === '(' ? [signature, ...(inner as unknown[])] : inner;
}
