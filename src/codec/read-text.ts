/**
 * Makes strings from bytes that were validated as UTF-8. Most strings on a bus are short ASCII, and many are repeated:
 * this module makes those itself, and leaves the rest to the runtime.
 */
import { isAscii, readShortAscii, SHORT_MAXIMUM } from './ascii.js';
import { KEY_BYTES_MAXIMUM, putText, slotOf, textInSlot } from './keys.js';
import { LONG_TEXT, readLongText } from './long-text.js';
import type { RawBuffer } from './strings.js';

/** Reads a text that begins at a multiple of 4, as the texts of strings and object paths do. */
export function readText(bytes: RawBuffer, words: Int32Array, start: number, length: number): string {
  const end = start + length;
  if (length >= LONG_TEXT) return readLongText(bytes, start, end);
  if (length > SHORT_MAXIMUM || !reaches(words, end) || !isAscii(words, start, end)) return bytes.utf8Slice(start, end);
  return readShortAscii(bytes, start, length);
}

/** Reads a text that begins at a multiple of 4 and is likely to be repeated. */
export function readKey(bytes: RawBuffer, words: Int32Array, start: number, length: number): string {
  if (length === 0 || length > KEY_BYTES_MAXIMUM || !reaches(words, start + length)) {
    return readText(bytes, words, start, length);
  }
  const slot = slotOf(words, start, length);
  const text = textInSlot(slot, words, start, length);
  if (text !== undefined) return text;
  const read = readText(bytes, words, start, length);
  putText(slot, words, start, length, read);
  return read;
}

/**
 * Whether the words include all of a text that ends at `end`: they leave out the bytes after the last multiple of 4 of
 * the memory.
 */
function reaches(words: Int32Array, end: number): boolean {
  return end <= words.length << 2;
}

const SIGNATURE_SLOTS = 256;
const signatures: string[] = new Array<string>(SIGNATURE_SLOTS).fill('');

/**
 * Reads a signature, which may begin at any position. A bus has few different signatures, so they are cached by slot
 * too.
 */
export function readSignature(bytes: RawBuffer, start: number, length: number): string {
  // The runtime caches all strings of one character. Most variants have such a signature.
  if (length === 1) return String.fromCharCode(bytes[start] as number);
  let hash = length;
  const end = start + length;
  for (let at = start; at < end; at++) hash = (hash * 31 + (bytes[at] as number)) | 0;
  const slot = hash & (SIGNATURE_SLOTS - 1);
  const remembered = signatures[slot] as string;
  if (remembered.length === length && isText(remembered, bytes, start)) return remembered;
  const signature = bytes.utf8Slice(start, end);
  signatures[slot] = signature;
  return signature;
}

function isText(text: string, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
