/**
 * Values of any signature as the bytes of a body, in either byte order: an encoder of the tests, to compare that of the
 * library with. Values are as the library reads them with `variants: 'wrap'`; nothing is checked.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */
import type { Variant } from '../../src/index.js';
import { SignatureReader } from '../interop/values-notation.js';
import { Bytes } from './wire.js';

/** The body with these values. A descriptor is written as its index. */
export function marshalledValues(signature: string, values: readonly unknown[], big = false): Buffer {
  const bytes = new Bytes(big);
  writeAll(bytes, signature, values);
  return bytes.buffer;
}

function writeAll(bytes: Bytes, signature: string, values: readonly unknown[]): void {
  const reader = new SignatureReader(signature);
  for (const value of values) write(bytes, reader.next(), value);
}

function write(bytes: Bytes, type: string, value: unknown): void {
  switch (type[0]) {
    case 'y':
      bytes.u8(value as number);
      return;
    case 'b':
      bytes.u32(Number(value));
      return;
    case 'n':
    case 'q':
      bytes.u16((value as number) & 0xffff);
      return;
    case 'i':
    case 'u':
    case 'h':
      bytes.u32((value as number) >>> 0);
      return;
    case 'x':
    case 't':
      bytes.u64(BigInt.asUintN(64, value as bigint));
      return;
    case 'd':
      bytes.align(8).f64(value as number);
      return;
    case 'g':
      bytes.signature(value as string);
      return;
    case 'v': {
      const { signature, value: content } = value as Variant;
      bytes.signature(signature);
      write(bytes, signature, content);
      return;
    }
    case '(':
    case '{':
      bytes.align(8);
      writeAll(bytes, type.slice(1, -1), value as unknown[]);
      return;
    case 'a':
      writeArray(bytes, type.slice(1), value);
      return;
    default:
      bytes.text(value as string);
  }
}

function writeArray(bytes: Bytes, element: string, value: unknown): void {
  bytes.array(alignmentOf(element), () => {
    if (element === 'y') bytes.raw(value as Buffer);
    else for (const item of itemsOf(element, value)) write(bytes, element, item);
  });
}

function itemsOf(element: string, value: unknown): Iterable<unknown> {
  if (element[0] !== '{') return value as unknown[];
  return value instanceof Map ? value : Object.entries(value as object);
}

function alignmentOf(type: string): number {
  if ('ygv'.includes(type[0] as string)) return 1;
  if ('nq'.includes(type[0] as string)) return 2;
  return 'xtd({'.includes(type[0] as string) ? 8 : 4;
}
