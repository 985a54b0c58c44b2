/**
 * Writes arrays, dictionaries and structs.
 *
 * @see D-Bus specification, section "Container types"
 */
import { types } from 'node:util';
import { endOfType } from '../signature/grammar.js';
import { alignments, type BasicCode } from '../signature/parse.js';
import { basicEncoders, outgoingFd } from './encode-basic.js';
import { writeNone, writeRuns } from './encode-runs.js';
import { EncodedEntries, type EntryDescriptors } from './encoded-entries.js';
import { isKeeping } from './kept-types.js';
import { checkCount } from './least-size.js';
import { atIndex, atKey, describe, Misfit, misfit, misfitOf, within } from './misfit.js';
import { isPlainObject } from './plain-object.js';
import { ShapedValue } from './shaped-value.js';
import type { ValueEncoder } from './value-codec.js';
import { withKeptTypes } from './write-kept.js';
import { writable } from './write-shaped.js';
import { checkArrayLength, type Writer } from './writer.js';

/** The first character of the type of an array's elements. */
type ElementCode = BasicCode | 'v' | 'a' | '(' | '{';

/** The signature of the type that begins at `at`, for error texts. */
function typeAt(signature: string, at: number): string {
  return signature.slice(at, endOfType(signature, at));
}

/** Whether types may be remembered for the variants in a container whose type begins at `at`. */
function hasKeptTypes(signature: string, at: number): boolean {
  return isKeeping && signature.includes('v', at);
}

export function encodeStruct(signature: string, at: number, fields: readonly ValueEncoder[]): ValueEncoder {
  const count = fields.length;
  const write: ValueEncoder = (writer, value) => {
    if (!Array.isArray(value) || value.length !== count) {
      if (value instanceof ShapedValue) return write(writer, writable(value));
      throw misfit(`${typeAt(signature, at)} (an array of ${count})`, value);
    }
    const values = (hasKeptTypes(signature, at) ? withKeptTypes(value) : value) as readonly unknown[];
    writer.align(8);
    let index = 0;
    let field: unknown;
    try {
      for (; index < count; index++) {
        field = values[index];
        (fields[index] as ValueEncoder)(writer, field);
      }
    } catch (error) {
      throw atIndex(index, misfitOf(field, error));
    }
  };
  return write;
}

/** @param at where the type of the array begins */
export function encodeArray(signature: string, at: number, writeElement: ValueEncoder): ValueEncoder {
  const elementCode = signature[at + 1] as ElementCode;
  const alignment = alignments[elementCode];
  const writeRun = writeRuns[elementCode as BasicCode] ?? writeNone;
  const write: ValueEncoder = (writer, value) => {
    if (!Array.isArray(value)) {
      if (value instanceof ShapedValue) return write(writer, writable(value));
      throw misfit(typeAt(signature, at), value);
    }
    // The length is read once: a getter of an element could otherwise extend the array without end.
    const { length } = value;
    if (length >>> 0 !== length)
      throw new Misfit(`expected ${typeAt(signature, at)}, got a Proxy that has no valid length`);
    checkCount(signature, at + 1, length);
    const elements = (hasKeptTypes(signature, at) ? withKeptTypes(value) : value) as readonly unknown[];
    const lengthAt = writer.beginArray(alignment);
    let index = writeRun(writer, elements, length);
    let element: unknown;
    try {
      for (; index < length; index++) {
        element = elements[index];
        writeElement(writer, element);
      }
    } catch (error) {
      throw atIndex(index, misfitOf(element, error));
    }
    writer.endArray(lengthAt, alignment);
  };
  return write;
}

/**
 * Tells whether a typed array has the layout of the data on the wire. Arrays of numbers may be written from such a
 * typed array.
 */
const isTypedArray: { readonly [Code in BasicCode]?: (value: unknown) => boolean } = {
  y: types.isUint8Array,
  n: types.isInt16Array,
  q: types.isUint16Array,
  i: types.isInt32Array,
  u: types.isUint32Array,
  x: types.isBigInt64Array,
  t: types.isBigUint64Array,
  d: types.isFloat64Array,
};

/** Returns the encoder of an array of numbers, or `undefined` if the elements are not numbers. */
export function encodeNumbers(signature: string, at: number, writeElement: ValueEncoder): ValueEncoder | undefined {
  const element = signature[at + 1] as ElementCode;
  const isMatching = isTypedArray[element as BasicCode];
  if (isMatching === undefined) return undefined;
  const alignment = alignments[element];
  const encodeNumberByNumber = encodeArray(signature, at, writeElement);
  return (writer, value) => {
    if (Array.isArray(value)) return encodeNumberByNumber(writer, value);
    if (!isMatching(value)) throw misfit(typeAt(signature, at), value);
    copyMemory(writer, value as NodeJS.TypedArray, alignment);
  };
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const getter = (name: string) => Object.getOwnPropertyDescriptor(typedArray, name)?.get as (this: unknown) => unknown;
const bufferOf = getter('buffer') as (this: unknown) => ArrayBuffer;
const byteOffsetOf = getter('byteOffset') as (this: unknown) => number;
const byteLengthOf = getter('byteLength') as (this: unknown) => number;

/** The bytes of a typed array, by the getters of the runtime: the object may define a length or a buffer of its own. */
function bytesOf(value: unknown): Uint8Array {
  const length = byteLengthOf.call(value);
  // Reading an element throws if the memory was detached or no longer reaches that far.
  if (length === 0) (Uint8Array.prototype.at as (this: unknown, index: number) => unknown).call(value, 0);
  return new Uint8Array(bufferOf.call(value), byteOffsetOf.call(value), length);
}

function copyMemory(writer: Writer, value: NodeJS.TypedArray, alignment: number): void {
  let bytes: Uint8Array;
  try {
    bytes = bytesOf(value);
  } catch {
    throw new Misfit(`got ${describe(value)} whose memory was detached or shrunk`);
  }
  checkArrayLength(bytes.length);
  const lengthAt = writer.beginArray(alignment);
  writer.copy(bytes);
  writer.endArray(lengthAt, alignment);
}

/**
 * Returns the encoder of a dictionary. It takes a Map, and also a plain object if the keys are strings: for other keys,
 * the names of the properties would have to be converted.
 */
export function encodeDictionary(signature: string, at: number, writeValue: ValueEncoder): ValueEncoder {
  const keyCode = signature[at + 2] as BasicCode;
  const writeKey = basicEncoders[keyCode];
  const isWide = keyCode === 'x' || keyCode === 't';
  const fromObject = keyCode === 's' || keyCode === 'o' || keyCode === 'g';
  const writeEntry = (writer: Writer, key: unknown, value: unknown): void => {
    writer.align(8);
    try {
      writeKey(writer, key);
    } catch (error) {
      throw within(' key', misfitOf(key, error));
    }
    try {
      writeValue(writer, value);
    } catch (error) {
      throw atKey(key, misfitOf(value, error));
    }
  };
  const write: ValueEncoder = (writer, given) => {
    const value = hasKeptTypes(signature, at) ? withKeptTypes(given) : given;
    if (fromObject && isPlainObject(value)) {
      const object = value as Readonly<Record<string, unknown>>;
      const keys = Object.keys(object);
      checkCount(signature, at + 1, keys.length);
      const lengthAt = writer.beginArray(8);
      for (const key of keys) {
        const content = object[key];
        // Entries that are `undefined` are left out, as in JSON: programs often write an absent entry so.
        if (content !== undefined) writeEntry(writer, key, content);
      }
      writer.endArray(lengthAt, 8);
      return;
    }
    if (fromObject && value instanceof EncodedEntries) {
      writeEntries(writer, value);
      return;
    }
    if (fromObject && value instanceof ShapedValue) return write(writer, writable(value));
    // This check comes last, because it calls the runtime and takes longer than a small dictionary.
    if (!types.isMap(value)) {
      const own = typeAt(signature, at);
      // The description of an object with a prototype of its own may be that of a plain object. Then the text says what
      // is expected.
      const what = describe(value) === 'object' ? ' (a plain object or a Map)' : '';
      throw misfit(fromObject ? own + what : `${own} (a Map)`, value);
    }
    checkCount(signature, at + 1, sizeOf(value));
    const lengthAt = writer.beginArray(8);
    for (const [key, content] of entriesOfMap.call(value)) {
      if (isWide && typeof key === 'number') checkSingleKey(value, key);
      writeEntry(writer, key, content);
    }
    writer.endArray(lengthAt, 8);
  };
  return write;
}

function writeEntries(writer: Writer, { entries }: EncodedEntries): void {
  const lengthAt = writer.beginArray(8);
  for (const { memory, start, end, descriptors } of entries) {
    writer.align(8);
    const at = writer.position;
    writer.copyPart(memory, start, end);
    if (descriptors !== undefined) writeDescriptors(writer, at, descriptors);
  }
  writer.endArray(lengthAt, 8);
}

/** @param at where the entry begins */
function writeDescriptors(writer: Writer, at: number, { key, list }: EntryDescriptors): void {
  for (const { value, offset } of list) {
    try {
      writer.copiedFd(at + offset, outgoingFd(value));
    } catch (error) {
      throw atKey(key, misfitOf(value, error));
    }
  }
}

const { entries: entriesOfMap, has: hasOfMap } = Map.prototype as Map<unknown, unknown>;

/** A number and a bigint may be the same 64-bit key. For other types, no two keys of a Map are equal. */
function checkSingleKey(map: ReadonlyMap<unknown, unknown>, key: number): void {
  if (!Number.isSafeInteger(key) || !hasOfMap.call(map, BigInt(key))) return;
  throw new Misfit(`has the key ${key} twice, as a number and as a bigint`);
}

/** The getter of Map itself: the object may define a `size` of its own. */
const sizeOfMap = Object.getOwnPropertyDescriptor(Map.prototype, 'size')?.get as (this: unknown) => number;

function sizeOf(map: ReadonlyMap<unknown, unknown>): number {
  return sizeOfMap.call(map);
}
