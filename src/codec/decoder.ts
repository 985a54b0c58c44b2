/**
 * Decodes bytes into values. A decoder is compiled for a signature and a choice of options: each type becomes a
 * function that reads its values and calls the functions of the types within it. The result is cached. Peers choose
 * signatures, and a signature that is seen once must cost little more than its bytes. So a decoder is compiled only
 * after several uses of a signature; until then its values are read by walking through its text.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */
import { BoundedCache } from '../base/bounded-cache.js';
import type { OptionTable } from '../base/known-options.js';
import { checkBoolean, checkChoice, oneOf } from '../base/parameters.js';
import { checkSignature, endOfType } from '../signature/grammar.js';
import { alignments, type BasicCode, checkSingle } from '../signature/parse.js';
import { receivedVariant, type Variant } from '../values/variant.js';
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
import { OnceDecoder } from './decode-once.js';
import type { DecodeOptions, Decoding } from './decode-options.js';
import { decodeRuns } from './decode-runs.js';
import { readKeeping } from './read-keeping.js';
import type { Reader } from './reader.js';
import type { ValueDecoder } from './value-codec.js';

/**
 * Reads the values of the body that the reader has opened.
 *
 * @throws {@link ProtocolError} for a body that does not match the signature, where the reader notices it
 */
export type Decoder = (reader: Reader) => unknown[];

/**
 * Returns the decoder for the values of a signature.
 *
 * @throws {@link InvalidArgumentError} for an invalid signature
 */
export function decoderFor(signature: string, options?: Decoding): Decoder {
  return (options === undefined ? plainDialect : dialect(options)).decoderFor(signature);
}

/** The choices for `variants`. */
export const VARIANTS = ['plain', 'wrap', 'keep'] as const;
/** The choices for `dictionaries`. */
export const DICTIONARIES = ['object', 'map'] as const;

/** The options and the checks of their values. */
export const decodeTable: OptionTable<DecodeOptions> = {
  variants: oneOf(VARIANTS),
  typedArrays: checkBoolean,
  dictionaries: oneOf(DICTIONARIES),
};

/** The first dialect for each choice of variants. */
const indexes = { plain: 0, wrap: 4, outermost: 8, keep: 12 } as const;

function dialect({ variants = 'plain', typedArrays = false, dictionaries = 'object' }: Decoding): Decoders {
  // The default options need neither a check nor a look-up by name; those take longer than a short body.
  let index = 0;
  if (variants !== 'plain') {
    if (variants !== 'outermost') checkChoice(variants, VARIANTS, 'variants');
    index = indexes[variants];
  }
  if (dictionaries !== 'object') {
    checkChoice(dictionaries, DICTIONARIES, 'dictionaries');
    index += 2;
  }
  if (typedArrays) index += 1;
  return dialects[index] ?? newDialect(index, variants, typedArrays, dictionaries);
}

function newDialect(
  index: number,
  variants: NonNullable<Decoding['variants']>,
  typedArrays: boolean,
  dictionaries: (typeof DICTIONARIES)[number],
): Decoders {
  const made =
    variants === 'keep'
      ? new KeepingDialect(dialect({ variants: 'wrap', typedArrays, dictionaries }))
      : new Dialect(variants, typedArrays, dictionaries === 'map');
  dialects[index] = made;
  return made;
}

/** The decoders for one choice of options. */
interface Decoders {
  decoderFor(signature: string): Decoder;
}

/** Reads values with their variants first, and then makes them plain. */
class KeepingDialect implements Decoders {
  readonly #wrapping: Decoders;

  constructor(wrapping: Decoders) {
    this.#wrapping = wrapping;
  }

  decoderFor(signature: string): Decoder {
    const read = this.#wrapping.decoderFor(signature);
    return signature.includes('v') ? (reader) => readKeeping(read(reader), signature) : read;
  }
}

class Dialect implements Decoders {
  readonly #wrapOutermost: boolean;
  readonly #wrapNested: boolean;
  readonly #typedArrays: boolean;
  readonly #maps: boolean;
  readonly #bodies = new BoundedCache<Decoder>();
  readonly #contents = new BoundedCache<ValueDecoder>();
  readonly #once: OnceDecoder;

  constructor(variants: Exclude<Decoding['variants'], 'keep' | undefined>, typedArrays: boolean, maps: boolean) {
    this.#wrapOutermost = variants !== 'plain';
    this.#wrapNested = variants === 'wrap';
    this.#typedArrays = typedArrays;
    this.#maps = maps;
    this.#once = new OnceDecoder({
      maps,
      variant: this.#variantDecoder(this.#wrapNested),
      array: (signature, at) => this.#compileArray(signature, at),
    });
  }

  decoderFor(signature: string): Decoder {
    return this.#bodies.get(signature) ?? this.#newBody(signature);
  }

  #newBody(signature: string): Decoder {
    checkSignature(signature);
    if (this.#bodies.isFamiliar(signature)) return this.#bodies.add(signature, this.#compileBody(signature));
    return (reader) => this.#readBodyOnce(reader, signature);
  }

  #readBodyOnce(reader: Reader, signature: string): unknown[] {
    const values: unknown[] = [];
    for (let at = 0; at < signature.length; at = endOfType(signature, at)) {
      const isWrapping = this.#wrapOutermost && (signature[at] === 'v' || isOfVariants(signature, at));
      values.push(isWrapping ? this.#compileArgument(signature, at)(reader) : this.#once.read(reader, signature, at));
    }
    return values;
  }

  /** Reads the content of a variant whose signature is not cached. */
  #readNew(reader: Reader, signature: string): unknown {
    checkSingle(signature);
    if (!this.#contents.isFamiliar(signature)) return this.#once.read(reader, signature, 0);
    return this.#contents.add(signature, this.#compileAt(signature, 0))(reader);
  }

  #compileBody(signature: string): Decoder {
    const readers: ValueDecoder[] = [];
    for (let at = 0; at < signature.length; at = endOfType(signature, at)) {
      readers.push(this.#compileArgument(signature, at));
    }
    const [read] = readers;
    // Most bodies have one value, and an array that is created with its value need not grow.
    if (read !== undefined && readers.length === 1) return (reader) => [read(reader)];
    return (reader) => readEach(reader, readers);
  }

  /** Returns the decoder of a value of the message itself, whose type begins at `at`. */
  #compileArgument(signature: string, at: number): ValueDecoder {
    if (!this.#wrapOutermost) return this.#compileAt(signature, at);
    if (signature[at] === 'v') return this.#variantDecoder(true);
    if (!isOfVariants(signature, at)) return this.#compileAt(signature, at);
    return this.#dictionaryDecoder(signature[at + 2] as BasicCode, this.#compileArgument(signature, at + 3));
  }

  /** Returns the decoder of the type that begins at `at`. */
  #compileAt(signature: string, at: number): ValueDecoder {
    const code = signature[at];
    if (code === 'a') return this.#compileArray(signature, at + 1);
    if (code === '(') return decodeStruct(this.#compileFields(signature, at + 1));
    return code === 'v' ? this.#variantDecoder(this.#wrapNested) : basicDecoders[code as BasicCode];
  }

  #compileFields(signature: string, first: number): ValueDecoder[] {
    const fields: ValueDecoder[] = [];
    for (let at = first; signature[at] !== ')'; at = endOfType(signature, at)) {
      fields.push(this.#compileAt(signature, at));
    }
    return fields;
  }

  /** @param at where the type of the elements begins */
  #compileArray(signature: string, at: number): ValueDecoder {
    const code = signature[at] as BasicCode | '(' | 'a' | 'v' | '{';
    if (code === '{') return this.#compileDictionary(signature, at + 1);
    if (code === 'y') return decodeBytes;
    const alignment = alignments[code];
    const TypedArray = this.#typedArrays ? typedArrays[code as BasicCode] : undefined;
    if (TypedArray !== undefined) return decodeTypedArray(TypedArray, alignment);
    return decodeRuns[code as BasicCode] ?? decodeArray(this.#compileAt(signature, at), alignment);
  }

  /** @param at where the type of the key is */
  #compileDictionary(signature: string, at: number): ValueDecoder {
    const code = signature[at] as BasicCode;
    const isByName = code === 's' || code === 'o';
    if (isByName && signature[at + 1] === 'v' && !this.#wrapNested && !this.#maps) return this.#decodeVariants;
    return this.#dictionaryDecoder(code, this.#compileAt(signature, at + 1));
  }

  #dictionaryDecoder(code: BasicCode, readValue: ValueDecoder): ValueDecoder {
    const isByText = code === 's' || code === 'o' || code === 'g';
    if (!isByText) return decodeMap(code, basicDecoders[code], readValue);
    const readKey = code === 'g' ? readSignature : readText;
    return this.#maps ? decodeMap(code, readKey, readValue) : decodeObject(readKey, readValue);
  }

  #variantDecoder(wrap: boolean): ValueDecoder {
    return wrap ? (reader) => this.#readWrapped(reader) : (reader) => this.#readPlain(reader);
  }

  /** As {@link #readContent}, the most common types come first. */
  #readWrapped(reader: Reader): Variant {
    reader.enterVariant();
    const variant = this.#readTyped(reader);
    reader.leaveVariant();
    return variant;
  }

  #readTyped(reader: Reader): Variant {
    const letter = reader.letter();
    switch (letter) {
      case 0x73: // s
        return receivedVariant('s', reader.string());
      case 0x6f: // o
        return receivedVariant('o', reader.string());
      case 0x62: // b
        return receivedVariant('b', reader.boolean());
      case 0x75: // u
        return receivedVariant('u', reader.uint32());
      case 0x69: // i
        return receivedVariant('i', reader.int32());
      case 0x64: // d
        return receivedVariant('d', reader.double());
      default: {
        const signature = letter === 0 ? reader.signature() : String.fromCharCode(letter);
        return receivedVariant(signature, this.#readOther(reader, signature));
      }
    }
  }

  #readPlain(reader: Reader): unknown {
    reader.enterVariant();
    const value = this.#readContent(reader);
    reader.leaveVariant();
    return value;
  }

  /** Reads the most common types without a look-up, which takes longer than the value. */
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
        return this.#readOther(reader, reader.signature());
      default:
        return this.#readOther(reader, String.fromCharCode(letter));
    }
  }

  #readOther(reader: Reader, signature: string): unknown {
    const decode = this.#contents.get(signature);
    return decode === undefined ? this.#readNew(reader, signature) : decode(reader);
  }

  /**
   * Reads dictionaries of variants with string keys, the most common type of all, without calls that the JIT compiler
   * cannot predict.
   */
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

const readText = (reader: Reader): string => reader.key();
const readSignature = (reader: Reader): string => reader.signature();

/** Whether the type that begins at `at` is a dictionary of variants, or a dictionary of such dictionaries. */
function isOfVariants(signature: string, at: number): boolean {
  if (signature[at] !== 'a' || signature[at + 1] !== '{') return false;
  return signature[at + 3] === 'v' || isOfVariants(signature, at + 3);
}

const plainDialect = new Dialect('plain', false, false);
/** The dialects by their options. Few programs use more than two. */
const dialects: (Decoders | undefined)[] = [plainDialect, ...new Array<undefined>(15).fill(undefined)];

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
