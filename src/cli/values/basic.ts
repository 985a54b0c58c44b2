/** Values of basic types in text: numbers with their ranges, and checked strings. */
import type { Type } from '../../index.js';
import { library } from '../library.js';
import { ValueMisfit } from './misfit.js';

/** The type of a signature, if it is one complete type. */
export function typeOf(signature: string): Type | undefined {
  try {
    const types = library.parseSignature(signature);
    return types.length === 1 ? types[0] : undefined;
  } catch {
    return undefined;
  }
}

/** The range of each type of integer: the number of bits, and whether it is signed. */
const INTEGERS: Readonly<Record<string, readonly [bits: number, isSigned: boolean]>> = {
  y: [8, false],
  n: [16, true],
  q: [16, false],
  i: [32, true],
  u: [32, false],
  x: [64, true],
  t: [64, false],
};

function rangeOf(code: string): readonly [least: bigint, greatest: bigint] {
  const [bits, isSigned] = INTEGERS[code] ?? [31, false];
  return isSigned ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n] : [0n, 2n ** BigInt(bits) - 1n];
}

/** What each type expects, for errors. */
export const EXPECTED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.keys(INTEGERS).map((code) => {
      const [least, greatest] = rangeOf(code);
      return [code, `an integer from ${least} to ${greatest} (${code})`];
    }),
  ),
  b: 'true or false (b)',
  d: 'a number (d)',
  h: 'the number of a file descriptor that this process has inherited (h)',
  s: 'a string (s)',
  o: 'an object path (o)',
  g: 'a signature (g)',
};

/** An integer of a type in decimal or hexadecimal digits; `undefined` if it is none, or out of range. */
export function integerIn(code: string, text: string): number | bigint | undefined {
  if (!/^-?(\d+|0x[\da-f]+)$/i.test(text)) return undefined;
  const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
  const [least, greatest] = rangeOf(code);
  if (value < least || value > greatest) return undefined;
  return code === 'x' || code === 't' ? value : Number(value);
}

/** A double; `undefined` if the text is none. */
export function doubleIn(text: string): number | undefined {
  if (/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  const [, sign, word] = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(text) ?? [];
  if (word === undefined) return undefined;
  return word.toLowerCase() === 'nan' ? Number.NaN : sign === '-' ? -Infinity : Infinity;
}

/**
 * Checks a text of type `s`, `o` or `g`.
 *
 * @param position where it begins, for the error
 */
export function textOf({ code }: Type, text: string, position: number): string {
  const nul = text.indexOf('\0');
  if (nul >= 0) throw new ValueMisfit('D-Bus strings cannot contain NUL', position);
  if (!text.isWellFormed()) throw new ValueMisfit('expected text that Unicode has: a surrogate is alone', position);
  if (code === 'o' && !library.isObjectPath(text)) {
    const cure = text.startsWith('/') ? 'elements of A-Z a-z 0-9 _ with single / between them' : 'it begins with /';
    throw new ValueMisfit(`expected ${EXPECTED.o}: ${cure}`, position);
  }
  if (code === 'g') checkSignature(text, position);
  return text;
}

function checkSignature(text: string, position: number): void {
  try {
    library.parseSignature(text);
  } catch (error) {
    throw new ValueMisfit(`expected ${EXPECTED.g}: ${(error as Error).message}`, position);
  }
}
