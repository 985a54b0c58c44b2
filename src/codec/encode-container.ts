/**
 * Writing arrays, dictionaries and structs.
 *
 * @see D-Bus specification, section "Container types"
 */
import { types } from 'node:util';
import type { BasicCode, DictEntryType, StructType, Type } from '../signature/parse.js';
import { writeNone, writeRuns } from './encode-runs.js';
import type { ValueEncoder } from './encoder.js';
import { countCheck } from './least-size.js';
import { atIndex, atKey, misfit, within } from './misfit.js';
import { checkArrayLength, type Writer } from './writer.js';

export function encodeStruct(type: StructType, fields: readonly ValueEncoder[]): ValueEncoder {
  const count = fields.length;
  const expectation = `${type.signature} (an array of ${count})`;
  return (writer, value) => {
    if (!Array.isArray(value) || value.length !== count) throw misfit(expectation, value);
    writer.align(8);
    let index = 0;
    try {
      for (; index < count; index++) (fields[index] as ValueEncoder)(writer, value[index]);
    } catch (error) {
      throw atIndex(index, error);
    }
  };
}

export function encodeArray(signature: string, element: Type, writeElement: ValueEncoder): ValueEncoder {
  const { alignment } = element;
  const writeRun = writeRuns[element.code as BasicCode] ?? writeNone;
  const checkCount = countCheck(element);
  return (writer, value) => {
    if (!Array.isArray(value)) throw misfit(signature, value);
    // Asked once: a getter of an element may make the array longer for ever.
    const { length } = value;
    checkCount(length);
    const lengthAt = writer.beginArray(alignment);
    let index = writeRun(writer, value, length);
    try {
      for (; index < length; index++) writeElement(writer, value[index]);
    } catch (error) {
      throw atIndex(index, error);
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
export function encodeNumbers(signature: string, element: Type, writeElement: ValueEncoder): ValueEncoder | undefined {
  const isMatching = isTypedArray[element.code as BasicCode];
  if (isMatching === undefined) return undefined;
  const { alignment } = element;
  const encodeNumberByNumber = encodeArray(signature, element, writeElement);
  return (writer, value) => {
    if (Array.isArray(value)) return encodeNumberByNumber(writer, value);
    if (!isMatching(value)) throw misfit(signature, value);
    copyMemory(writer, value as NodeJS.TypedArray, alignment);
  };
}

function copyMemory(writer: Writer, { buffer, byteOffset, byteLength }: NodeJS.TypedArray, alignment: number): void {
  checkArrayLength(byteLength);
  const lengthAt = writer.beginArray(alignment);
  writer.copy(new Uint8Array(buffer, byteOffset, byteLength));
  writer.endArray(lengthAt, alignment);
}

/**
 * Dictionaries are written from a Map, and from a plain object where the keys are strings: otherwise the names of
 * properties would have to be converted.
 */
export function encodeDictionary(
  signature: string,
  entry: DictEntryType,
  writeKey: ValueEncoder,
  writeValue: ValueEncoder,
): ValueEncoder {
  const fromObject = entry.key.code === 's' || entry.key.code === 'o' || entry.key.code === 'g';
  const expectation = fromObject ? signature : `${signature} (a Map)`;

  const writeEntry = (writer: Writer, key: unknown, value: unknown): void => {
    writer.align(8);
    try {
      writeKey(writer, key);
    } catch (error) {
      throw within(' key', error);
    }
    try {
      writeValue(writer, value);
    } catch (error) {
      throw atKey(key, error);
    }
  };

  const checkCount = countCheck(entry);
  return (writer, value) => {
    if (fromObject && isPlainObject(value)) {
      const object = value as Readonly<Record<string, unknown>>;
      const keys = Object.keys(object);
      checkCount(keys.length);
      const lengthAt = writer.beginArray(8);
      for (const key of keys) writeEntry(writer, key, object[key]);
      writer.endArray(lengthAt, 8);
      return;
    }
    // Asked last, because the question goes to the runtime and takes longer than a small dictionary.
    if (!types.isMap(value)) throw misfit(expectation, value);
    checkCount(sizeOf(value));
    const lengthAt = writer.beginArray(8);
    for (const [key, content] of value) writeEntry(writer, key, content);
    writer.endArray(lengthAt, 8);
  };
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
