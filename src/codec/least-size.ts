/**
 * The least that values take on the wire: what tells of an array that it cannot be sent from its length alone, before any
 * element is looked at. The length may be the claim of a Proxy, which has no elements to be looked at.
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

/** Fewer elements than this always fit, whatever they are: a signature has room for 2 KiB of values. */
const FEW = 16 * 1024;

/** The bytes of the smallest value of the type that begins at `at`, without what aligns its beginning. */
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
 * Checks how many elements an array has, of the type or dictionary entry that begins at `at`.
 *
 * @throws {@link Misfit} for more than can be sent, whatever they are
 */
export function checkCount(signature: string, at: number, count: number): void {
  if (count <= FEW) return;
  const size = leastSize(signature, at);
  // Behind the length of an array stands what aligns its elements, of which it may have none.
  const isPadded = signature[at] === 'a' && alignments[signature[at + 1] as keyof typeof alignments] === 8;
  const stride = isPadded ? 8 : aligned(size, alignments[signature[at] as keyof typeof alignments]);
  checkArrayLength((count - 1) * stride + size);
}
