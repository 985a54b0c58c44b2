/**
 * Bytes to values. A decoder is compiled for a signature and a choice of options: each type becomes a function that reads
 * its values, made of the functions of the types within. Of a signature that was met a few times the decoder is kept. Others
 * are compiled as far as values ask for it (*lazily*: an array's element when there is one), and forgotten: peers choose
 * signatures, and one that is seen once must cost little more than its bytes.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */
import { BoundedCache } from '../bounded-cache.js';
import { checkSignature, endOfType } from '../signature/grammar.js';
import { alignments, type BasicCode, checkSingle } from '../signature/parse.js';
import { receivedVariant, type Variant } from '../variant.js';
import {
  decodeArray,
  decodeBytes,
  decodeObject,
  decodeStruct,
  decodeTypedArray,
  defineProto,
  readEach,
  typedArrays,
} from './decode-container.js';
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
    return this.#bodies.get(signature) ?? this.#newBody(signature);
  }

  #newBody(signature: string): Decoder {
    checkSignature(signature);
    if (!this.#bodies.isFamiliar(signature)) return this.#compileBody(signature, true);
    return this.#bodies.add(signature, this.#compileBody(signature, false));
  }

  #newContent(signature: string): ValueDecoder {
    checkSingle(signature);
    if (!this.#contents.isFamiliar(signature)) return this.#compileAt(signature, 0, true);
    return this.#contents.add(signature, this.#compileAt(signature, 0, false));
  }

  #compileBody(signature: string, lazily: boolean): Decoder {
    const readers: ValueDecoder[] = [];
    for (let at = 0; at < signature.length; at = endOfType(signature, at)) {
      const isVariant = signature[at] === 'v';
      readers.push(isVariant ? this.#variantDecoder(this.#wrapOutermost) : this.#compileAt(signature, at, lazily));
    }
    const [read] = readers;
    // One value is what most bodies have, and an array that is made with it need not grow.
    if (read !== undefined && readers.length === 1) return (reader) => [read(reader)];
    return (reader) => readEach(reader, readers);
  }

  /** The decoder of the type that begins at `at`. */
  #compileAt(signature: string, at: number, lazily: boolean): ValueDecoder {
    const code = signature[at];
    if (code === 'a') return this.#compileArray(signature, at + 1, lazily);
    if (code === '(') return decodeStruct(this.#compileFields(signature, at + 1, lazily));
    return code === 'v' ? this.#variantDecoder(this.#wrapNested) : basicDecoders[code as BasicCode];
  }

  #compileFields(signature: string, first: number, lazily: boolean): ValueDecoder[] {
    const fields: ValueDecoder[] = [];
    for (let at = first; signature[at] !== ')'; at = endOfType(signature, at)) {
      fields.push(this.#compileAt(signature, at, lazily));
    }
    return fields;
  }

  /** @param at where the element begins */
  #compileArray(signature: string, at: number, lazily: boolean): ValueDecoder {
    const code = signature[at] as BasicCode | '(' | 'a' | 'v' | '{';
    if (code === '{') return this.#compileDictionary(signature, at + 1, lazily);
    if (code === 'y') return decodeBytes;
    const alignment = alignments[code];
    const TypedArray = this.#typedArrays ? typedArrays[code as BasicCode] : undefined;
    if (TypedArray !== undefined) return decodeTypedArray(TypedArray, alignment);
    return decodeRuns[code as BasicCode] ?? decodeArray(this.#compileElement(signature, at, lazily), alignment);
  }

  /** @param at where the key stands */
  #compileDictionary(signature: string, at: number, lazily: boolean): ValueDecoder {
    const code = signature[at] as BasicCode;
    if ((code === 's' || code === 'o') && signature[at + 1] === 'v' && !this.#wrapNested) return this.#decodeVariants;
    const readValue = this.#compileElement(signature, at + 1, lazily);
    if (code === 's' || code === 'o') return decodeObject((reader) => reader.key(), readValue);
    if (code === 'g') return decodeObject((reader) => reader.signature(), readValue);
    return decodeMap(code, basicDecoders[code], readValue);
  }

  /** As {@link #compileAt}, for what there may be none of. */
  #compileElement(signature: string, at: number, lazily: boolean): ValueDecoder {
    const code = signature[at];
    if (!lazily || (code !== 'a' && code !== '(')) return this.#compileAt(signature, at, lazily);
    let decode: ValueDecoder | undefined;
    return (reader) => {
      decode ??= this.#compileAt(signature, at, lazily);
      return decode(reader);
    };
  }

  #variantDecoder(wrap: boolean): ValueDecoder {
    return wrap ? (reader) => this.#readWrapped(reader) : (reader) => this.#readPlain(reader);
  }

  #readWrapped(reader: Reader): Variant {
    const signature = reader.signature();
    reader.enterVariant();
    const value = this.#contentDecoder(signature)(reader);
    reader.leaveVariant();
    return receivedVariant(signature, value);
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
    return this.#contents.get(signature) ?? this.#newContent(signature);
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
