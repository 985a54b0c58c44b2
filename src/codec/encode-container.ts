/**
 * Writing arrays, dictionaries and structs.
 *
 * @see D-Bus specification, section "Container types"
 */
import { types } from 'node:util';
import { endOfType } from '../signature/grammar.js';
import { alignments, type BasicCode } from '../signature/parse.js';
import { basicEncoders } from './encode-basic.js';
import { writeNone, writeRuns } from './encode-runs.js';
import { EncodedEntries, hasDescriptors } from './encoded-entries.js';
import { checkCount } from './least-size.js';
import { atIndex, atKey, describe, Misfit, misfit, misfitOf, within } from './misfit.js';
import type { ValueEncoder } from './value-codec.js';
import { checkArrayLength, type Writer } from './writer.js';

/** The first character of the type of an array's elements. */
type ElementCode = BasicCode | 'v' | 'a' | '(' | '{';

/** The signature of the type that begins at `at`, for the text of an error. */
function typeAt(signature: string, at: number): string {
  return signature.slice(at, endOfType(signature, at));
}

export function encodeStruct(signature: string, at: number, fields: readonly ValueEncoder[]): ValueEncoder {
  const count = fields.length;
  return (writer, value) => {
    if (!Array.isArray(value) || value.length !== count) {
      throw misfit(`${typeAt(signature, at)} (an array of ${count})`, value);
    }
    writer.align(8);
    let index = 0;
    let field: unknown;
    try {
      for (; index < count; index++) {
        field = value[index];
        (fields[index] as ValueEncoder)(writer, field);
      }
    } catch (error) {
      throw atIndex(index, misfitOf(field, error));
    }
  };
}

/** @param at where the array's own type begins */
export function encodeArray(signature: string, at: number, writeElement: ValueEncoder): ValueEncoder {
  const elementCode = signature[at + 1] as ElementCode;
  const alignment = alignments[elementCode];
  const writeRun = writeRuns[elementCode as BasicCode] ?? writeNone;
  return (writer, value) => {
    if (!Array.isArray(value)) throw misfit(typeAt(signature, at), value);
    // Asked once: a getter of an element may make the array longer for ever.
    const { length } = value;
    if (length >>> 0 !== length)
      throw new Misfit(`expected ${typeAt(signature, at)}, got a Proxy that has no valid length`);
    checkCount(signature, at + 1, length);
    const lengthAt = writer.beginArray(alignment);
    let index = writeRun(writer, value, length);
    let element: unknown;
    try {
      for (; index < length; index++) {
        element = value[index];
        writeElement(writer, element);
      }
    } catch (error) {
      throw atIndex(index, misfitOf(element, error));
    }
    writer.endArray(lengthAt, alignment);
  };
}

/** Arrays of numbers may also come in the typed array whose memory looks like the data on the wire. */
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

/** The encoder of an array whose elements are all of one size, or `undefined` where they are not numbers. */
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

/** The bytes of a typed array, as the runtime tells them: an object may have a length or a buffer of its own. */
function bytesOf(value: unknown): Uint8Array {
  const length = byteLengthOf.call(value);
  // Asked for an element, it tells that its memory was detached, or no longer reaches so far.
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
 * Dictionaries are written from a Map, and from a plain object where the keys are strings: otherwise the names of
 * properties would have to be converted.
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
  return (writer, value) => {
    if (fromObject && isPlainObject(value)) {
      const object = value as Readonly<Record<string, unknown>>;
      const keys = Object.keys(object);
      checkCount(signature, at + 1, keys.length);
      const lengthAt = writer.beginArray(8);
      for (const key of keys) {
        const content = object[key];
        // As JSON does: what is not there is often written so.
        if (content !== undefined) writeEntry(writer, key, content);
      }
      writer.endArray(lengthAt, 8);
      return;
    }
    if (fromObject && value instanceof EncodedEntries) {
      writeEntries(writer, value, writeEntry);
      return;
    }
    // Asked last, because the question goes to the runtime and takes longer than a small dictionary.
    if (!types.isMap(value)) {
      const own = typeAt(signature, at);
      // One that inherits from another object has no name that would tell it from a plain one.
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
}

function writeEntries(
  writer: Writer,
  { entries }: EncodedEntries,
  writeEntry: (writer: Writer, key: unknown, value: unknown) => void,
): void {
  const lengthAt = writer.beginArray(8);
  for (const entry of entries) {
    if (hasDescriptors(entry)) {
      writeEntry(writer, entry[0], entry[1]);
    } else {
      writer.align(8);
      writer.copyPart(entry.memory, entry.start, entry.end);
    }
  }
  writer.endArray(lengthAt, 8);
}

const { entries: entriesOfMap, has: hasOfMap } = Map.prototype as Map<unknown, unknown>;

/** Of 64 bits, a number and a bigint may be the same key; of other types no two keys of a Map are. */
function checkSingleKey(map: ReadonlyMap<unknown, unknown>, key: number): void {
  if (!Number.isSafeInteger(key) || !hasOfMap.call(map, BigInt(key))) return;
  throw new Misfit(`has the key ${key} twice, as a number and as a bigint`);
}

/** As Map itself tells it: an object may have a `size` of its own. */
const sizeOfMap = Object.getOwnPropertyDescriptor(Map.prototype, 'size')?.get as (this: unknown) => number;

function sizeOf(map: ReadonlyMap<unknown, unknown>): number {
  return sizeOfMap.call(map);
}

/** An object literal, of this realm or another, or an object without a prototype; no instance of a class. */
export function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}
