/**
 * Reads arrays, dictionaries with string keys, and structs.
 *
 * @see D-Bus specification, section "Container types"
 */
import type { BasicCode } from '../signature/parse.js';
import type { Reader } from './reader.js';
import type { ValueDecoder } from './value-codec.js';

export function decodeStruct(fields: readonly ValueDecoder[]): ValueDecoder {
  return (reader) => {
    reader.align(8);
    return readEach(reader, fields);
  };
}

export function readEach(reader: Reader, readers: readonly ValueDecoder[]): unknown[] {
  const values: unknown[] = [];
  for (let index = 0; index < readers.length; index++) values.push((readers[index] as ValueDecoder)(reader));
  return values;
}

/**
 * Every value has at least one byte, so the position reaches the end.
 *
 * JavaScriptCore makes an array with room for as many elements as earlier arrays of the same literal got, up to 25. So
 * empty arrays have a literal of their own: otherwise one long array would make each later empty one take 250 bytes.
 */
export function decodeArray(readElement: ValueDecoder, alignment: number): ValueDecoder {
  return (reader) => {
    const end = reader.beginArray(alignment);
    if (reader.position >= end) return [];
    const values: unknown[] = [];
    while (reader.position < end) values.push(readElement(reader));
    return values;
  };
}

export function decodeBytes(reader: Reader): Buffer {
  return reader.bytes(reader.beginArray(1));
}

type TypedArrayConstructor = new (memory: ArrayBuffer) => NodeJS.TypedArray;

export const typedArrays: { readonly [Code in BasicCode]?: TypedArrayConstructor } = {
  n: Int16Array,
  q: Uint16Array,
  i: Int32Array,
  u: Uint32Array,
  x: BigInt64Array,
  t: BigUint64Array,
  d: Float64Array,
};

export function decodeTypedArray(TypedArray: TypedArrayConstructor, alignment: number): ValueDecoder {
  return (reader) => new TypedArray(reader.memory(reader.beginArray(alignment), alignment));
}

/** Reads dictionaries with string keys. If a key occurs several times, the last entry counts. */
export function decodeObject(readKey: (reader: Reader) => string, readValue: ValueDecoder): ValueDecoder {
  return (reader) => {
    const end = reader.beginArray(8);
    const object: Record<string, unknown> = {};
    while (reader.position < end) {
      reader.align(8);
      const key = readKey(reader);
      if (key === '__proto__') defineProto(object, readValue(reader));
      else object[key] = readValue(reader);
    }
    return object;
  };
}

/**
 * Defines `__proto__` as an own property. An assignment would change the prototype of the object, which a peer must not
 * be able to do.
 */
export function defineProto(object: object, value: unknown): void {
  Object.defineProperty(object, '__proto__', { value, writable: true, enumerable: true, configurable: true });
}
