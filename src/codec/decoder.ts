/**
 * Bytes to values. A decoder is compiled once for a signature and a choice of options: each type becomes a function
 * that reads its values, made of the functions of the types within.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */
import { BoundedCache } from '../bounded-cache.js';
import { type BasicCode, parseSignature, parseSingle, type Type } from '../signature/parse.js';
import { Variant } from '../variant.js';
import { decodeMap } from './decode-map.js';
import { decodeRuns } from './decode-runs.js';
import type { Reader } from './reader.js';

/** Choices of the receiver's. */
export interface DecodeOptions {
  /**
   * `plain`, the default: a variant becomes the value in it. `wrap`: a `Variant`, which keeps the type. `outermost`:
   * a `Variant` where it is a value of the message itself, plain within.
   */
  readonly variants?: 'plain' | 'wrap' | 'outermost' | undefined;
  /** Whether arrays of numbers become `Int32Array` and so on, which is faster; otherwise arrays. */
  readonly typedArrays?: boolean | undefined;
}

/**
 * Reads the values of the body that the reader has opened.
 *
 * @throws {@link ProtocolError} for a body that does not fit the signature, where that is noticed
 */
export type Decoder = (reader: Reader) => unknown[];

/** Reads a value of one type. */
export type ValueDecoder = (reader: Reader) => unknown;

/**
 * The decoder for the values of a signature.
 *
 * @throws {@link InvalidArgumentError} for an invalid signature
 */
export function decoderFor(signature: string, options: DecodeOptions = {}): Decoder {
  return dialect(options).decoderFor(signature);
}

/** The choices for `variants`. */
export const VARIANTS = ['plain', 'wrap', 'outermost'] as const;

function dialect({ variants = 'plain', typedArrays = false }: DecodeOptions): Dialect {
  return dialects[variants][typedArrays ? 'typedArrays' : 'arrays'];
}

/** The decoders for one choice of options. */
class Dialect {
  readonly #wrapOutermost: boolean;
  readonly #wrapNested: boolean;
  readonly #typedArrays: boolean;
  readonly #bodies = new BoundedCache<Decoder>();
  readonly #contents = new BoundedCache<ValueDecoder>();

  constructor(variants: NonNullable<DecodeOptions['variants']>, typedArrays: boolean) {
    this.#wrapOutermost = variants !== 'plain';
    this.#wrapNested = variants === 'wrap';
    this.#typedArrays = typedArrays;
  }

  decoderFor(signature: string): Decoder {
    return this.#bodies.get(signature) ?? this.#bodies.add(signature, this.#compileBody(signature));
  }

  #compileBody(signature: string): Decoder {
    const readers = parseSignature(signature).map((type) =>
      type.code === 'v' ? this.#variantDecoder(this.#wrapOutermost) : this.#compile(type),
    );
    const [read] = readers;
    // One value is what most bodies have, and an array that is made with it need not grow.
    if (read !== undefined && readers.length === 1) return (reader) => [read(reader)];
    return (reader) => readEach(reader, readers);
  }

  #compile(type: Type): ValueDecoder {
    switch (type.code) {
      case 'v':
        return this.#variantDecoder(this.#wrapNested);
      case '(':
        return decodeStruct(type.fields.map((field) => this.#compile(field)));
      case 'a':
        break;
      default:
        return basicDecoders[type.code];
    }
    const { element } = type;
    if (element.code === '{') {
      const { key, value } = element;
      if (key.code === 's' || key.code === 'o') {
        if (value.code === 'v' && !this.#wrapNested) return this.#decodeVariants;
        return decodeObject((reader) => reader.key(), this.#compile(value));
      }
      if (key.code === 'g') return decodeObject((reader) => reader.signature(), this.#compile(value));
      return decodeMap(key.code, basicDecoders[key.code], this.#compile(value));
    }
    if (element.code === 'y') return decodeBytes;
    const TypedArray = this.#typedArrays ? typedArrays[element.code as BasicCode] : undefined;
    if (TypedArray !== undefined) return decodeTypedArray(TypedArray, element.alignment);
    return decodeRuns[element.code as BasicCode] ?? decodeArray(this.#compile(element), element.alignment);
  }

  #variantDecoder(wrap: boolean): ValueDecoder {
    return wrap ? (reader) => this.#readWrapped(reader) : (reader) => this.#readPlain(reader);
  }

  #readWrapped(reader: Reader): Variant {
    const signature = reader.signature();
    reader.enterVariant();
    const value = this.#contentDecoder(signature)(reader);
    reader.leaveVariant();
    return new Variant(signature, value);
  }

  #readPlain(reader: Reader): unknown {
    reader.enterVariant();
    const value = this.#readContent(reader);
    reader.leaveVariant();
    return value;
  }

  /** The commonest types are read without a look-up, which takes longer than the value. */
  #readContent(reader: Reader): unknown {
    const letter = reader.letter();
    switch (letter) {
      case 0x73: // s
      case 0x6f: // o
        return reader.string();
      case 0x62: // b
        return reader.boolean();
      case 0x75: // u
        return reader.uint32();
      case 0x69: // i
        return reader.int32();
      case 0x64: // d
        return reader.double();
      case 0:
        return this.#contentDecoder(reader.signature())(reader);
      default:
        return this.#contentDecoder(String.fromCharCode(letter))(reader);
    }
  }

  #contentDecoder(signature: string): ValueDecoder {
    return this.#contents.get(signature) ?? this.#contents.add(signature, this.#compile(parseSingle(signature)));
  }

  /** Dictionaries of variants by string, the commonest of all: without calls that the runtime cannot foresee. */
  readonly #decodeVariants: ValueDecoder = (reader) => {
    const end = reader.beginArray(8);
    const object: Record<string, unknown> = {};
    while (reader.position < end) {
      reader.align(8);
      const key = reader.key();
      if (key === '__proto__') defineProto(object, this.#readPlain(reader));
      else object[key] = this.#readPlain(reader);
    }
    return object;
  };
}

const dialects = {
  plain: { arrays: new Dialect('plain', false), typedArrays: new Dialect('plain', true) },
  wrap: { arrays: new Dialect('wrap', false), typedArrays: new Dialect('wrap', true) },
  outermost: { arrays: new Dialect('outermost', false), typedArrays: new Dialect('outermost', true) },
};

const basicDecoders: Readonly<Record<BasicCode, ValueDecoder>> = {
  y: (reader) => reader.byte(),
  b: (reader) => reader.boolean(),
  n: (reader) => reader.int16(),
  q: (reader) => reader.uint16(),
  i: (reader) => reader.int32(),
  u: (reader) => reader.uint32(),
  x: (reader) => reader.int64(),
  t: (reader) => reader.uint64(),
  d: (reader) => reader.double(),
  s: (reader) => reader.string(),
  o: (reader) => reader.string(),
  g: (reader) => reader.signature(),
  h: (reader) => reader.fd(),
};

function decodeStruct(fields: readonly ValueDecoder[]): ValueDecoder {
  return (reader) => {
    reader.align(8);
    return readEach(reader, fields);
  };
}

function readEach(reader: Reader, readers: readonly ValueDecoder[]): unknown[] {
  const values: unknown[] = [];
  for (let index = 0; index < readers.length; index++) values.push((readers[index] as ValueDecoder)(reader));
  return values;
}

/** Every value has at least one byte, so the position reaches the end. */
function decodeArray(readElement: ValueDecoder, alignment: number): ValueDecoder {
  return (reader) => {
    const end = reader.beginArray(alignment);
    const values: unknown[] = [];
    while (reader.position < end) values.push(readElement(reader));
    return values;
  };
}

function decodeBytes(reader: Reader): Buffer {
  return reader.bytes(reader.beginArray(1));
}

type TypedArrayConstructor = new (memory: ArrayBuffer) => NodeJS.TypedArray;

const typedArrays: { readonly [Code in BasicCode]?: TypedArrayConstructor } = {
  n: Int16Array,
  q: Uint16Array,
  i: Int32Array,
  u: Uint32Array,
  x: BigInt64Array,
  t: BigUint64Array,
  d: Float64Array,
};

function decodeTypedArray(TypedArray: TypedArrayConstructor, alignment: number): ValueDecoder {
  return (reader) => new TypedArray(reader.memory(reader.beginArray(alignment), alignment));
}

/** Dictionaries by string. Of entries with the same key the last one counts. */
function decodeObject(readKey: (reader: Reader) => string, readValue: ValueDecoder): ValueDecoder {
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

/** Assigning to `__proto__` would change what the object inherits: a peer must not be able to. */
function defineProto(object: object, value: unknown): void {
  Object.defineProperty(object, '__proto__', { value, writable: true, enumerable: true, configurable: true });
}
