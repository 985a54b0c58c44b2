/**
 * The grammar of signatures at run time; `literal.ts` is its twin for the compiler. This module checks signatures, and
 * finds the ends of types in valid ones, without allocating anything: peers choose signatures, and a signature that is
 * seen once must cost little more than its bytes. `parse.ts` makes trees of signatures for code that keeps them.
 *
 * @see D-Bus specification, section "Type System"
 */

import { InvalidArgumentError } from '../base/errors.js';
import { printable } from '../base/printable.js';

// Counted as libdbus counts: arrays that directly contain one another, and nested structs and dictionary entries.
const SIGNATURE_BYTES_MAXIMUM = 255;
const ARRAY_DEPTH_MAXIMUM = 32;
const STRUCT_DEPTH_MAXIMUM = 32;
const DICT_ENTRY_DEPTH_MAXIMUM = 32;

const ARRAY = 0x61;
const STRUCT = 0x28;
const STRUCT_END = 0x29;
const DICT_ENTRY = 0x7b;
const DICT_ENTRY_END = 0x7d;
const VARIANT = 0x76;

/** 1 for the codes of basic types, by character code. */
const isBasic = new Uint8Array(128);
for (const code of 'ybnqiuxtdsogh') isBasic[code.charCodeAt(0)] = 1;

/** The result of checking a valid signature. */
export interface Outline {
  /** The number of complete types in the signature. */
  readonly types: number;
  /** The largest number of nested containers, including variants. */
  readonly depth: number;
}

/**
 * Checks a signature.
 *
 * @throws {@link InvalidArgumentError} that tells the rule that the signature breaks, and the position
 */
export function checkSignature(signature: string): Outline {
  if (typeof signature !== 'string') {
    throw new InvalidArgumentError(
      `a signature must be a string, not ${signature === null ? 'null' : typeof signature}`,
    );
  }
  return new SignatureChecker(signature).check();
}

/** Returns where the complete type or dictionary entry that begins at `at` ends, in a valid signature. */
export function endOfType(signature: string, at: number): number {
  let end = at;
  while (signature.charCodeAt(end) === ARRAY) end++;
  let open = 0;
  do {
    const code = signature.charCodeAt(end++);
    if (code === STRUCT || code === DICT_ENTRY) open++;
    else if (code === STRUCT_END || code === DICT_ENTRY_END) open--;
  } while (open > 0 && end < signature.length);
  return end;
}

/**
 * Checks a signature by recursive descent; the limits on nesting bound the recursion. Each method that checks a type
 * returns how many containers are nested in it.
 */
class SignatureChecker {
  readonly #text: string;
  #at = 0;
  #structs = 0;
  #dictEntries = 0;

  constructor(text: string) {
    this.#text = text;
  }

  check(): Outline {
    const { length } = this.#text;
    // The grammar accepts only ASCII, so the number of characters is the number of bytes of every valid signature.
    if (length > SIGNATURE_BYTES_MAXIMUM) {
      throw new InvalidArgumentError(
        `invalid signature: it has ${length} bytes, and may have at most ${SIGNATURE_BYTES_MAXIMUM}`,
      );
    }
    let types = 0;
    let depth = 0;
    for (; this.#at < length; types++) depth = Math.max(depth, this.#completeType());
    return { types, depth };
  }

  #code(): number {
    return this.#text.charCodeAt(this.#at);
  }

  #completeType(): number {
    const code = this.#code();
    if (isBasic[code] === 1) {
      this.#at++;
      return 0;
    }
    if (code === VARIANT) {
      this.#at++;
      return 1;
    }
    if (code === ARRAY) return this.#array(1);
    if (code === STRUCT) return this.#struct();
    if (Number.isNaN(code)) throw this.#error('a type is missing at the end');
    if (code === DICT_ENTRY) throw this.#error('a dictionary entry may only be the element of an array');
    const character = JSON.stringify(this.#text[this.#at]);
    if (code === STRUCT_END || code === DICT_ENTRY_END) throw this.#error(`${character} has no opening bracket`);
    throw this.#error(`${character} is not a type code`);
  }

  /** @param arrays the number of arrays that directly contain one another down to this one, including it */
  #array(arrays: number): number {
    if (arrays > ARRAY_DEPTH_MAXIMUM) throw this.#error(`more than ${ARRAY_DEPTH_MAXIMUM} arrays are nested`);
    this.#at++;
    const code = this.#code();
    if (code === ARRAY) return 1 + this.#array(arrays + 1);
    return 1 + (code === DICT_ENTRY ? this.#dictEntry() : this.#completeType());
  }

  #struct(): number {
    if (++this.#structs > STRUCT_DEPTH_MAXIMUM) {
      throw this.#error(`more than ${STRUCT_DEPTH_MAXIMUM} structs are nested`);
    }
    const first = ++this.#at;
    let depth = 0;
    while (this.#code() !== STRUCT_END) {
      if (this.#at === this.#text.length) throw this.#error('")" is missing at the end');
      depth = Math.max(depth, this.#completeType());
    }
    if (this.#at === first) throw this.#error('a struct must have a field');
    this.#at++;
    this.#structs--;
    return 1 + depth;
  }

  #dictEntry(): number {
    if (++this.#dictEntries > DICT_ENTRY_DEPTH_MAXIMUM) {
      throw this.#error(`more than ${DICT_ENTRY_DEPTH_MAXIMUM} dictionary entries are nested`);
    }
    this.#at++;
    if (isBasic[this.#code()] !== 1) throw this.#error('the key of a dictionary must be a basic type');
    this.#at++;
    if (this.#code() === DICT_ENTRY_END) throw this.#error('a dictionary entry must have a value');
    const depth = this.#completeType();
    if (this.#code() !== DICT_ENTRY_END) {
      const isOver = this.#at === this.#text.length;
      throw this.#error(isOver ? '"}" is missing at the end' : 'a dictionary entry has one value only');
    }
    this.#at++;
    this.#dictEntries--;
    return 1 + depth;
  }

  #error(what: string): InvalidArgumentError {
    const end = this.#text.indexOf('\u0001');
    if (end >= 0) {
      const plain = this.#text.slice(0, end);
      return new InvalidArgumentError(`dict() describes members of an interface: write the signature "${plain}" here`);
    }
    return new InvalidArgumentError(printable(`invalid signature "${this.#text}": ${what}, at offset ${this.#at}`));
  }
}
