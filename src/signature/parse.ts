/**
 * The grammar of signatures at run time; `literal.ts` is its twin for the compiler. A signature becomes a list of
 * {@link Type} trees, which are frozen by their types, shared, and cached by the text of the signature.
 *
 * @see D-Bus specification, section "Type System"
 */

import { BoundedCache } from '../bounded-cache.js';
import { InvalidArgumentError } from '../errors.js';

/** Codes of the types that hold no other type, and may be the key of a dictionary. */
export type BasicCode = 'y' | 'b' | 'n' | 'q' | 'i' | 'u' | 'x' | 't' | 'd' | 's' | 'o' | 'g' | 'h';

interface Node {
  /** The signature of this type alone. */
  readonly signature: string;
  /** Its values begin at a multiple of this many bytes. */
  readonly alignment: 1 | 2 | 4 | 8;
  /** How many containers are within one another in this type at most, itself included. */
  readonly depth: number;
}

interface BasicType extends Node {
  readonly code: BasicCode;
}
interface VariantType extends Node {
  readonly code: 'v';
}
export interface StructType extends Node {
  readonly code: '(';
  readonly fields: readonly Type[];
}
export interface ArrayType extends Node {
  readonly code: 'a';
  /** For a dictionary, this is a {@link DictEntryType}. */
  readonly element: Type | DictEntryType;
}
/** Only ever the element of an array. */
export interface DictEntryType extends Node {
  readonly code: '{';
  readonly key: BasicType;
  readonly value: Type;
}

/** A complete type. `code` tells which. */
export type Type = BasicType | VariantType | StructType | ArrayType;

// As libdbus counts: arrays that follow one another directly, structs and dictionary entries within one another.
const SIGNATURE_BYTES_MAXIMUM = 255;
const ARRAY_DEPTH_MAXIMUM = 32;
const STRUCT_DEPTH_MAXIMUM = 32;
const DICT_ENTRY_DEPTH_MAXIMUM = 32;

const basicAlignments: Readonly<Record<BasicCode, Node['alignment']>> = {
  y: 1,
  b: 4,
  n: 2,
  q: 2,
  i: 4,
  u: 4,
  x: 8,
  t: 8,
  d: 8,
  s: 4,
  o: 4,
  g: 1,
  h: 4,
};

const leaves: ReadonlyMap<string, BasicType | VariantType> = new Map<string, BasicType | VariantType>([
  ...(Object.keys(basicAlignments) as BasicCode[]).map((code): [string, BasicType] => [
    code,
    { code, signature: code, alignment: basicAlignments[code], depth: 0 },
  ]),
  ['v', { code: 'v', signature: 'v', alignment: 1, depth: 1 }],
]);

const signatures = new BoundedCache<readonly Type[]>();

/**
 * The complete types that a signature lists, in order; none for the empty signature.
 *
 * @throws {@link InvalidArgumentError} naming the rule that the signature breaks, and where it does
 */
export function parseSignature(signature: string): readonly Type[] {
  const known = signatures.get(signature);
  if (known !== undefined) return known;
  if (typeof signature !== 'string') {
    throw new InvalidArgumentError(
      `a signature must be a string, not ${signature === null ? 'null' : typeof signature}`,
    );
  }
  return signatures.add(signature, new SignatureParser(signature).parse());
}

/**
 * The one complete type of a signature.
 *
 * @throws {@link InvalidArgumentError} also where it has none, or several
 */
export function parseSingle(signature: string): Type {
  const types = parseSignature(signature);
  if (types.length === 1) return types[0] as Type;
  const found =
    types.length === 0 ? 'is empty' : `has ${types.length}: ${types.map((type) => type.signature).join(', ')}`;
  throw new InvalidArgumentError(`signature "${signature}" must be one complete type, but ${found}`);
}

/** Recursive descent; the limits on nesting bound the recursion. */
class SignatureParser {
  readonly #text: string;
  #at = 0;
  #structs = 0;
  #dictEntries = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): readonly Type[] {
    // Only ASCII gets past the grammar, so characters are bytes where it matters.
    if (this.#text.length > SIGNATURE_BYTES_MAXIMUM) {
      throw new InvalidArgumentError(
        `invalid signature: it has ${this.#text.length} bytes, and may have ${SIGNATURE_BYTES_MAXIMUM} at most`,
      );
    }
    const types: Type[] = [];
    while (this.#at < this.#text.length) types.push(this.#completeType());
    return types;
  }

  #completeType(): Type {
    const code = this.#text[this.#at];
    const leaf = leaves.get(code ?? '');
    if (leaf !== undefined) {
      this.#at++;
      return leaf;
    }
    if (code === 'a') return this.#array(1);
    if (code === '(') return this.#struct();
    if (code === undefined) throw this.#error('a type is missing at the end');
    if (code === '{') throw this.#error('a dictionary entry may only be the element of an array');
    if (code === '}' || code === ')') throw this.#error(`"${code}" closes nothing`);
    throw this.#error(`${JSON.stringify(code)} is not a type code`);
  }

  /** @param arrays how many arrays follow one another directly up to this one, itself included */
  #array(arrays: number): ArrayType {
    const start = this.#at;
    if (arrays > ARRAY_DEPTH_MAXIMUM) throw this.#error(`more than ${ARRAY_DEPTH_MAXIMUM} arrays are nested`);
    this.#at++;
    const element = this.#element(arrays);
    return { code: 'a', signature: this.#text.slice(start, this.#at), alignment: 4, depth: element.depth + 1, element };
  }

  #element(arrays: number): Type | DictEntryType {
    const code = this.#text[this.#at];
    if (code === 'a') return this.#array(arrays + 1);
    return code === '{' ? this.#dictEntry() : this.#completeType();
  }

  #struct(): StructType {
    const start = this.#at;
    if (++this.#structs > STRUCT_DEPTH_MAXIMUM)
      throw this.#error(`more than ${STRUCT_DEPTH_MAXIMUM} structs are nested`);
    this.#at++;
    const fields: Type[] = [];
    while (this.#text[this.#at] !== ')') {
      if (this.#at === this.#text.length) throw this.#error('")" is missing at the end');
      fields.push(this.#completeType());
    }
    if (fields.length === 0) throw this.#error('a struct must have a field');
    this.#at++;
    this.#structs--;
    const depth = 1 + Math.max(...fields.map((field) => field.depth));
    return { code: '(', signature: this.#text.slice(start, this.#at), alignment: 8, depth, fields };
  }

  #dictEntry(): DictEntryType {
    const start = this.#at;
    if (++this.#dictEntries > DICT_ENTRY_DEPTH_MAXIMUM) {
      throw this.#error(`more than ${DICT_ENTRY_DEPTH_MAXIMUM} dictionary entries are nested`);
    }
    this.#at++;
    const key = leaves.get(this.#text[this.#at] ?? '');
    if (key === undefined || key.code === 'v') throw this.#error('the key of a dictionary must be a basic type');
    this.#at++;
    if (this.#text[this.#at] === '}') throw this.#error('a dictionary entry must have a value');
    const value = this.#completeType();
    if (this.#text[this.#at] !== '}') {
      const found =
        this.#at === this.#text.length ? '"}" is missing at the end' : 'a dictionary entry has one value only';
      throw this.#error(found);
    }
    this.#at++;
    this.#dictEntries--;
    return {
      code: '{',
      signature: this.#text.slice(start, this.#at),
      alignment: 8,
      depth: value.depth + 1,
      key,
      value,
    };
  }

  #error(what: string): InvalidArgumentError {
    return new InvalidArgumentError(`invalid signature "${this.#text}": ${what}, at offset ${this.#at}`);
  }
}
