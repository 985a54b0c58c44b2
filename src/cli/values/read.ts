/**
 * Reads a value of a known type from a word: plain words for strings, numbers and booleans, JSON for containers, and what
 * `print.ts` prints.
 */
import type { DictEntryType, Type } from '../../index.js';
import { library } from '../library.js';
import { doubleIn, EXPECTED, integerIn, textOf, typeOf } from './basic.js';
import { ValueMisfit } from './misfit.js';

/** The specification's limit for nested containers. */
const DEPTH_MAXIMUM = 64;

/** What ends a number or a keyword. */
const DELIMITER = /[\s,\]}:]|$/y;

/**
 * The value of a word.
 *
 * @throws {@link ValueMisfit} with the position in the word
 */
export function readWord(type: Type, word: string): unknown {
  const { code } = type;
  if (code === 's' || code === 'o' || code === 'g') {
    return word.startsWith('"') ? new ValueReader(word).whole(type) : textOf(type, word, 0);
  }
  if (code === 'b') {
    const value = SWITCHES[word];
    if (value !== undefined) return value;
  }
  if (code === 'v' && !/^\s*(["[{]|-?\.?\d|(true|false)$)/.test(word) && signaturePrefix(word) === undefined) {
    return new library.Variant('s', textOf(library.parseSignature('s')[0] as Type, word, 0));
  }
  return new ValueReader(word).whole(type);
}

/** Words for booleans, as busctl has them. */
const SWITCHES: Readonly<Record<string, boolean>> = {
  ...{ yes: true, y: true, on: true, t: true, '1': true },
  ...{ no: false, n: false, off: false, f: false, '0': false },
};

/** A signature of one complete type at the beginning of a text, with a space after it. */
function signaturePrefix(text: string): { readonly type: Type; readonly length: number } | undefined {
  const [whole, signature = ''] = /^\s*([ybnqiuxtdsogvah(){}]+)\s+(?=\S)/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const type = typeOf(signature);
  return type && { type, length: whole.length };
}

class ValueReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The value that is all of the text. */
  whole(type: Type): unknown {
    const value = this.#value(type);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#misfit(`expected nothing after the value of type ${type.signature}`);
    return value;
  }

  #value(type: Type): unknown {
    this.#skipSpace();
    switch (type.code) {
      case 's':
      case 'o':
      case 'g': {
        const from = this.#at;
        return textOf(type, this.#string(EXPECTED[type.code]), from);
      }
      case 'b':
        return this.#boolean();
      case 'v':
        return this.#nested(() => this.#variant());
      case '(':
        return this.#nested(() => this.#struct(type.fields, type.signature));
      case 'a':
        return this.#nested(() => this.#array(type.element, type.signature));
      default:
        return this.#number(type.code);
    }
  }

  #nested<Value>(read: () => Value): Value {
    if (++this.#depth > DEPTH_MAXIMUM) throw this.#misfit(`more than ${DEPTH_MAXIMUM} containers are nested`);
    const value = read();
    this.#depth--;
    return value;
  }

  #boolean(): boolean {
    const word = this.#match(/true|false/y);
    if (word === undefined) throw this.#misfit(`expected ${EXPECTED.b}`);
    return word === 'true';
  }

  /** In quotation marks as well: other programs write long integers so, and keys are always written so. */
  #number(code: string): number | bigint {
    const from = this.#at;
    const isQuoted = this.#text[from] === '"';
    const text = isQuoted ? this.#string('') : this.#match(/[^\s,\]}:[{"]+/y);
    const value = text === undefined ? undefined : code === 'd' ? doubleIn(text) : integerIn(code, text);
    if (value === undefined) throw new ValueMisfit(`expected ${EXPECTED[code]}`, from);
    return value;
  }

  #string(expected: string): string {
    const from = this.#at;
    if (this.#text[from] !== '"') throw this.#misfit(`expected ${expected} in quotation marks`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON has none of them in a string
    const end = /"(?:[^"\\\u0000-\u001f]|\\.)*/y;
    end.lastIndex = from;
    const [raw = ''] = end.exec(this.#text) ?? [];
    this.#at = from + raw.length;
    if (this.#text[this.#at] !== '"') {
      throw this.#misfit(
        'expected the quotation mark that ends the string (write \\n and \\u0007 for control characters)',
      );
    }
    this.#at++;
    try {
      return JSON.parse(`${raw}"`) as string;
    } catch {
      const wrong = raw.search(/\\(?!["\\/bfnrt]|u[\da-fA-F]{4})/);
      throw new ValueMisfit(
        'expected one of the escapes of JSON: \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0041',
        from + wrong,
      );
    }
  }

  #struct(fields: readonly Type[], signature: string): unknown[] {
    const shape = `an array of ${fields.length}, such as [${fields.map((field) => field.signature).join(', ')}]`;
    this.#open('[', `${shape} (${signature})`);
    const values = fields.map((field, index) => {
      this.#skipSpace();
      if (this.#text[this.#at] === ']') throw this.#misfit(`expected ${shape}, got only ${index}`);
      if (index > 0) this.#expect(',', `a comma, and a value of type ${field.signature}`);
      return this.#value(field);
    });
    this.#expect(']', `the end ] of ${shape}`);
    return values;
  }

  #array(element: Type | DictEntryType, signature: string): unknown {
    if (element.code === '{') return this.#dictionary(element, signature);
    if (element.code === 'y') return this.#bytes();
    const values: unknown[] = [];
    this.#open('[', `an array [ … ] (${signature})`);
    this.#items(']', () => values.push(this.#value(element)));
    return values;
  }

  /** Numbers, or text, or hexadecimal digits. */
  #bytes(): Buffer {
    const from = this.#at;
    if (this.#text[from] === '"') return Buffer.from(this.#string(''), 'utf8');
    const digits = this.#match(/0x[\da-f]*/iy);
    if (digits !== undefined) {
      if (digits.length % 2 === 0) return Buffer.from(digits.slice(2), 'hex');
      throw new ValueMisfit('expected two hexadecimal digits for each byte', from);
    }
    const bytes: number[] = [];
    this.#open('[', 'bytes: an array of numbers, "text", or hexadecimal digits such as 0x0aff (ay)');
    this.#items(']', () => {
      this.#skipSpace();
      bytes.push(this.#number('y') as number);
    });
    return Buffer.from(bytes);
  }

  #dictionary({ key: keyType, value: valueType }: DictEntryType, signature: string): Map<unknown, unknown> {
    const entries = new Map<unknown, unknown>();
    this.#open('{', `an object { "key": value, … } (${signature})`);
    this.#items('}', () => {
      this.#skipSpace();
      const from = this.#at;
      const key = keyType.code === 'b' ? this.#booleanKey() : this.#value(keyType);
      if (entries.has(key)) throw new ValueMisfit('the key occurs twice', from);
      this.#expect(':', 'a colon after the key');
      entries.set(key, this.#value(valueType));
    });
    return entries;
  }

  #booleanKey(): boolean {
    const from = this.#at;
    if (this.#text[from] !== '"') return this.#boolean();
    const text = this.#string('');
    if (text === 'true' || text === 'false') return text === 'true';
    throw new ValueMisfit(`expected ${EXPECTED.b}`, from);
  }

  #variant(): unknown {
    const prefix = signaturePrefix(this.#text.slice(this.#at, this.#at + 300));
    if (prefix !== undefined) {
      this.#at += prefix.length;
      return this.#ofType(prefix.type);
    }
    return this.#typedObject() ?? this.#inferred();
  }

  #ofType(type: Type): unknown {
    // At the top of a variant, text needs no quotation marks, as at the top of a word.
    if ('sog'.includes(type.code) && this.#depth === 1 && this.#text[this.#at] !== '"') {
      const from = this.#at;
      this.#at = this.#text.length;
      return new library.Variant(type.signature, textOf(type, this.#text.slice(from), from));
    }
    return new library.Variant(type.signature, this.#value(type) as never);
  }

  /** `{"type": "u", "data": 5}`, as busctl prints it, or with `value`. */
  #typedObject(): unknown {
    const start = this.#at;
    const head = this.#match(/\{\s*"type"\s*:\s*(?=")/y);
    if (head === undefined) return undefined;
    const from = this.#at;
    const signature = this.#string('a signature');
    if (this.#match(/\s*,\s*"(data|value)"\s*:\s*/y) === undefined) {
      this.#at = start;
      return undefined;
    }
    const type = typeOf(signature);
    if (type === undefined) throw new ValueMisfit('expected the signature of one complete type', from);
    const value = this.#value(type);
    this.#expect('}', 'the end } of the variant');
    return new library.Variant(type.signature, value as never);
  }

  /** A value without its type, if only one type is likely: the same types that the library chooses. */
  #inferred(): unknown {
    const rest = this.#text.slice(this.#at, this.#at + 100);
    const typed = (signature: string) => this.#ofType(typeOf(signature) as Type);
    if (rest.startsWith('"')) return new library.Variant('s', this.#value(typeOf('s') as Type) as string);
    if (rest.startsWith('{')) return typed('a{sv}');
    if (/^\[\s*"/.test(rest)) return typed('as');
    if (/^(true|false)/.test(rest)) return typed('b');
    const [integer] = /^-?(?:0x[\da-f]+|\d+)(?=[\s,\]}]|$)/i.exec(rest) ?? [];
    if (integer !== undefined && integer !== '-0') return typed(integerIn('i', integer) === undefined ? 'x' : 'i');
    if (/^-?(\d|\.\d|inf|nan)/i.test(rest)) return typed('d');
    const cure = rest.startsWith('[') ? 'write the type before the array, as in ai [1, 2]' : 'write u 5, for instance';
    throw this.#misfit(`expected a variant: ${cure}`);
  }

  /** Reads items and the commas between them, up to the closing bracket. */
  #items(close: string, read: () => void): void {
    for (let first = true; ; first = false) {
      this.#skipSpace();
      if (this.#text[this.#at] === close) break;
      if (!first) this.#expect(',', `a comma or ${close}`);
      read();
    }
    this.#at++;
  }

  #open(bracket: string, expected: string): void {
    this.#expect(bracket, expected);
  }

  #expect(character: string, expected: string): void {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) throw this.#misfit(`expected ${expected}`);
    this.#at++;
  }

  #skipSpace(): void {
    this.#match(/\s+/y);
  }

  /** The text at this place that matches, which is passed over. Words of letters and digits end at a delimiter. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined) return undefined;
    this.#at += found.length;
    if (/\w$/.test(found)) {
      DELIMITER.lastIndex = this.#at;
      if (!DELIMITER.test(this.#text)) {
        this.#at -= found.length;
        return undefined;
      }
    }
    return found;
  }

  #misfit(text: string): ValueMisfit {
    return new ValueMisfit(text, this.#at);
  }
}
