/**
 * Writes values of basic types. Each value is checked first, and never converted, rounded or wrapped.
 *
 * @see D-Bus specification, section "Basic types"
 */

import { InvalidArgumentError } from '../base/errors.js';
import { isObjectPath, quoted } from '../base/names.js';
import { checkSignature } from '../signature/grammar.js';
import type { BasicCode } from '../signature/parse.js';
import { FileDescriptor, isFdNumber } from '../values/file-descriptor.js';
import { Misfit, misfit } from './misfit.js';
import type { ValueEncoder } from './value-codec.js';
import type { OutgoingFd } from './writer.js';

const INT64_MINIMUM = -(2n ** 63n);
const INT64_MAXIMUM = 2n ** 63n - 1n;
const UINT64_MAXIMUM = 2n ** 64n - 1n;

/** The expected values, for error texts. */
const expected = {
  y: 'y (0 to 255)',
  b: 'b',
  n: 'n (-32768 to 32767)',
  q: 'q (0 to 65535)',
  i: 'i (-2147483648 to 2147483647)',
  u: 'u (0 to 4294967295)',
  x: 'x (a bigint of 64 bits, or a safe integer)',
  t: 't (an unsigned bigint of 64 bits, or a safe integer)',
  d: 'd',
  s: 's',
  o: 'o (an object path)',
  g: 'g (a signature)',
  h: 'h (a FileDescriptor or its number)',
} as const satisfies Record<BasicCode, string>;

function int64(value: unknown): bigint {
  const number = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof number === 'bigint' && number >= INT64_MINIMUM && number <= INT64_MAXIMUM) return number;
  throw misfit(expected.x, value);
}

function uint64(value: unknown): bigint {
  const number = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof number === 'bigint' && number >= 0n && number <= UINT64_MAXIMUM) return number;
  throw misfit(expected.t, value);
}

/** A number that differs from its low bits is not an integer, or is out of range. */
export const basicEncoders: Readonly<Record<BasicCode, ValueEncoder>> = {
  y(writer, value) {
    if (typeof value !== 'number' || (value & 0xff) !== value) throw misfit(expected.y, value);
    writer.byte(value);
  },
  b(writer, value) {
    if (typeof value !== 'boolean') throw misfit(expected.b, value);
    writer.uint32(value ? 1 : 0);
  },
  n(writer, value) {
    if (typeof value !== 'number' || (value << 16) >> 16 !== value) throw misfit(expected.n, value);
    writer.uint16(value);
  },
  q(writer, value) {
    if (typeof value !== 'number' || (value & 0xffff) !== value) throw misfit(expected.q, value);
    writer.uint16(value);
  },
  i(writer, value) {
    if (typeof value !== 'number' || (value | 0) !== value) throw misfit(expected.i, value);
    writer.uint32(value);
  },
  u(writer, value) {
    if (typeof value !== 'number' || value >>> 0 !== value) throw misfit(expected.u, value);
    writer.uint32(value);
  },
  x(writer, value) {
    writer.uint64(int64(value));
  },
  t(writer, value) {
    writer.uint64(uint64(value));
  },
  d(writer, value) {
    if (typeof value !== 'number') throw misfit(expected.d, value);
    writer.double(value);
  },
  s(writer, value) {
    if (typeof value !== 'string') throw misfit(expected.s, value);
    writer.string(value);
  },
  o(writer, value) {
    if (typeof value !== 'string') throw misfit(expected.o, value);
    if (!isObjectPath(value)) throw new Misfit(`expected ${expected.o}, got ${quoted(value)}`);
    writer.ascii(value);
  },
  g(writer, value) {
    if (typeof value !== 'string') throw misfit(expected.g, value);
    checkGrammar(value);
    writer.signature(value);
  },
  h(writer, value) {
    writer.fd(outgoingFd(value));
  },
};

/** The descriptor that a message carries for a value. */
export function outgoingFd(value: unknown): OutgoingFd {
  if (!FileDescriptor.isFileDescriptor(value)) {
    if (!isFdNumber(value)) throw misfit(expected.h, value);
    return { fd: value, value, owned: undefined };
  }
  if (value.closed) throw new Misfit(`expected ${expected.h}, got one that is closed, taken, or handed over`);
  return { fd: value.fd, value, owned: value.handedOver ? value : undefined };
}

function checkGrammar(value: string): void {
  try {
    checkSignature(value);
  } catch (error) {
    throw error instanceof InvalidArgumentError ? new Misfit(error.message) : error;
  }
}
