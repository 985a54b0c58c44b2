/**
 * Long text, on runtimes whose own functions for text that is not ASCII are slow. Node.js before 24 takes 4 ns for each
 * byte of UTF-8 to make a string, and Node.js before 26 takes 3 ns for each character to check and write one. The
 * transcoder of the runtime takes less than a fourth of both. It is a call of 1 µs, so short text does not use it.
 */
import buffer from 'node:buffer';
import type { RawBuffer } from './strings.js';

const { node = '0', bun, deno } = process.versions;
const major = bun === undefined && deno === undefined ? Number.parseInt(node, 10) : Number.POSITIVE_INFINITY;
/** Absent from a Node.js that was built without ICU. */
const transcode: typeof buffer.transcode | undefined = buffer.transcode;

/** The least number of bytes, or characters, of long text. */
export const LONG_TEXT = 1024;

/** How many bytes or characters of a text are looked at to see of which kind it is. */
const SAMPLES = 64;

/** From this byte on, UTF-8 begins a character that needs a string of two bytes for each. */
const WIDE = 0xc4;

const readsSlowly = transcode !== undefined && major < 24;
const writesSlowly = transcode !== undefined && major < 26;

/** Makes a string from valid UTF-8 of at least {@link LONG_TEXT} bytes. */
export function readLongText(bytes: RawBuffer, start: number, end: number): string {
  if (readsSlowly && hasWide(bytes, start, end)) {
    try {
      const units = (transcode as typeof buffer.transcode)(bytes.subarray(start, end), 'utf8', 'utf16le') as RawBuffer;
      return units.ucs2Slice(0, units.length);
    } catch {
      // The bytes are not valid, or there is no memory. The runtime's own function replaces what is invalid.
    }
  }
  return bytes.utf8Slice(start, end);
}

/**
 * Makes the UTF-8 of a text of at least {@link LONG_TEXT} characters, if the transcoder makes it faster than the runtime
 * writes it. It is made in parts, because the pages of large new memory take longer than the text.
 *
 * @param take gets the UTF-8 of one part after another
 * @returns whether all parts were made: not those of text that looks like ASCII, or that has no UTF-8
 */
export function transcodeText(text: string, take: (utf8: Buffer) => void): boolean {
  if (!writesSlowly || looksAscii(text)) return false;
  units ??= Buffer.allocUnsafeSlow(2 * PART) as RawBuffer;
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = endOfPart(text, start);
    units.ucs2Write(text.slice(start, end), 0);
    let utf8: Buffer;
    try {
      utf8 = (transcode as typeof buffer.transcode)(units.subarray(0, 2 * (end - start)), 'utf16le', 'utf8');
    } catch {
      return false;
    }
    take(utf8);
  }
  return true;
}

/** The characters of a part. */
const PART = 16 * 1024;
/** The characters of one part, for all texts. */
let units: RawBuffer | undefined;

/** A part does not end between the two halves of a character. */
function endOfPart(text: string, start: number): number {
  const end = start + PART;
  if (end >= text.length) return text.length;
  return (text.charCodeAt(end - 1) & 0xfc00) === 0xd800 ? end - 1 : end;
}

/** Whether one of some bytes begins a character that needs a string of two bytes for each. */
function hasWide(bytes: Uint8Array, start: number, end: number): boolean {
  // Both bytes of a character with two are looked at, because the texts of some languages consist of these.
  const step = Math.floor((end - start) / SAMPLES);
  for (let at = start; at < end - 1; at += step) {
    if ((bytes[at] as number) >= WIDE || (bytes[at + 1] as number) >= WIDE) return true;
  }
  return false;
}

function looksAscii(text: string): boolean {
  const step = Math.floor(text.length / SAMPLES);
  for (let index = 0; index < text.length; index += step) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
