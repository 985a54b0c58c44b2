/**
 * Text from bytes that were validated as UTF-8. Most strings on a bus are short ASCII, and many come again and again:
 * these are made here, and the rest is left to the runtime.
 */
import { isAscii, readShortAscii, SHORT_MAXIMUM } from './ascii.js';
import { KEY_BYTES_MAXIMUM, known, remember, slotOf } from './keys.js';
import type { RawBuffer } from './strings.js';

/** Reads a text that begins at a multiple of 4, as those of strings and object paths do. */
export function readText(bytes: RawBuffer, words: Int32Array, start: number, length: number): string {
  const end = start + length;
  if (length > SHORT_MAXIMUM || !reaches(words, end) || !isAscii(words, start, end)) return bytes.utf8Slice(start, end);
  return readShortAscii(bytes, start, length);
}

/** Reads a text that begins at a multiple of 4 and is likely to come again. */
export function readKey(bytes: RawBuffer, words: Int32Array, start: number, length: number): string {
  if (length === 0 || length > KEY_BYTES_MAXIMUM || !reaches(words, start + length)) {
    return readText(bytes, words, start, length);
  }
  const slot = slotOf(words, start, length);
  const text = known(slot, words, start, length);
  if (text !== undefined) return text;
  const read = readText(bytes, words, start, length);
  remember(slot, words, start, length, read);
  return read;
}

/** Whether a text that ends there is all in the words: these leave out what is behind the memory's last multiple of 4. */
function reaches(words: Int32Array, end: number): boolean {
  return end <= words.length << 2;
}

const SIGNATURE_SLOTS = 256;
const signatures: string[] = new Array<string>(SIGNATURE_SLOTS).fill('');

/** Reads a signature, which may begin anywhere. Few come again and again, so these are remembered by their slot too. */
export function readSignature(bytes: RawBuffer, start: number, length: number): string {
  // The runtime keeps all strings of one character: these are the signatures of most variants.
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
