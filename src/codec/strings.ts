/**
 * Writes text as bytes. Most strings on a bus are short ASCII, and a call into the runtime costs more than a loop over
 * a few bytes. So this module writes short ASCII itself, and leaves the rest to the runtime.
 */
import { LONG_TEXT } from './long-text.js';
import { Misfit } from './misfit.js';

/**
 * Methods of Buffer that Node.js has always had and does not declare: `toString` and `write` without checks of their
 * arguments.
 */
export interface RawBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, start: number): number;
  ucs2Slice(start: number, end: number): string;
  ucs2Write(text: string, start: number): number;
  utf8Slice(start: number, end: number): string;
  utf8Write(text: string, start: number): number;
}

/** A view of the whole memory. */
export function rawBuffer(memory: ArrayBuffer): RawBuffer {
  return Buffer.from(memory) as RawBuffer;
}

/** From about this many characters on, the runtime is faster than the loop. */
const LOOP_MAXIMUM = 36;

const NOT_ASCII = ~0x7f;

/**
 * Writes a short string of ASCII without NUL. It checks four characters at a time and writes them as one word, which
 * takes about 60 % of the time of a check and a byte for each.
 *
 * @param words the memory of `bytes`
 * @param start a multiple of 4
 * @returns where the text ends, or -1 if the text is of another kind and has to be written in another way
 */
export function writeAscii(bytes: Uint8Array, words: Uint32Array, start: number, text: string): number {
  const { length } = text;
  if (length > LOOP_MAXIMUM) return -1;
  let index = 0;
  for (; index + 4 <= length; index += 4) {
    const a = text.charCodeAt(index);
    const b = text.charCodeAt(index + 1);
    const c = text.charCodeAt(index + 2);
    const d = text.charCodeAt(index + 3);
    // NUL minus one has all bits set.
    if (((a | b | c | d | (a - 1) | (b - 1) | (c - 1) | (d - 1)) & NOT_ASCII) !== 0) return -1;
    words[(start + index) >>> 2] = a | (b << 8) | (c << 16) | (d << 24);
  }
  for (; index < length; index++) {
    const code = text.charCodeAt(index);
    if (((code | (code - 1)) & NOT_ASCII) !== 0) return -1;
    bytes[start + index] = code;
  }
  return start + length;
}

/**
 * Writes any text as UTF-8, and refuses text that D-Bus strings cannot contain. JavaScript would replace a lone
 * surrogate, which makes another text, and a C library would end the text at a NUL.
 *
 * @param bytes has room for the text at `start`
 * @returns where the text ends
 * @throws {@link Misfit}
 */
export function writeText(bytes: RawBuffer, start: number, text: string): number {
  const isLong = text.length >= LONG_TEXT;
  if (!isLong) refuseNul(text);
  const end = start + bytes.utf8Write(text, start);
  // Looking for a NUL takes ten times as long in a text with two bytes for each character as in its UTF-8.
  if (isLong && bytes.subarray(start, end).includes(0)) refuseNul(text);
  // Only ASCII has one byte for each character, and ASCII has no surrogates.
  if (end - start !== text.length && !(text as WellFormedString).isWellFormed()) {
    const at = text.search(/\p{Surrogate}/u);
    throw new Misfit(`D-Bus strings cannot contain a lone surrogate (index ${at})`);
  }
  return end;
}

/** @throws {@link Misfit} */
export function refuseNul(text: string): void {
  const nul = text.indexOf('\0');
  if (nul >= 0) throw new Misfit(`D-Bus strings cannot contain NUL (index ${nul})`);
}

/** Declares a method that is newer than the library this project is compiled against. */
type WellFormedString = string & { isWellFormed(): boolean };
