/**
 * Text from and to bytes. Most strings on a bus are short ASCII, and a call into the runtime costs more than a loop
 * over a few bytes; so short ASCII is done here, and the rest is left to the runtime.
 */
import { Misfit } from './misfit.js';

/** Methods of Buffer that Node has always had, and does not declare: `toString` without its checks of arguments. */
export interface RawBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  utf8Write(text: string, start: number): number;
}

/** A view of the whole of some memory. */
export function rawBuffer(memory: ArrayBuffer): RawBuffer {
  return Buffer.from(memory) as RawBuffer;
}

/** From about this many characters on, the runtime is faster than the loop. */
const LOOP_MAXIMUM = 48;

/**
 * Writes a short string of ASCII without NUL.
 *
 * @returns where it ends, or -1 if it is something else and has to be written in another way
 */
export function writeAscii(bytes: Uint8Array, start: number, text: string): number {
  const { length } = text;
  if (length > LOOP_MAXIMUM) return -1;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0 || code > 0x7f) return -1;
    bytes[start + index] = code;
  }
  return start + length;
}

/**
 * Refuses text that D-Bus strings cannot have. What JavaScript would put in place of a lone surrogate is another
 * text, and what a C library would make of a NUL is a shorter one.
 *
 * @throws {@link Misfit}
 */
export function checkText(text: string): void {
  const nul = text.indexOf('\0');
  if (nul >= 0) throw new Misfit(`a D-Bus string cannot have a NUL, and this one has one at ${nul}`);
  if (!(text as WellFormedString).isWellFormed()) {
    const at = text.search(/\p{Surrogate}/u);
    throw new Misfit(`a D-Bus string cannot have a lone surrogate, and this one has one at ${at}`);
  }
}

/** Newer than the library that this project is compiled against. */
type WellFormedString = string & { isWellFormed(): boolean };
