/**
 * Values in the notation of busctl: the number of elements before those of an array or a dictionary, the signature before
 * the value of a variant, and a word for each basic value. A container may also be one word of JSON.
 */
import type { Type } from '../../index.js';
import { library } from '../library.js';
import { typeOf } from './basic.js';
import { ValueMisfit } from './misfit.js';
import { readWord } from './read.js';

/** The words that are left, of which reading takes some. */
export class FlatReader {
  readonly #words: readonly string[];
  /** The number of words that were taken. */
  taken = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  /**
   * The values of the words, which must be used up.
   *
   * @throws {@link ValueMisfit} about the word before {@link taken}
   */
  values(types: readonly Type[]): unknown[] {
    const values = types.map((type) => this.#value(type));
    if (this.taken < this.#words.length) {
      this.taken++;
      throw new ValueMisfit('expected no further word', 0);
    }
    return values;
  }

  #value(type: Type): unknown {
    const word = this.#next(type.signature);
    switch (type.code) {
      case 'v': {
        const content = typeOf(word);
        // In the notation of busctl a variant is never alone.
        if (content === undefined || this.taken === this.#words.length) return readWord(type, word);
        return new library.Variant(content.signature, this.#value(content) as never);
      }
      case '(':
        if (isJson(word)) return readWord(type, word);
        this.taken--;
        return type.fields.map((field) => this.#value(field));
      case 'a':
        if (isJson(word)) return readWord(type, word);
        return this.#array(type, count(word));
      default:
        return readWord(type, word);
    }
  }

  #array({ element }: Type & { code: 'a' }, length: number): unknown {
    if (element.code !== '{') {
      const values = repeated(length, () => this.#value(element));
      return element.code === 'y' ? Buffer.from(values as number[]) : values;
    }
    const entries = new Map<unknown, unknown>();
    repeated(length, () => {
      const key = this.#value(element.key);
      if (entries.has(key)) throw new ValueMisfit('the key occurs twice', 0);
      entries.set(key, this.#value(element.value));
    });
    return entries;
  }

  #next(signature: string): string {
    const word = this.#words[this.taken];
    if (word === undefined) throw new MissingWord(signature);
    this.taken++;
    return word;
  }
}

/** The words end before the values do. */
export class MissingWord extends Error {
  readonly signature: string;

  constructor(signature: string) {
    super(`a value of type ${signature} is missing`);
    this.signature = signature;
  }
}

function isJson(word: string): boolean {
  return /^\s*(["[{]|0x)/.test(word);
}

function count(word: string): number {
  if (/^\d+$/.test(word)) return Number(word);
  throw new ValueMisfit('expected the number of elements, or an array as JSON', 0);
}

/** Each call takes words, so a length that is too large ends with the words. */
function repeated<Value>(length: number, read: () => Value): Value[] {
  const values: Value[] = [];
  while (values.length < length) values.push(read());
  return values;
}
