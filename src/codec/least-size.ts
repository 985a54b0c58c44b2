/**
 * The least size of values on the wire. With it, an array that is too long to be sent is refused by its length alone,
 * before any element is read. The length may only be claimed by a Proxy, which has no elements.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */
import { endOfType } from '../signature/grammar.js';
import { alignments, type BasicCode } from '../signature/parse.js';
import { checkArrayLength } from './writer.js';

/** An empty string has its length and a NUL; the shortest path is `/`. */
const leastBasicSizes: Readonly<Record<BasicCode, number>> = {
  y: 1,
  b: 4,
  n: 2,
  q: 2,
  i: 4,
  u: 4,
  x: 8,
  t: 8,
  d: 8,
  s: 5,
  o: 6,
  g: 2,
  h: 4,
};

/** A signature of one letter, and a byte. */
const LEAST_VARIANT = 4;

/** Fewer elements than this always fit: a signature has room for 2 KiB of values. */
const FEW = 16 * 1024;

/** The size of the smallest value of the type that begins at `at`, without the padding before it. */
export function leastSize(signature: string, at: number): number {
  const code = signature[at] as BasicCode | 'v' | 'a' | '(' | '{';
  if (code === 'v') return LEAST_VARIANT;
  if (code === 'a') return 4;
  if (code !== '(' && code !== '{') return leastBasicSizes[code];
  let size = 0;
  const end = endOfType(signature, at) - 1;
  for (let field = at + 1; field < end; field = endOfType(signature, field)) {
    size = aligned(size, alignments[signature[field] as keyof typeof alignments]) + leastSize(signature, field);
  }
  return size;
}

function aligned(size: number, alignment: number): number {
  return Math.ceil(size / alignment) * alignment;
}

/**
 * Checks the number of elements of an array. Their type, or that of the dictionary entry, begins at `at`.
 *
 * @throws {@link Misfit} for more elements than can be sent, whatever their values
 */
export function checkCount(signature: string, at: number, count: number): void {
  if (count <= FEW) return;
  const size = leastSize(signature, at);
  // An array has the padding of its first element after its length, even if it is empty.
  const isPadded = signature[at] === 'a' && alignments[signature[at + 1] as keyof typeof alignments] === 8;
  const stride = isPadded ? 8 : aligned(size, alignments[signature[at] as keyof typeof alignments]);
  checkArrayLength((count - 1) * stride + size);
}
